"""What curation is asked to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dartune.config import CurationConfig, MethodConfig
from dartune.prompts import Template
from dartune.types import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationJob:
    """What is chosen from a pool, and how it is written."""

    queries: Sequence[Query]
    methods: Mapping[str, MethodConfig]
    config: CurationConfig
    template: Template
    """How the model that will be trained is asked."""
    seed: int
    benchmarks: Mapping[str, Sequence[Query]] = field(default_factory=dict)
    """What will score the model: problems that must not be trained on."""
