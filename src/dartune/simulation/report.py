"""What a simulated run cost and gave, counted by the rules of a real one (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dartune.allocation import n_trials_needed, vanilla
from dartune.simulation.scripted import ScriptedTries, Tries
from dartune.types import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelAccount:
    """The queries of one level under one method, at what the method alone would have cost."""

    level: int
    """0 for queries without one."""
    n_queries: int
    n_covered: int
    """Queries with at least one chosen response."""
    n_wanted: int
    """Correct responses wanted; 0 where the method wants tries."""
    n_kept: int
    """Correct responses chosen."""
    n_raw: int
    n_tokens: int

    @property
    def coverage(self) -> float:
        """Covered over all queries, in [0, 1]."""
        return self.n_covered / self.n_queries

    @property
    def fill(self) -> float:
        """Chosen over wanted; 1 where no number is wanted."""
        return self.n_kept / self.n_wanted if self.n_wanted else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """One simulated run."""

    n_queries: int
    n_places: int
    n_raw: int
    n_correct: int
    n_kept: int
    """Correct responses that some method chooses."""
    n_ahead: int
    """Tries that no method turned out to need: asked ahead, or to fill a batch."""
    n_tokens: int
    n_tokens_ahead: int
    makespan: int
    """In the time that one token takes."""
    surplus: float
    """Share of the correct responses that came from tries that no method needed."""
    occupancy: float
    """Tokens over what the places could have made until the end."""
    makespan_over_bound: float
    """Makespan over that of places that are always full and make no token that no method needs; 1 at best."""
    mean_tokens_chosen: float
    """Of the responses that some method chooses."""
    mean_tokens_correct: float
    """Of all correct responses; choosing without regard to length leaves the two equal but for chance."""
    methods: Mapping[str, tuple[LevelAccount, ...]]
    """Method -> its account for each level, in order."""


class _Share(NamedTuple):
    """What one query costs under one target, and gives."""

    n_raw: int
    n_tokens: int
    n_correct: int
    n_kept: int
    n_tokens_correct: int
    n_tokens_kept: int


def account(
    tries: ScriptedTries,
    n_made: Sequence[int],
    targets: Mapping[str, Sequence[Target]],
    *,
    n_places: int,
    makespan: int,
) -> SimulationReport:
    """The report of a run that made the first `n_made[i]` tries of each query i of `tries`.

    `targets` has those of every method, in the order of the queries.
    """
    levels = tries.rates.level.tolist()
    sums = {name: {level: np.zeros(6, np.int64) for level in sorted(set(levels))} for name in targets}
    asked, needed = np.zeros((2, len(_Share._fields)), np.int64)
    for row, (n, level) in enumerate(zip(n_made, levels, strict=True)):
        made = tries.first(row, n)
        outcomes = made.is_correct.tolist()
        widest = _share(made, outcomes, Target(max_trials=0))
        for name, by_query in targets.items():
            target = by_query[row]
            share = _share(made, outcomes, target)
            sums[name][level] += (1, share.n_kept > 0, target.n_correct, share.n_kept, share.n_raw, share.n_tokens)
            # All methods choose from the front, so the longest share holds the others.
            widest = _Share(*map(max, widest, share))
        asked += _share(made, outcomes, vanilla(n))
        needed += widest
    methods = {
        name: tuple(_level_account(level, sum_) for level, sum_ in by_level.items()) for name, by_level in sums.items()
    }
    return _report(_Share(*asked.tolist()), _Share(*needed.tolist()), methods, n_places, makespan)


def _share(made: Tries, outcomes: Sequence[bool], target: Target) -> _Share:
    n = n_trials_needed(outcomes, target)
    correct = made.n_tokens[:n][made.is_correct[:n]]
    kept = correct[: target.n_correct or None]
    return _Share(
        n_raw=n,
        n_tokens=int(made.n_tokens[:n].sum()),
        n_correct=len(correct),
        n_kept=len(kept),
        n_tokens_correct=int(correct.sum()),
        n_tokens_kept=int(kept.sum()),
    )


def _level_account(level: int, sums: NDArray[np.int64]) -> LevelAccount:
    n_queries, n_covered, n_wanted, n_kept, n_raw, n_tokens = sums.tolist()
    return LevelAccount(
        level=level,
        n_queries=n_queries,
        n_covered=n_covered,
        n_wanted=n_wanted,
        n_kept=n_kept,
        n_raw=n_raw,
        n_tokens=n_tokens,
    )


def _report(
    asked: _Share, needed: _Share, methods: Mapping[str, tuple[LevelAccount, ...]], n_places: int, makespan: int
) -> SimulationReport:
    return SimulationReport(
        n_queries=sum(level.n_queries for level in next(iter(methods.values()))),
        n_places=n_places,
        n_raw=asked.n_raw,
        n_correct=asked.n_correct,
        n_kept=needed.n_kept,
        n_ahead=asked.n_raw - needed.n_raw,
        n_tokens=asked.n_tokens,
        n_tokens_ahead=asked.n_tokens - needed.n_tokens,
        makespan=makespan,
        surplus=(asked.n_correct - needed.n_correct) / max(1, asked.n_correct),
        occupancy=asked.n_tokens / (n_places * makespan),
        makespan_over_bound=makespan * n_places / needed.n_tokens,
        mean_tokens_chosen=needed.n_tokens_kept / max(1, needed.n_kept),
        mean_tokens_correct=asked.n_tokens_correct / max(1, asked.n_correct),
        methods=methods,
    )
