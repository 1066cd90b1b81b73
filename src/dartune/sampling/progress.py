"""What a running sampler tells whoever watches."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dartune.config import Prices
from dartune.pool import Tries
from dartune.sampling.budget import BudgetLeft
from dartune.types import Query, Sample, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How much of what was asked for is there, for the queries of one level."""

    n_wanted: int
    """Correct responses wanted, or tries where the policy asks for tries."""
    n_got: int

    @property
    def ratio(self) -> float:
        """Got over wanted, in [0, 1]."""
        return self.n_got / self.n_wanted if self.n_wanted else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of a run at one moment."""

    elapsed_s: float
    n_samples: int
    """Samples that this process has graded."""
    n_correct: int
    n_failures: int
    n_tokens: int
    cost: float
    """Money spent by this process, by the engine's prices."""
    n_durable: int
    """Samples that this process has put safely on the disk."""
    n_in_flight: int
    expected_tries: float
    """Tries expected still to be made."""
    fill: Mapping[int | None, Fill]
    """By level."""
    budget_left: BudgetLeft | None = None
    """None where there is no budget."""

    @property
    def time_left_s(self) -> float | None:
        """Seconds left at the rate so far, until the targets are met or the budget is spent; None before any rate."""
        if not self.n_samples or not self.elapsed_s:
            return None
        left_s = (self.expected_tries + self.n_in_flight) * self.elapsed_s / self.n_samples
        if self.budget_left is None or self.budget_left.times_spent is None:
            return left_s
        return min(left_s, self.budget_left.times_spent * self.elapsed_s)


class _Goal(NamedTuple):
    """What progress on one query is measured against."""

    n: int
    is_tries: bool
    """Whether n counts tries; correct responses otherwise."""


@dataclass(slots=True)
class Meter:
    """Running counts behind `Progress`, updated once a sample."""

    queries: Mapping[str, Query]
    prices: Prices
    n_samples: int = 0
    n_correct: int = 0
    n_failures: int = 0
    n_prompt_tokens: int = 0
    n_tokens: int = 0
    _goals: dict[str, _Goal] = field(default_factory=dict)
    _got: dict[str, int] = field(default_factory=dict)
    """Query id -> what counts towards its goal, so far and no further than the goal."""
    _wanted: Counter[int | None] = field(default_factory=Counter)
    """Sums of the goals by level; the sums of `_got` are in `_filled`."""
    _filled: Counter[int | None] = field(default_factory=Counter)

    def enter_phase(self, targets: Mapping[str, Sequence[Target]], recorded: Mapping[str, Tries]) -> None:
        """Measure against `targets` from now on; a pool holds the `recorded` tries."""
        self._goals = {query_id: _goal(wanted) for query_id, wanted in targets.items()}
        self._got, self._wanted, self._filled = {}, Counter(), Counter()
        for query_id, goal in self._goals.items():
            tries = recorded.get(query_id)
            n_got = 0 if tries is None else len(tries) if goal.is_tries else tries.n_correct
            self._got[query_id] = min(goal.n, n_got)
            level = self.queries[query_id].level
            self._wanted[level] += goal.n
            self._filled[level] += self._got[query_id]

    def count(self, sample: Sample) -> None:
        """Take one more sample into account."""
        self.n_samples += 1
        self.n_failures += sample.failure is not None
        self.n_correct += sample.is_correct
        if sample.response is not None:
            self.n_prompt_tokens += sample.response.n_prompt_tokens
            self.n_tokens += sample.response.n_tokens
        query_id = sample.key.query_id
        goal = self._goals[query_id]
        if (sample.is_correct or goal.is_tries) and self._got[query_id] < goal.n:
            self._got[query_id] += 1
            self._filled[self.queries[query_id].level] += 1

    @property
    def cost(self) -> float:
        """What the tokens so far cost."""
        return (self.n_prompt_tokens * self.prices.prompt + self.n_tokens * self.prices.completion) / 1e6

    def fill(self) -> dict[int | None, Fill]:
        """Fill by level, levels in order."""
        return {
            level: Fill(n_wanted=self._wanted[level], n_got=self._filled[level])
            for level in sorted(self._wanted, key=lambda x: (x is None, x))
        }


def _goal(targets: Sequence[Target]) -> _Goal:
    """The most correct responses that any target wants, or the most tries where none wants correct ones."""
    n_correct = max(target.n_correct for target in targets)
    return _Goal(n_correct, False) if n_correct else _Goal(max(target.min_trials for target in targets), True)
