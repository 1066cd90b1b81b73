"""Accuracy with its uncertainty: graded rows to proportions and intervals. Pure.

Every interval treats the queries as independent draws from their benchmark, and the tries of one query as a cluster of
answers that may be alike. It says nothing of the spread between training seeds, which
`dartune.evaluation.significance` measures.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import NamedTuple, Self, TypeVar

from dartune.types import FinishReason, Verdict

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
    answer: str | None = None
    """The final answer as extracted; None where there is none."""
    finish_reason: FinishReason | None = None
    """None where the engine gave no response."""
    sum_logprob: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Share of correct answers with its 95 % interval; all three as fractions in [0, 1]."""

    n: int
    n_correct: int
    accuracy: float
    low: float
    high: float

    @classmethod
    def of(cls, n_correct: int, n: int) -> Self:
        """Score of `n_correct` right answers to `n` queries; ValueError unless 0 <= n_correct <= n and n >= 1."""
        low, high = wilson_interval(n_correct, n)
        return cls(n=n, n_correct=n_correct, accuracy=n_correct / n, low=low, high=high)

    @classmethod
    def of_rows(cls, rows: Iterable[Scored]) -> Self:
        """Score of graded rows, the rows of one query taken together; ValueError for none."""
        parts = tuple(rows)
        stakes = Counter(row.query_id for row in parts)
        won = Counter(row.query_id for row in parts if row.is_correct)
        low, high = clustered_interval((won[query_id], stake) for query_id, stake in stakes.items())
        n_correct, n = won.total(), len(parts)
        return cls(n=n, n_correct=n_correct, accuracy=n_correct / n, low=low, high=high)


def clustered_interval(clusters: Iterable[tuple[float, float]]) -> Interval:
    """95 % interval of a share of points that come in clusters, each given as (points won, points at stake).

    Wilson's interval with the effective number of independent points: the number at which a binomial share would vary
    as the ratio estimator does, whose variance is sum((won_i - p * stake_i)^2) / stake^2 (Kish 1965; Korn and Graubard
    1998). For clusters of one point it is Wilson's own; where all is won or lost a cluster counts as one point. Raises
    ValueError for no clusters.
    """
    # There are few kinds of clusters where there are many clusters.
    kinds = Counter(clusters)
    total = math.fsum(n * stake for (_, stake), n in kinds.items())
    if not total:
        raise ValueError("expected at least one graded answer, got none")
    share = math.fsum(n * won for (won, _), n in kinds.items()) / total
    variance = math.fsum(n * (won - share * stake) ** 2 for (won, stake), n in kinds.items()) / total**2
    if not 0 < share < 1:
        return wilson_interval(share * kinds.total(), kinds.total())
    n = min(total, share * (1 - share) / variance) if variance else total
    return wilson_interval(share * n, n)


def wilson_interval(n_correct: float, n: float, confidence: float = 0.95) -> Interval:
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
    low = 0.0 if n_correct == 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if n_correct == n else min(1.0, (centre + half) / scale)
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
    groups: defaultdict[KeyT | None, list[Scored]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    scores = {name: Score.of_rows(group) for name, group in groups.items()}
    named: list[KeyT] = sorted(name for name in scores if name is not None)
    ordered: dict[KeyT | None, Score] = {}
    for name in named:
        ordered[name] = scores[name]
    if None in scores:
        ordered[None] = scores[None]
    return ordered
