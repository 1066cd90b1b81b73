"""What a call of `sample_pool` is asked to do, and what it did."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dartune.config import NO_PRICES, BudgetConfig, MethodConfig, OrderName, Prices, WorthConfig
from dartune.engines.base import Engine
from dartune.prompts import Template
from dartune.types import Query, SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a query is asked."""

    template: Template
    params: SamplingParams
    engine: Callable[[], Engine] | None = None
    """Makes an engine other than the run's; it is used for one phase, while the run's own stays open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondChance:
    """Another way for queries without a correct response in their first `after` tries: it has their next `n_trials`."""

    after: int
    n_trials: int
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be sampled, and how."""

    queries: Sequence[Query]
    """Unique by id."""
    methods: Mapping[str, MethodConfig]
    template: Template
    params: SamplingParams
    seed: int
    second_chance: SecondChance | None = None
    speculation: float = 0.5
    order: OrderName = "longest"
    worth: WorthConfig = field(default_factory=WorthConfig)
    """What the order "value" goes by."""
    prices: Prices = NO_PRICES
    budget: BudgetConfig | None = None
    sampled_s: float = 0.0
    """Seconds that earlier calls on the same pool took: what a budget of GPU-hours has to know."""

    @property
    def way(self) -> Way:
        """How queries are asked as a rule."""
        return Way(template=self.template, params=self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingReport:
    """What one call of `sample_pool` did."""

    n_samples: int
    """Samples graded by this call; the pool may have held some before."""
    n_correct: int
    n_failures: int
    n_prompt_tokens: int
    n_tokens: int
    cost: float
    """By the engine's prices."""
    elapsed_s: float
    is_interrupted: bool
    is_spent: bool
    """Whether a budget ended it before the targets were met."""
