"""The policies of a recipe: how its tries are allocated to queries."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dartune.config.sections import Count, Section


class Method(Section):
    """What every policy shares."""

    equal_tokens_with: str | None = None
    """Name of another method: this set is cut to that set's response tokens instead of to `n_examples`."""


class GiveUpConfig(Section):
    """When a query is given up before its cap; `dartune.stopping` has the rule.

    A query that has a correct response is given up when it is not expected to reach its target, and further tries are
    not expected to be worth their cost: both.
    """

    below: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Probability of reaching the target within the cap under which it is not expected."""
    min_yield: Annotated[float, Field(gt=0, le=1)] = 0.007
    """Correct responses for each further try under which tries are not worth their cost; 1: they never are."""
    unsolved: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability of any correct response within the cap under which a query without one is given up; None: it keeps
    its cap, and may still be covered."""


class VanillaMethod(Method):
    """VRT, the baseline: `n_trials` tries for every query, all that is correct kept."""

    policy: Literal["vanilla"]
    n_trials: Count

    @property
    def n_fixed(self) -> int:
        """Tries that it makes for every query before it looks at any."""
        return self.n_trials


class UniformMethod(Method):
    """DARS-Uniform: sample each query until it has `k` correct responses."""

    policy: Literal["uniform"]
    k: Count = 40
    max_trials: Count = 2048
    give_up: GiveUpConfig | None = None
    n_pilot: Count = 16
    """First tries of every query from which the prior for giving up is fitted; unused without `give_up`."""

    @property
    def n_fixed(self) -> int:
        """Tries that it makes for every query before it looks at any."""
        return self.n_pilot if self.give_up else 0

    @model_validator(mode="after")
    def _target_fits_cap(self) -> Self:
        if self.k > self.max_trials:
            raise ValueError(f"k ({self.k}) must not exceed max_trials ({self.max_trials})")
        if self.give_up and self.n_pilot > self.max_trials:
            raise ValueError(f"n_pilot ({self.n_pilot}) must not exceed max_trials ({self.max_trials})")
        return self


class Prop2DiffMethod(Method):
    """DARS-Prop2Diff: correct responses in proportion to the fail rate, `k` for the hardest query."""

    policy: Literal["prop2diff"]
    k: Annotated[float, Field(gt=0)] = 192
    alpha: Annotated[float, Field(ge=0)] = 1.0
    """Exponent on the relative fail rate; 1 is the paper's, 0 is uniform."""
    cover: Count = 1
    """At least this many for every query (the paper's cover rule)."""
    n_pilot: Count = 52
    """First tries of every query from which its fail rate is taken; they count as samples too."""
    max_trials: Count = 2048
    give_up: GiveUpConfig | None = None

    @property
    def n_fixed(self) -> int:
        """Tries that it makes for every query before it looks at any."""
        return self.n_pilot

    @model_validator(mode="after")
    def _target_fits_cap(self) -> Self:
        for name in ("n_pilot", "k", "cover"):
            if getattr(self, name) > self.max_trials:
                raise ValueError(f"{name} ({getattr(self, name)}) must not exceed max_trials ({self.max_trials})")
        return self


MethodConfig = Annotated[VanillaMethod | UniformMethod | Prop2DiffMethod, Field(discriminator="policy")]
"""Any policy."""
