"""Do two measures put queries in the same order? Rank correlations with intervals, ties and all (pure).

Spearman's rho is the correlation of mean ranks, Kendall's tau-b the excess of concordant over discordant pairs, with
pairs tied in either measure left out of its scale. A measure that takes few values (levels) can reach 1 in neither
unless the other takes as few.

Intervals are 95 %, and over the draw of queries: both coefficients are smooth functions of U-statistics, so the mean
square of each query's influence gives the standard error (the infinitesimal jackknife; Jaeckel 1972, Efron 1982), and
Fisher's transform keeps the interval inside [-1, 1]. Unlike Fisher's own standard error this supposes neither normal
values nor that there are no ties. It does not hold the noise of a measure that rests on few tries, which draws the
coefficients towards 0.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata, spearmanr
from scipy.stats import t as student_t

from dartune.difficulty.measures import Values

MIN_FOR_INTERVAL = 20
"""Fewer queries than this get a coefficient without an interval: where it is near 1 the interval would be too short."""


class Coefficient(NamedTuple):
    """A rank correlation in [-1, 1] and the ends of its 95 % interval."""

    value: float
    low: float | None
    high: float | None
    """None where there are too few queries to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCorrelation:
    """How far two measures agree on the order of queries."""

    first: str
    second: str
    n_queries: int
    """Queries that both measures say something about; no other counts."""
    spearman: Coefficient | None
    """None where fewer than three queries count, or one measure is the same for all of them."""
    kendall: Coefficient | None
    """Kendall's tau-b; None as above."""


def rank_correlations(values: Mapping[str, Values]) -> tuple[RankCorrelation, ...]:
    """The rank correlation of every pair of measures, in the order of `values`."""
    return tuple(correlate(first, second, values[first], values[second]) for first, second in combinations(values, 2))


def correlate(first: str, second: str, x: Values, y: Values) -> RankCorrelation:
    """The rank correlation of two measures, named `first` and `second`, over the queries that have both."""
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    n = len(x)
    if n < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return RankCorrelation(first=first, second=second, n_queries=n, spearman=None, kendall=None)
    return RankCorrelation(
        first=first,
        second=second,
        n_queries=n,
        spearman=_coefficient(float(spearmanr(x, y).statistic), spearman_influence(x, y)),
        kendall=_coefficient(float(kendalltau(x, y).statistic), kendall_influence(x, y)),
    )


def spearman_influence(x: Values, y: Values) -> Values:
    """What each query adds to Spearman's rho, times n: the empirical influence function, of mean 0."""
    n = len(x)
    r, s = rankdata(x) / n, rankdata(y) / n
    r, s = r - r.mean(), s - s.mean()
    cov, var_r, var_s = np.mean(r * s), np.mean(r * r), np.mean(s * s)
    # A query counts through its own ranks, and through the ranks of all queries above it, which it lifts.
    of_cov = r * s - cov + (_mean_above(x, s) - cov) + (_mean_above(y, r) - cov)
    of_var_r = r * r - var_r + 2 * (_mean_above(x, r) - var_r)
    of_var_s = s * s - var_s + 2 * (_mean_above(y, s) - var_s)
    scale = math.sqrt(var_r * var_s)
    return np.asarray(of_cov / scale - cov / scale / 2 * (of_var_r / var_r + of_var_s / var_s))


def kendall_influence(x: Values, y: Values) -> Values:
    """What each query adds to Kendall's tau-b, times n: the empirical influence function, of mean 0."""
    n = len(x)
    concordance = np.sum([sign * _count_below(i * x, j * y) for i, j, sign in _QUADRANTS], axis=0) / n
    untied_x, untied_y = 1 - _ties(x) / n, 1 - _ties(y) / n
    scale = math.sqrt(untied_x.mean() * untied_y.mean())
    tau = concordance.mean() / scale
    of_ties = untied_x / untied_x.mean() + untied_y / untied_y.mean() - 2
    return np.asarray(2 * ((concordance - concordance.mean()) / scale - tau / 2 * of_ties))


_QUADRANTS = ((1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1))
"""Signs of x and y that turn each quadrant around a query into the lower left one, and what a pair in it counts."""


def _coefficient(value: float, influence: Values) -> Coefficient:
    n = len(influence)
    if n < MIN_FOR_INTERVAL:
        return Coefficient(value, None, None)
    error = math.sqrt(float(np.sum(influence**2)) / (n - 1) / n)
    slack = 1 - value * value
    if slack < 1e-12:
        return Coefficient(value, value, value)
    half = float(student_t.ppf(0.975, n - 1)) * error / slack
    return Coefficient(value, math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half))


def _mean_above(x: Values, weights: Values) -> Values:
    """For each query, the sum of `weights` of queries with larger `x`, and of half of those with the same, over n."""
    _, group = np.unique(x, return_inverse=True)
    of_group = np.bincount(group, weights)
    above = of_group[::-1].cumsum()[::-1] - of_group / 2
    return np.asarray(above[group] / len(x))


def _ties(x: Values) -> NDArray[np.int64]:
    """How many queries have the `x` of each query, itself included."""
    _, group, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray(counts[group], dtype=np.int64)


def _count_below(x: Values, y: Values) -> NDArray[np.int64]:
    """For each query, how many are smaller in both `x` and `y`, in n log^2 n steps.

    Where queries stand in the order of x, and of falling y where x is the same, these are the earlier ones with smaller
    y. They are counted as a merge sort would: at every width, each right half looks into the left half beside it.
    """
    n = len(x)
    order = np.lexsort((-y, x))
    _, rank = np.unique(y[order], return_inverse=True)
    place = np.arange(n)
    below = np.zeros(n, dtype=np.int64)
    width = 1
    while width < n:
        block, is_right = place // (2 * width), place // width % 2 == 1
        key = block * n + rank
        found = np.searchsorted(np.sort(key[~is_right]), key[is_right])
        below[is_right] += found - block[is_right] * width
        width *= 2
    counts = np.empty(n, dtype=np.int64)
    counts[order] = below
    return counts
