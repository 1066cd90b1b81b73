"""Fine-tuning of a base causal language model on a curated set.

Importing it is light; torch, transformers and trl load when a training starts.
"""

from dartune.training.record import TrainingReport, is_trained
from dartune.training.run import train

__all__ = ["TrainingReport", "is_trained", "train"]
