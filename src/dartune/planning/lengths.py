"""How long responses are: each query's mean, shrunk towards that of its level (pure).

Model: the length of a response of query i has mean m_i and variance s2 around it; m_i has variance t2 over the queries
of a level, around a mean m that is a straight line in how often the query was solved. s2 and t2 are the moment
estimates of a one-way layout with unequal group sizes, the line is fitted by weighted least squares; m_i given n
responses of mean y is m + B (y - m), B = t2 / (t2 + s2 / n), with variance t2 (1 - B).
"""

from dataclasses import dataclass

import numpy as np

from dartune.planning.made import Ints
from dartune.planning.tries import Floats

_FEWEST = 10
"""Queries with responses that a level needs for lengths of its own."""
UNKNOWN_SPREAD = 0.5
"""Standard deviation of one length over its mean, where only means are known; it hardly counts among thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Tokens of the responses of one kind, right or wrong; arrays with an entry for each query."""

    mean: Floats
    mean_variance: Floats
    """Of the query's mean, given its level's."""
    spread2: Floats
    """Variance of one length around the query's mean."""
    shared: Floats
    """How much the query's mean follows its level's: 1 - B."""
    level_variance: Floats
    """Of the level's mean, which all its queries share."""


def known_lengths(means: Floats) -> Lengths:
    """Lengths whose means are given."""
    zero = np.zeros_like(means)
    return Lengths(
        mean=means, mean_variance=zero, spread2=(UNKNOWN_SPREAD * means) ** 2, shared=zero, level_variance=zero
    )


def fit_lengths(n: Ints, sums: Floats, ease: Floats, level: Ints) -> Lengths:
    """From n responses of each query with their sum and sum of squares; all queries together where a level has few.

    `ease` is a rough pass rate of each query: within a level the harder queries have the longer responses.
    """
    columns = [np.array(column) for column in _fit(n, sums, ease)]
    for value in np.unique(level):
        at = level == value
        if np.count_nonzero(n[at]) >= _FEWEST:
            for column, own in zip(columns, _fit(n[at], sums[at], ease[at]), strict=True):
                column[at] = own
    mean, mean_variance, spread2, shared, level_variance = columns
    return Lengths(
        mean=mean, mean_variance=mean_variance, spread2=spread2, shared=shared, level_variance=level_variance
    )


def _fit(n: Ints, sums: Floats, ease: Floats) -> tuple[Floats, ...]:
    """The five columns of `Lengths` for queries of one level."""
    seen = n > 0
    size, total, squares = n[seen].astype(float), sums[seen, 0], sums[seen, 1]
    if not len(size):
        return tuple(np.full(len(n), value) for value in (np.nan, 0.0, 0.0, 1.0, 0.0))
    own = total / size
    within = np.maximum(squares - size * own**2, 0.0).sum()
    s2 = within / max(1.0, (size - 1).sum()) if (size > 1).any() else float(own.var())
    grand = total.sum() / size.sum()
    effective = size.sum() - (size**2).sum() / size.sum()
    between = (size * (own - grand) ** 2).sum() - (len(size) - 1) * s2
    t2 = max(0.0, between / effective) if effective > 0 else 0.0
    precision = 1.0 / np.maximum(t2 + s2 / size, 1e-9)
    m, m_variance = float((precision * own).sum() / precision.sum()), float(1.0 / precision.sum())
    centred = ease - float((precision * ease[seen]).sum() / precision.sum())
    around = (precision * centred[seen] ** 2).sum()
    slope = float((precision * centred[seen] * own).sum() / around) if around > 1e-9 and len(own) >= _FEWEST else 0.0
    expected = np.clip(m + slope * centred, own.min(), own.max())
    share = np.where(seen, t2 / np.maximum(t2 + s2 / np.maximum(n, 1), 1e-9), 0.0)
    mean = expected + share * (sums[:, 0] / np.maximum(n, 1) - expected)
    ones = np.ones(len(n))
    return mean, t2 * (1.0 - share), s2 * ones, 1.0 - share, m_variance * ones
