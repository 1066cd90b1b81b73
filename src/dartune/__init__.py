"""dartune: difficulty-aware rejection tuning, from problems with known answers to a training set and its proof."""

__version__ = "0.1.0"
