import itertools
import math
import random

import pytest
from scipy import stats

from dartune.evaluation.metrics import Score, Scored, clustered_interval, wilson_interval
from dartune.evaluation.tries import (
    Votes,
    best_at,
    best_estimate,
    count_votes,
    majority_at,
    majority_estimate,
    pass_at,
    pass_estimate,
)
from dartune.types import Verdict


def tried(query: str, answer: str | None, verdict: Verdict = "incorrect", logprob: float | None = None) -> Scored:
    return Scored(
        query_id=query,
        level=None,
        domain=None,
        is_correct=verdict == "correct",
        n_tokens=1,
        verdict=verdict,
        answer=answer,
        finish_reason="stop",
        sum_logprob=logprob,
    )


def never(first: str, second: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("n", "c", "k"), [(1, 0, 1), (1, 1, 1), (8, 3, 1), (8, 3, 4), (8, 6, 3), (10, 0, 10), (64, 2, 32)]
)
def test_pass_at_k_is_one_minus_the_hypergeometric_chance_of_none(n: int, c: int, k: int) -> None:
    assert pass_at(n, c, k) == pytest.approx(1 - stats.hypergeom.pmf(0, n, c, k))


def test_pass_at_k_is_unbiased_for_every_k() -> None:
    # Over binomial draws of c the estimate averages to 1 - (1 - p)^k.
    p, n = 0.3, 6
    for k in range(1, n + 1):
        mean = sum(stats.binom.pmf(c, n, p) * pass_at(n, c, k) for c in range(n + 1))
        assert mean == pytest.approx(1 - (1 - p) ** k)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 1, 5), (4, 1, 0), (4, 5, 1), (4, -1, 1)])
def test_pass_at_k_refuses_what_cannot_be(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        pass_at(n, c, k)


def majority_by_enumeration(votes: Votes, k: int) -> float:
    ballots: list[int | None] = [0] * votes.n_correct + [None] * votes.n_silent
    for name, size in enumerate(votes.others, start=1):
        ballots += [name] * size
    worth = []
    for drawn in itertools.combinations(ballots, k):
        counts = {name: drawn.count(name) for name in set(drawn) - {None}}
        winners = [name for name, count in counts.items() if count == max(counts.values())]
        worth.append(1 / len(winners) if 0 in winners else 0.0)
    return sum(worth) / len(worth)


def test_majority_is_the_mean_over_all_ways_to_draw() -> None:
    draw = random.Random(7)
    for _ in range(60):
        votes = Votes(
            draw.randrange(4), tuple(draw.randrange(1, 4) for _ in range(draw.randrange(4))), draw.randrange(3)
        )
        n = votes.n_correct + sum(votes.others) + votes.n_silent
        for k in range(1, n + 1):
            assert majority_at(votes, k) == pytest.approx(majority_by_enumeration(votes, k)), (votes, k)


def test_many_tries_are_exact_and_quick() -> None:
    assert pass_at(2048, 2048, 1024) == 1.0
    assert majority_at(Votes(1060, (20, 10), 10), 1050) == 1.0
    assert best_at([(-float(i), True) for i in range(1200)], 600) == 1.0
    # 64 different answers, each given once: a tie of all that were drawn.
    assert majority_at(Votes(1, (1,) * 63, 0), 32) == pytest.approx(1 / 64)


def test_majority_of_one_is_accuracy_and_a_tie_of_two_is_a_half() -> None:
    assert majority_at(Votes(3, (4, 1), 2), 1) == pytest.approx(0.3)
    assert majority_at(Votes(2, (2,), 0), 4) == 0.5
    assert majority_at(Votes(2, (1, 1), 9), 13) == 1.0


def test_undecided_answers_never_agree_and_no_answer_is_no_vote() -> None:
    rows = [
        tried("q", "5", "correct"),
        *[tried("q", "x^", "ungradable")] * 3,
        tried("q", "7", "timeout"),
        *[tried("q", None, "no_answer")] * 2,
        *[tried("q", "6")] * 2,
        tried("q", "12/2"),
    ]
    votes = count_votes(rows, lambda first, second: {first, second} == {"6", "12/2"})
    assert votes == Votes(1, (3, 1, 1, 1, 1), 2)
    assert count_votes(rows, never) == Votes(1, (2, 1, 1, 1, 1, 1), 2)


def test_best_of_k_is_the_mean_over_all_ways_to_draw() -> None:
    draw = random.Random(3)
    for _ in range(40):
        tries = [(-float(i), draw.random() < 0.5) for i in range(draw.randrange(1, 8))]
        draw.shuffle(tries)
        for k in range(1, len(tries) + 1):
            drawn = [max(part)[1] for part in itertools.combinations(tries, k)]
            assert best_at(tries, k) == pytest.approx(sum(drawn) / len(drawn))


def test_tries_of_equal_log_probability_share_the_place() -> None:
    assert best_at([(-1.0, True), (-1.0, False), (-2.0, False)], 3) == 0.5
    assert best_at([(-1.0, True), (-1.0, False), (-2.0, False)], 1) == pytest.approx(1 / 3)


def test_best_of_needs_every_log_probability() -> None:
    rows = [tried("q", "5", "correct", -3.0), tried("q", "6", "incorrect", -2.0)]
    assert best_estimate([rows], 1).value == 0.5  # type: ignore[union-attr]
    assert best_estimate([rows], 2).value == 0.0  # type: ignore[union-attr]
    assert best_estimate([[*rows, tried("q", "6")]], 1) is None


def test_estimates_average_over_queries() -> None:
    queries = [
        [tried("a", "1", "correct"), tried("a", "2")],
        [tried("b", "3"), tried("b", "3")],
    ]
    assert pass_estimate(queries, 1).value == 0.25
    assert pass_estimate(queries, 2).value == 0.5
    assert majority_estimate(queries, 2, never).value == 0.25


def test_pass_at_one_is_accuracy_with_its_interval() -> None:
    draw = random.Random(4)
    queries = [
        [tried(str(i), "1", "correct" if draw.random() < 0.7 else "incorrect") for _ in range(8)] for i in range(60)
    ]
    score = Score.of_rows(row for rows in queries for row in rows)
    for estimate in (pass_estimate(queries, 1), majority_estimate(queries, 1, never)):
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((score.accuracy, score.low, score.high))


def test_clusters_of_one_have_wilsons_interval() -> None:
    assert clustered_interval([(1, 1)] * 30 + [(0, 1)] * 70) == pytest.approx(wilson_interval(30, 100))
    assert clustered_interval([(0, 1)] * 9) == wilson_interval(0, 9)


def test_copies_of_an_answer_tell_no_more_than_one() -> None:
    once = Score.of_rows([tried(str(i), "1", "correct" if i % 3 else "incorrect") for i in range(50)])
    copied = Score.of_rows([tried(str(i), "1", "correct" if i % 3 else "incorrect") for i in range(50)] * 8)
    assert (copied.n, copied.n_correct) == (400, 8 * once.n_correct)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high))
    assert Score.of_rows([tried("a", "1", "correct"), tried("b", "1", "correct")] * 8).low == wilson_interval(2, 2).low


def test_clustered_interval_covers_what_it_promises() -> None:
    # Pass rates differ between queries, so that plain Wilson over all tries would be too narrow.
    draw, hits, naive, n_runs = random.Random(1), 0, 0, 400
    for _ in range(n_runs):
        rates = [draw.betavariate(0.5, 1.5) for _ in range(80)]
        won = [sum(draw.random() < rate for _ in range(16)) for rate in rates]
        low, high = clustered_interval([(w, 16) for w in won])
        hits += low <= 0.25 <= high
        low, high = wilson_interval(sum(won), 16 * 80)
        naive += low <= 0.25 <= high
    assert hits / n_runs > 0.92
    assert naive / n_runs < 0.7


def test_clustered_interval_agrees_with_the_normal_one_where_that_holds() -> None:
    clusters = [(i % 5, 4) for i in range(5000)]
    low, high = clustered_interval(clusters)
    values = [w / 4 for w, _ in clusters]
    half = 1.959964 * stats.tstd(values) / math.sqrt(len(values))
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=2e-5)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        clustered_interval([])
    with pytest.raises(ValueError, match="at least one"):
        Score.of_rows([])
