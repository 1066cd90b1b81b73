"""A weighted combination of measures, such as `0.7*fail_rate + 0.3*answer_entropy` (pure).

Measures have different units, so their ranks are combined, not their values:

    d_i = sum_m w_m r_mi / sum_m |w_m|,    r_mi = (rank of query i by measure m - 1/2) / n

with mean ranks for ties. It is a weighted Borda count. A query that one of the measures says nothing about gets
nothing, and takes no part in the ranking. A negative weight is for what is larger for easier queries.
"""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from dartune.difficulty.measures import MEASURES, Values
from dartune.errors import ConfigError

_TERM = re.compile(r"\s*([+-]?)\s*(?:([0-9]+\.?[0-9]*|\.[0-9]+)\s*\*\s*)?([A-Za-z_]+)\s*")


class Term(NamedTuple):
    """One measure and its weight."""

    weight: float
    measure: str


def parse_combination(spec: str) -> tuple[Term, ...]:
    """The terms of a combination; a measure without a weight has weight 1.

    Raises:
        ConfigError: not a sum of weighted measures, an unknown measure, one named twice, or a weight of 0.
    """
    terms: list[Term] = []
    place = 0
    while place < len(spec) or not terms:
        match = _TERM.match(spec, place)
        if match is None or (terms and not match[1]):
            raise ConfigError(
                f"combination: expected WEIGHT*MEASURE terms joined by + or -, such as "
                f'"0.7*fail_rate + 0.3*answer_entropy", got {spec[place : place + 40]!r} at character {place + 1}'
            )
        sign, weight, name = match.groups()
        terms.append(Term((-1 if sign == "-" else 1) * float(weight or 1), name))
        place = match.end()
    for index, term in enumerate(terms):
        if term.measure not in MEASURES:
            raise ConfigError(f"combination: expected measures among {', '.join(MEASURES)}, got {term.measure}")
        if term.measure in [earlier.measure for earlier in terms[:index]]:
            raise ConfigError(f"combination: expected each measure once, got {term.measure} twice; add their weights")
        if term.weight == 0:
            raise ConfigError(f"combination: expected a weight other than 0, got 0 for {term.measure}; leave it out")
    return tuple(terms)


def combine(terms: tuple[Term, ...], values: Mapping[str, Values]) -> Values:
    """The combination for each query, in [-1, 1]; NaN where one of its measures cannot say."""
    parts = np.stack([values[term.measure] for term in terms])
    known = ~np.isnan(parts).any(axis=0)
    combined = np.full(parts.shape[1], math.nan)
    if known.any():
        ranks = (rankdata(parts[:, known], axis=1) - 0.5) / known.sum()
        weights = np.array([term.weight for term in terms])
        combined[known] = weights @ ranks / np.abs(weights).sum()
    return combined
