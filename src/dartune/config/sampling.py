"""How responses are drawn, in which order, and until what is spent."""

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dartune.config.engines import EngineConfig
from dartune.config.sections import Count, Section
from dartune.types import SamplingParams

OrderName = Literal["longest", "cover", "value"]
"""Which open query gets a free place: the one expected to take longest still; queries without a correct
response, the least tried first; or the one whose next try adds the most value for what it costs."""


class WorthConfig(Section):
    """What a correct response is worth: the (c + 1)-th of a query adds (f ** alpha / (c + 1)) ** fairness."""

    alpha: Annotated[float, Field(ge=0)] = 0.0
    """Exponent on the fail rate f: with 0 all queries weigh the same, with 1 in proportion to their difficulty."""
    fairness: Annotated[float, Field(ge=0, le=100)] = 4.0
    """Aversion to unequal shares. 0: the cheapest responses; 1: the same tries for every query, as VRT; large: the same
    number of correct responses (DARS-Uniform), or with alpha = 1 a number in proportion to f (DARS-Prop2Diff)."""


class SamplingConfig(Section):
    """How responses are drawn. The defaults are the paper's (section 4.1)."""

    temperature: Annotated[float, Field(ge=0)] = 1.6
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    max_new_tokens: Count = 2048
    stop: tuple[str, ...] = ()
    speculation: Annotated[float, Field(ge=0, le=1)] = 0.5
    """How far the tail of hard queries is tried ahead: in-flight tries up to this share of those expected to be needed.
    0 is strict: no try is ever more than is needed, and a run takes up to twice as long."""
    order: OrderName | None = None
    """Which query gets a free place; None: "value" under a budget, "longest" otherwise."""
    worth: WorthConfig = WorthConfig()
    """What a set is worth, where the order is by value."""

    def params(self) -> SamplingParams:
        """The record that travels with each request."""
        return SamplingParams(
            temperature=self.temperature, top_p=self.top_p, max_new_tokens=self.max_new_tokens, stop=self.stop
        )


class SecondChanceConfig(Section):
    """Another way of asking queries without a correct response, before the rest of their cap is spent on the first."""

    after: Count
    """Tries without a correct response after which a query is asked in the other way."""
    n_trials: Count
    """Tries in the other way; those that remain until the cap are made in the first way again."""
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_new_tokens: Count | None = None
    template: str | None = None
    """Name of another prompt template."""
    engine: EngineConfig | None = None
    """Another teacher. It is open beside the recipe's own engine while it is used."""

    @model_validator(mode="after")
    def _differs(self) -> Self:
        ways = ("temperature", "top_p", "max_new_tokens", "template", "engine")
        if all(getattr(self, name) is None for name in ways):
            raise ValueError(f"expected another way of asking: one of {', '.join(ways)}")
        return self

    def params(self, usual: SamplingParams) -> SamplingParams:
        """How a second chance is drawn, where the recipe's sampling is `usual`."""
        changes = {name: getattr(self, name) for name in ("temperature", "top_p", "max_new_tokens")}
        return replace(usual, **{name: value for name, value in changes.items() if value is not None})


class BudgetConfig(Section):
    """What may be spent on sampling, all calls on one pool together: exactly one limit."""

    tokens: Annotated[float, Field(gt=0)] | None = None
    """Prompt and response tokens."""
    money: Annotated[float, Field(gt=0)] | None = None
    """By `engine.prices`."""
    gpu_hours: Annotated[float, Field(gt=0)] | None = None
    """Hours of sampling times `n_gpus`."""
    n_gpus: Count = 1

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        given = [name for name in ("tokens", "money", "gpu_hours") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected exactly one of tokens, money and gpu_hours, got {' and '.join(given) or 'none'}"
            )
        return self
