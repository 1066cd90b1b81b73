"""The embedded arithmetic world: problems, named query sets, and tiny models pretrained on them.

Importing it is light; torch and transformers load where a model or the tokenizer is made.
"""

from dartune.world.checking import SolutionCheck, check_solution
from dartune.world.packaged import PACKAGED_MODELS, packaged_model
from dartune.world.sets import WORLD_SETS, WorldSet, world_queries
from dartune.world.tokenizer import PROMPT_SUFFIX, world_tokenizer

__all__ = [
    "PACKAGED_MODELS",
    "PROMPT_SUFFIX",
    "WORLD_SETS",
    "SolutionCheck",
    "WorldSet",
    "check_solution",
    "packaged_model",
    "world_queries",
    "world_tokenizer",
]
