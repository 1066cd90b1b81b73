"""Recipes: everything that decides a run, in one frozen tree read from TOML.

A recipe is read, then changed by `--set a.b=value`, then validated; unknown keys are errors that name the nearest known
one. The resolved recipe is written into the run's folder, and its hash is the run's identity.
"""

from dartune.config.curation import (
    CurationConfig,
    DecontaminationConfig,
    ExportName,
    PassRatesConfig,
    ProcessConfig,
)
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
from dartune.config.evaluation import EvaluationConfig
from dartune.config.methods import GiveUpConfig, MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.config.queries import QueriesConfig
from dartune.config.recipe import (
    RESERVED_NAMES,
    PromptConfig,
    Recipe,
    StudyConfig,
)
from dartune.config.sampling import BudgetConfig, OrderName, SamplingConfig, SecondChanceConfig, WorthConfig
from dartune.config.training import AttentionName, LoraConfig, TrainingConfig

__all__ = [
    "CUSTOM_TAG",
    "FREE_FIELDS",
    "NO_PRICES",
    "RESERVED_NAMES",
    "AttentionName",
    "BudgetConfig",
    "CurationConfig",
    "CustomEngineConfig",
    "DecontaminationConfig",
    "EngineConfig",
    "EvaluationConfig",
    "ExportName",
    "FakeEngineConfig",
    "GiveUpConfig",
    "LoraConfig",
    "MethodConfig",
    "OpenAIEngineConfig",
    "OrderName",
    "PassRatesConfig",
    "Prices",
    "ProcessConfig",
    "PromptConfig",
    "Prop2DiffMethod",
    "QueriesConfig",
    "RayEngineConfig",
    "Recipe",
    "ReplayEngineConfig",
    "ReplicaConfig",
    "SamplingConfig",
    "SecondChanceConfig",
    "StudyConfig",
    "TrainingConfig",
    "TransformersEngineConfig",
    "UniformMethod",
    "VanillaMethod",
    "VllmEngineConfig",
    "WorthConfig",
    "check_url",
    "local_model",
    "prices_of",
    "with_model",
]
