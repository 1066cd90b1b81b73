"""What several tries of a query are worth: pass@k, maj@k and best-of-k as exact expectations over the tries. Pure.

With n tries of a query there are C(n, k) ways to have made k of them; each metric is the mean over all of these, not
over one that was drawn. So it is unbiased for every k from 1 to n, and uses every try.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from dartune.evaluation.metrics import Estimate, Scored, clustered_interval
from dartune.types import Verdict

UNDECIDED: frozenset[Verdict] = frozenset({"ungradable", "timeout"})
"""Verdicts of a grader that could not tell."""

Same = Callable[[str, str], bool]
"""Whether two final answers are certainly the same."""


class Votes(NamedTuple):
    """The tries of one query as votes for answers."""

    n_correct: int
    """For the reference."""
    others: tuple[int, ...]
    """For each other answer, most first."""
    n_silent: int
    """Tries without an answer: they are tries, but vote for nothing."""


def pass_at(n: int, n_correct: int, k: int) -> float:
    """Probability that k of n tries, drawn without replacement, hold a correct one: 1 - C(n - c, k) / C(n, k).

    Source: Chen et al. 2021 (arXiv:2107.03374), section 2.1. Raises ValueError unless 1 <= k <= n and
    0 <= n_correct <= n.
    """
    _refuse_impossible(n, k)
    if not 0 <= n_correct <= n:
        raise ValueError(f"expected 0 <= n_correct <= n, got n_correct={n_correct}, n={n}")
    return float(1 - Fraction(math.comb(n - n_correct, k), math.comb(n, k)))


def majority_at(votes: Votes, k: int) -> float:
    """Probability that the most frequent answer of k tries, drawn without replacement, is the reference.

    Among answers that are equally frequent each has the same chance, so that a tie of two is worth a half. Raises
    ValueError unless 1 <= k <= n.
    """
    n = votes.n_correct + sum(votes.others) + votes.n_silent
    _refuse_impossible(n, k)
    won = Fraction(0)
    for c in range(1, min(k, votes.n_correct) + 1):
        ways = _rest_ways(votes, n_drawn=k - c, top=c)
        won += math.comb(votes.n_correct, c) * sum(Fraction(count, tied + 1) for tied, count in ways.items())
    return float(won / math.comb(n, k))


def _rest_ways(votes: Votes, *, n_drawn: int, top: int) -> dict[int, int]:
    """Entry t: ways to draw `n_drawn` other tries so that no answer has more than `top`, and t have exactly that."""
    # Answers with fewer votes than that can neither win nor tie: their tries may be drawn in any way.
    n_free = votes.n_silent + sum(size for size in votes.others if size < top)
    ways = {(0, 0): 1}  # (answers at the top, tries drawn) -> ways
    for size in votes.others:
        if size < top:
            continue
        grown: dict[tuple[int, int], int] = defaultdict(int)
        for (tied, drawn), count in ways.items():
            for more in range(min(top, n_drawn - drawn) + 1):
                grown[tied + (more == top), drawn + more] += count * math.comb(size, more)
        ways = grown
    found: dict[int, int] = defaultdict(int)
    for (tied, drawn), count in ways.items():
        found[tied] += count * math.comb(n_free, n_drawn - drawn)
    return found


def best_at(tries: Sequence[tuple[float, bool]], k: int) -> float:
    """Probability that the try of highest score among k, drawn without replacement, is correct.

    `tries` are (score, whether it is correct), the score being a log-probability; tries of equal score have the same
    chance. Raises ValueError unless 1 <= k <= n.
    """
    n = len(tries)
    _refuse_impossible(n, k)
    shares: dict[float, list[bool]] = {}
    for score, is_correct in tries:
        shares.setdefault(score, []).append(is_correct)
    won, place = Fraction(0), 0
    for score in sorted(shares, reverse=True):
        rights = shares[score]
        won += Fraction(sum(rights), len(rights)) * sum(
            math.comb(n - 1 - i, k - 1) for i in range(place, place + len(rights))
        )
        place += len(rights)
    return float(won / math.comb(n, k))


def count_votes(rows: Sequence[Scored], same: Same) -> Votes:
    """The tries of one query as votes. A try that the grader could not decide agrees with no other.

    Every correct try votes for the reference; wrong answers are one vote where they are the same text, or `same` says
    that they are the same.
    """
    texts = Counter(row.answer for row in rows if row.verdict == "incorrect" and row.answer is not None)
    groups: list[tuple[str, int]] = []
    for text, size in texts.items():
        place = next((i for i, (known, _) in enumerate(groups) if same(known, text)), None)
        if place is None:
            groups.append((text, size))
        else:
            groups[place] = (groups[place][0], groups[place][1] + size)
    n_correct = sum(row.is_correct for row in rows)
    alone = [1 for row in rows if row.verdict in UNDECIDED and row.answer is not None]
    others = sorted([size for _, size in groups] + alone, reverse=True)
    return Votes(n_correct, tuple(others), len(rows) - n_correct - sum(others))


def pass_estimate(queries: Iterable[Sequence[Scored]], k: int) -> Estimate:
    """pass@k over queries, each given as all its tries, with a 95 % interval clustered by query.

    Raises ValueError for no queries, or where a query has fewer than k tries.
    """
    return _over_queries((len(rows), pass_at(len(rows), sum(row.is_correct for row in rows), k)) for rows in queries)


def majority_estimate(queries: Iterable[Sequence[Scored]], k: int, same: Same) -> Estimate:
    """maj@k over queries, as `pass_estimate`."""
    return _over_queries((len(rows), majority_at(count_votes(rows, same), k)) for rows in queries)


def best_estimate(queries: Iterable[Sequence[Scored]], k: int) -> Estimate | None:
    """Best of k by log-probability over queries, as `pass_estimate`; None where a try has no log-probability.

    A try that the engine did not answer has none, and is the last choice.
    """
    scored: list[list[tuple[float, bool]]] = []
    for rows in queries:
        if any(row.sum_logprob is None and row.finish_reason is not None for row in rows):
            return None
        scored.append([(-math.inf if row.sum_logprob is None else row.sum_logprob, row.is_correct) for row in rows])
    return _over_queries((len(tries), best_at(tries, k)) for tries in scored)


def _over_queries(values: Iterable[tuple[int, float]]) -> Estimate:
    """Mean of (tries, value) over queries that have equally many tries."""
    clusters = [(n * value, float(n)) for n, value in values]
    low, high = clustered_interval(clusters)
    mean = math.fsum(won for won, _ in clusters) / math.fsum(n for _, n in clusters)
    return Estimate(value=mean, low=low, high=high)


def _refuse_impossible(n: int, k: int) -> None:
    if not 1 <= k <= n:
        raise ValueError(f"expected 1 <= k <= n, got k={k}, n={n}")
