"""Recipes: everything that decides a run, in one frozen tree read from TOML.

A recipe is read, then changed by `--set a.b=value`, then validated; unknown keys are errors that name the nearest known
one. The resolved recipe is written into the run's folder, and its hash is the run's identity.
"""

from dartune.config.engines import (
    CUSTOM_TAG,
    FREE_FIELDS,
    NO_PRICES,
    CustomEngineConfig,
    EngineConfig,
    FakeEngineConfig,
    OpenAIEngineConfig,
    Prices,
    RayEngineConfig,
    ReplayEngineConfig,
    ReplicaConfig,
    TransformersEngineConfig,
    VllmEngineConfig,
    check_url,
    local_model,
    prices_of,
    with_model,
)
from dartune.config.methods import MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.config.recipe import (
    RESERVED_NAMES,
    CurationConfig,
    EvaluationConfig,
    PromptConfig,
    QueriesConfig,
    Recipe,
    SamplingConfig,
    StudyConfig,
    TrainingConfig,
)

__all__ = [
    "CUSTOM_TAG",
    "FREE_FIELDS",
    "NO_PRICES",
    "RESERVED_NAMES",
    "CurationConfig",
    "CustomEngineConfig",
    "EngineConfig",
    "EvaluationConfig",
    "FakeEngineConfig",
    "MethodConfig",
    "OpenAIEngineConfig",
    "Prices",
    "PromptConfig",
    "Prop2DiffMethod",
    "QueriesConfig",
    "RayEngineConfig",
    "Recipe",
    "ReplayEngineConfig",
    "ReplicaConfig",
    "SamplingConfig",
    "StudyConfig",
    "TrainingConfig",
    "TransformersEngineConfig",
    "UniformMethod",
    "VanillaMethod",
    "VllmEngineConfig",
    "check_url",
    "local_model",
    "prices_of",
    "with_model",
]
