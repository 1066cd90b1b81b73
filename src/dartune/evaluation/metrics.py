"""Accuracy with its uncertainty: graded rows to proportions and intervals. Pure.

Every interval treats the queries as independent draws from their benchmark and says nothing of the spread between
training seeds, which `dartune.evaluation.significance` measures.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import NamedTuple, Self, TypeVar

from dartune.types import Verdict

KeyT = TypeVar("KeyT", int, str)


class Interval(NamedTuple):
    """Both ends of a confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number and its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One graded answer to one benchmark query."""

    query_id: str
    level: int | None
    domain: str | None
    is_correct: bool
    n_tokens: int
    """Completion tokens of the answer."""
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Share of correct answers with its 95 % Wilson interval; all three as fractions in [0, 1]."""

    n: int
    n_correct: int
    accuracy: float
    low: float
    high: float

    @classmethod
    def of(cls, n_correct: int, n: int) -> Self:
        """Score of `n_correct` right answers among `n`; ValueError unless 0 <= n_correct <= n and n >= 1."""
        low, high = wilson_interval(n_correct, n)
        return cls(n=n, n_correct=n_correct, accuracy=n_correct / n, low=low, high=high)


def wilson_interval(n_correct: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, without continuity correction (Wilson 1927).

    Unlike the interval of the textbook it keeps its meaning at 0 and n correct. Raises ValueError unless
    0 <= n_correct <= n, n >= 1 and 0 < confidence < 1.
    """
    if not 0 <= n_correct <= n or n < 1:
        raise ValueError(f"expected 0 <= n_correct <= n and n >= 1, got n_correct={n_correct}, n={n}")
    if not 0 < confidence < 1:
        raise ValueError(f"expected a confidence between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = n_correct / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the closed form is exactly 0 or 1; rounding must not push it beyond.
    low = 0.0 if n_correct == 0 else (centre - half) / scale
    high = 1.0 if n_correct == n else (centre + half) / scale
    return Interval(low, high)


def macro_accuracy(scores: Iterable[Score]) -> Estimate:
    """Plain mean of several accuracies (of levels, say), each with the same weight, and its 95 % interval.

    The interval combines the scores' own (Zou, Huang and Zhang 2009, "A note on confidence interval estimation for a
    linear function of binomial proportions"), so that it equals Wilson's for one score and never leaves [0, 1].
    Raises ValueError for no scores.
    """
    parts = tuple(scores)
    if not parts:
        raise ValueError("expected at least one score to take the mean of, got none")
    mean = fmean(part.accuracy for part in parts)
    below = math.hypot(*(part.accuracy - part.low for part in parts)) / len(parts)
    above = math.hypot(*(part.high - part.accuracy for part in parts)) / len(parts)
    return Estimate(value=mean, low=max(0.0, mean - below), high=min(1.0, mean + above))


def accuracy_by(rows: Iterable[Scored], key: Callable[[Scored], KeyT | None]) -> dict[KeyT | None, Score]:
    """Score of each group of `rows` that share `key(row)`: sorted by key, the group without one (None) last."""
    groups: defaultdict[KeyT | None, list[bool]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row.is_correct)
    scores = {name: Score.of(sum(hits), len(hits)) for name, hits in groups.items()}
    named: list[KeyT] = sorted(name for name in scores if name is not None)
    ordered: dict[KeyT | None, Score] = {}
    for name in named:
        ordered[name] = scores[name]
    if None in scores:
        ordered[None] = scores[None]
    return ordered
