"""Whether two models differ on the same queries: tests and intervals paired by query. Pure.

One try of every query is compared by McNemar's exact test, several by a permutation test over queries: were both models
the same, the names of the two could be exchanged query by query. All p values are two-sided; `holm` adjusts them for
their number.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dartune.evaluation.metrics import Estimate, Scored, wilson_interval
from dartune.evaluation.significance import bootstrap_difference, totals_by_query

N_PERMUTATIONS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """One model against another on the same queries."""

    n: int
    """Queries."""
    n_better: int
    """Queries on which the second is right more often."""
    n_worse: int
    difference: Estimate
    """Accuracy of the second minus that of the first, with its 95 % interval."""
    p: float
    """Two-sided, for this comparison alone."""
    test: Literal["McNemar, exact", "permutation of queries"]


def compare_rows(first: Iterable[Scored], second: Iterable[Scored]) -> PairedDifference:
    """Compare two models on the same queries; each may have several rows for a query, the same number for both.

    A query that stands in its benchmark twice is one pair. Raises ValueError if one side lacks a query of the other, or
    if both are empty.
    """
    first, second = tuple(first), tuple(second)
    totals = totals_by_query(first, second)
    shares, gains = totals[:, ::2] / totals[:, 1::2], _gains(totals)
    n_better, n_worse = int((gains > 0).sum()), int((gains < 0).sum())
    shared = {"n": len(gains), "n_better": n_better, "n_worse": n_worse}
    if np.isin(shares, (0.0, 1.0)).all():
        n_both = int(shares.all(axis=1).sum())
        return PairedDifference(
            **shared,
            difference=difference_of_proportions(n_both, n_better, n_worse, len(gains) - n_both - n_better - n_worse),
            p=mcnemar_p(n_better, n_worse),
            test="McNemar, exact",
        )
    return PairedDifference(
        **shared,
        difference=bootstrap_difference(second, first),
        p=permutation_p(gains),
        test="permutation of queries",
    )


def compare_averages(pairs: Sequence[tuple[Sequence[Scored], Sequence[Scored]]]) -> PairedDifference:
    """Compare two models by the plain mean of their accuracies on several benchmarks, each with the same weight.

    `pairs` are the rows of the first and of the second on each. The permutation test exchanges the two query by query,
    within every benchmark; the interval joins those of the benchmarks (Zou, Huang and Zhang 2009). Raises ValueError as
    `compare_rows`, or for no benchmarks.
    """
    if not pairs:
        raise ValueError("expected at least one benchmark to compare, got none")
    parts = [compare_rows(first, second) for first, second in pairs]
    gains = [_gains(totals_by_query(first, second)) for first, second in pairs]
    mean = sum(part.difference.value for part in parts) / len(parts)
    below = math.hypot(*(part.difference.value - part.difference.low for part in parts)) / len(parts)
    above = math.hypot(*(part.difference.high - part.difference.value for part in parts)) / len(parts)
    return PairedDifference(
        n=sum(part.n for part in parts),
        n_better=sum(part.n_better for part in parts),
        n_worse=sum(part.n_worse for part in parts),
        difference=Estimate(value=mean, low=mean - below, high=mean + above),
        p=permutation_p(np.concatenate([gain / len(gain) for gain in gains])),
        test="permutation of queries",
    )


def _gains(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of right answers of the second minus that of the first, query by query."""
    gains: NDArray[np.float64] = totals[:, 2] / totals[:, 3] - totals[:, 0] / totals[:, 1]
    return gains


def mcnemar_p(n_better: int, n_worse: int) -> float:
    """Two-sided exact p of McNemar's test: a binomial test of the pairs that differ against one half (McNemar 1947).

    1.0 where no pair differs.
    """
    n, fewer = n_better + n_worse, min(n_better, n_worse)
    tail = sum(math.comb(n, i) for i in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << n))


def difference_of_proportions(n_both: int, n_second: int, n_first: int, n_neither: int) -> Estimate:
    """Second minus first share of right answers to the same queries, with Newcombe's 95 % interval.

    Arguments count the queries that both, only the second, only the first, or neither answered rightly. Source:
    Newcombe 1998, Statistics in Medicine 17, 2635, method 10: Wilson's intervals of both shares, joined with the
    correlation between them (continuity corrected). It keeps its meaning where no pair differs. Raises ValueError for
    no queries.
    """
    n = n_both + n_second + n_first + n_neither
    if not n:
        raise ValueError("expected at least one query to compare, got none")
    share_1, share_2 = (n_both + n_first) / n, (n_both + n_second) / n
    low_1, high_1 = wilson_interval(n_both + n_first, n)
    low_2, high_2 = wilson_interval(n_both + n_second, n)
    correlation = _correlation(n_both, n_second, n_first, n_neither)
    below = _joined(share_2 - low_2, high_1 - share_1, correlation)
    above = _joined(high_2 - share_2, share_1 - low_1, correlation)
    difference = (n_second - n_first) / n
    return Estimate(value=difference, low=max(-1.0, difference - below), high=min(1.0, difference + above))


def _correlation(n_both: int, n_second: int, n_first: int, n_neither: int) -> float:
    margins = (n_both + n_second) * (n_first + n_neither) * (n_both + n_first) * (n_second + n_neither)
    if not margins:
        return 0.0
    excess = float(n_both * n_neither - n_second * n_first)
    if excess > 0:
        excess = max(excess - (n_both + n_second + n_first + n_neither) / 2, 0.0)
    return excess / math.sqrt(margins)


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def permutation_p(differences: Sequence[float] | NDArray[np.float64], *, seed: int = 0) -> float:
    """Two-sided p of "no difference" from sign flips of each query's difference.

    Of `N_PERMUTATIONS` flips and the one that was observed, the share whose sum is at least as far from zero (Phipson
    and Smyth 2010): never 0. It depends on the differences alone, not on their order.
    """
    values, sizes = np.unique(np.abs(np.asarray(differences, np.float64)), return_counts=True)
    rng = np.random.default_rng(seed)
    sums = np.zeros(N_PERMUTATIONS)
    for value, size in zip(values, sizes, strict=True):  # of equal differences only the number of flips matters
        sums += value * (2.0 * rng.binomial(size, 0.5, N_PERMUTATIONS) - size)
    tolerance = 1e-9 * float((values * sizes).sum())
    observed = abs(float(np.sum(differences))) - tolerance
    return float((1 + np.count_nonzero(np.abs(sums) >= observed)) / (1 + N_PERMUTATIONS))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values adjusted for their number, in their order (Holm 1979): what bounds the chance of any false claim."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted
