"""How much of a budget is left, and whether one more request fits (pure)."""

from dataclasses import dataclass

from dartune.config import BudgetConfig, Prices
from dartune.types import Spending

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLeft:
    """The rest of a budget."""

    share: float
    """Of the limit, in [0, 1]."""
    times_spent: float | None
    """In multiples of what this call has spent; None before it has spent anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit on what all calls on one pool spend together.

    A request that is in flight counts as one of average cost, so that a run ends at its limit and not a wave of
    requests beyond it.
    """

    config: BudgetConfig
    prices: Prices
    before: Spending
    """What earlier calls spent."""
    max_new_tokens: int
    """What a response may cost at most: assumed of each until the first has come."""

    def allows(self, spent: Spending, *, n_samples: int, n_in_flight: int) -> bool:
        """Whether one more request may be asked when this call has `spent` so much on `n_samples`."""
        if self.config.gpu_hours is not None:
            return self.used(spent) < self.config.gpu_hours
        a_sample = self._cost(spent) / n_samples if n_samples else self._cost(Spending(n_tokens=self.max_new_tokens))
        return self.used(spent) + (n_in_flight + 1) * a_sample <= self.limit

    @property
    def limit(self) -> float:
        """In the budget's own unit: tokens, money, or GPU-hours."""
        return self.config.tokens or self.config.money or self.config.gpu_hours or 0.0

    def used(self, spent: Spending) -> float:
        """What has been used in all, in the same unit."""
        return self._cost(self.before) + self._cost(spent)

    def left(self, spent: Spending) -> BudgetLeft:
        """What is left, as a share of the limit and as a multiple of what this call has used."""
        used, here = self.used(spent), self._cost(spent)
        return BudgetLeft(
            share=max(0.0, 1.0 - used / self.limit), times_spent=max(0.0, self.limit - used) / here if here else None
        )

    def _cost(self, spending: Spending) -> float:
        if self.config.tokens is not None:
            return spending.n_prompt_tokens + spending.n_tokens
        if self.config.money is not None:
            return (spending.n_prompt_tokens * self.prices.prompt + spending.n_tokens * self.prices.completion) / 1e6
        return spending.seconds / _HOUR_S * self.config.n_gpus
