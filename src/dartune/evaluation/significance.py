"""Whether one training set beats another: paired comparisons over seeds and over queries. Pure.

Seeds are the unit of `paired_test` and `seed_mean`: they carry the noise of sampling, choosing and training together.
`bootstrap_difference` compares two fixed models and resamples whole queries, because answers to the same query are not
independent. The p values are two-sided and not adjusted for the number of comparisons.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dartune.evaluation.metrics import Estimate, Scored

MAX_EXACT_PAIRS = 16
"""Sign-flip p values enumerate 2^n assignments up to this n."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedMean:
    """Mean over independent seeds with its 95 % Student t interval (None for a single seed)."""

    n: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Mean paired difference, first minus second, with its 95 % t interval and two tests of "no difference"."""

    n: int
    """Pairs, e.g. seeds."""
    difference: float
    low: float | None
    high: float | None
    p_t: float | None
    """Two-sided paired t test; None for one pair, or where all the differences are zero."""
    p_sign_flip: float | None
    """Two-sided exact permutation test by sign flips, never below 2 / 2^n; None above `MAX_EXACT_PAIRS` pairs."""


def seed_mean(values: Sequence[float]) -> SeedMean:
    """Mean of one value for each seed, with the t interval; ValueError for no values."""
    if not values:
        raise ValueError("expected at least one value to take the mean of, got none")
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return SeedMean(n=1, mean=mean, low=None, high=None)
    half = student_t_quantile(0.95, len(values) - 1) * _standard_error(values, mean)
    return SeedMean(n=len(values), mean=mean, low=mean - half, high=mean + half)


def paired_test(first: Sequence[float], second: Sequence[float]) -> PairedTest:
    """Compare two methods seed by seed: `first[i]` and `second[i]` share everything but the method.

    Raises ValueError for sequences that are empty or of different length.
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    over_seeds = seed_mean(differences)
    return PairedTest(
        n=over_seeds.n,
        difference=over_seeds.mean,
        low=over_seeds.low,
        high=over_seeds.high,
        p_t=_t_test(differences, over_seeds.mean),
        p_sign_flip=_sign_flip_test(differences),
    )


def bootstrap_difference(
    first: Iterable[Scored], second: Iterable[Scored], *, n_resamples: int = 10_000, seed: int = 0
) -> Estimate:
    """Accuracy of `first` minus that of `second` on the same queries, with a 95 % percentile bootstrap interval.

    Each side may hold several rows for a query (seeds, tries); a query is drawn with all its rows or not at all.
    Raises ValueError if either side lacks a query that the other has, or if both are empty.
    """
    totals = totals_by_query(first, second)
    # Queries with the same totals are the same draw: there are a handful of kinds where there are thousands of queries.
    kinds, sizes = np.unique(totals, axis=0, return_counts=True)
    weights = np.random.default_rng(seed).multinomial(len(totals), sizes / len(totals), size=n_resamples)
    right_1, n_1, right_2, n_2 = (weights @ kinds).T
    draws = right_1 / n_1 - right_2 / n_2
    right_1, n_1, right_2, n_2 = totals.sum(axis=0)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Estimate(value=float(right_1 / n_1 - right_2 / n_2), low=float(low), high=float(high))


def student_t_p(t: float, n_freedom: int) -> float:
    """Probability that |T| >= |t| for Student's T with `n_freedom` degrees of freedom; ValueError below 1."""
    if n_freedom < 1:
        raise ValueError(f"expected at least 1 degree of freedom, got {n_freedom}")
    return _incomplete_beta(n_freedom / 2, 0.5, n_freedom / (n_freedom + t * t))


def student_t_quantile(confidence: float, n_freedom: int) -> float:
    """The t for which |T| < t has probability `confidence`, to 12 digits; ValueError outside (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"expected a confidence between 0 and 1, got {confidence}")
    low, high = 0.0, 1.0
    while student_t_p(high, n_freedom) > 1 - confidence:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if student_t_p(middle, n_freedom) > 1 - confidence else (low, middle)
    return (low + high) / 2


def _standard_error(values: Sequence[float], mean: float) -> float:
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))


def _t_test(differences: Sequence[float], mean: float) -> float | None:
    if len(differences) < 2 or not any(differences):
        return None
    error = _standard_error(differences, mean)
    return 0.0 if error == 0 else student_t_p(mean / error, len(differences) - 1)


def _sign_flip_test(differences: Sequence[float]) -> float | None:
    n = len(differences)
    if n > MAX_EXACT_PAIRS:
        return None
    values = np.asarray(differences)
    signs = 1 - 2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
    # Sums that are equal on paper may differ by rounding; they must count as ties.
    tolerance = 1e-12 * float(np.abs(values).sum())
    return float(np.mean(np.abs(signs @ values) >= abs(float(values.sum())) - tolerance))


def totals_by_query(first: Iterable[Scored], second: Iterable[Scored]) -> NDArray[np.float64]:
    """One row for each query: correct and all answers of the first side, then of the second.

    Raises ValueError if either side lacks a query that the other has, or if both are empty.
    """
    totals: dict[str, list[int]] = {}
    for column, rows in ((0, first), (2, second)):
        for row in rows:
            counts = totals.setdefault(row.query_id, [0, 0, 0, 0])
            counts[column] += row.is_correct
            counts[column + 1] += 1
    for name, counts in totals.items():
        if not counts[1] or not counts[3]:
            raise ValueError(f"expected both sides to answer the same queries, but only one answers {name}")
    if not totals:
        raise ValueError("expected answers to compare, got none")
    return np.array([totals[name] for name in sorted(totals)], dtype=np.float64)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22), modified Lentz."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on one side only
        return 1 - _incomplete_beta(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for i in range(1000):
        m = i // 2
        if i == 0:
            term = 1.0
        elif i % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + term * d or tiny)
        c = 1 + term / c or tiny
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return math.exp(log_front) * (value - 1) / a
