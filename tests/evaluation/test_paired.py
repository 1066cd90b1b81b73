import itertools
import math
import random

import pytest
from scipy import stats

from dartune.evaluation.metrics import Scored, wilson_interval
from dartune.evaluation.paired import (
    compare_averages,
    compare_rows,
    difference_of_proportions,
    holm,
    mcnemar_p,
    permutation_p,
)


def tried(query: str, *rights: bool) -> list[Scored]:
    return [
        Scored(query_id=query, level=None, domain=None, is_correct=right, n_tokens=1, verdict="correct")
        for right in rights
    ]


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (1, 0), (5, 15), (15, 5), (40, 40), (3, 61)])
def test_mcnemar_is_the_binomial_test_of_the_pairs_that_differ(better: int, worse: int) -> None:
    expected = stats.binomtest(better, better + worse, 0.5).pvalue if better + worse else 1.0
    assert mcnemar_p(better, worse) == pytest.approx(float(expected))


def test_permutation_of_single_tries_is_mcnemars_test() -> None:
    differences = [1.0] * 14 + [-1.0] * 5 + [0.0] * 60
    assert permutation_p(differences) == pytest.approx(mcnemar_p(14, 5), abs=0.003)


def test_permutation_agrees_with_the_full_enumeration() -> None:
    draw = random.Random(5)
    differences = [draw.choice([-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0]) for _ in range(12)]
    sums = [
        abs(math.fsum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    exact = sum(total >= abs(math.fsum(differences)) - 1e-9 for total in sums) / len(sums)
    assert permutation_p(differences) == pytest.approx(exact, abs=0.006)
    assert permutation_p(differences[::-1]) == permutation_p(differences)


def test_permutation_p_is_never_zero_and_one_for_no_difference() -> None:
    assert 0 < permutation_p([1.0] * 500) < 2e-5
    assert permutation_p([0.0] * 9) == 1.0
    assert permutation_p([0.5, -0.5]) == 1.0


def test_permutation_holds_its_level() -> None:
    draw = random.Random(11)
    n_false = 0
    for _ in range(60):
        rates = [draw.random() for _ in range(40)]
        gains = [sum((draw.random() < p) - (draw.random() < p) for _ in range(4)) / 4 for p in rates]
        n_false += permutation_p(gains) < 0.05
    assert n_false <= 8  # 60 draws of 5 %: above 8 once in 300 times


def test_difference_without_correlation_joins_the_wilson_intervals() -> None:
    # 30 * 20 = 24 * 25: the two are independent, so that this is Newcombe's interval of two samples.
    estimate = difference_of_proportions(30, 24, 25, 20)
    low_1, high_1 = wilson_interval(55, 99)
    low_2, high_2 = wilson_interval(54, 99)
    assert estimate.value == pytest.approx(-1 / 99)
    assert estimate.low == pytest.approx(-1 / 99 - math.hypot(54 / 99 - low_2, high_1 - 55 / 99))
    assert estimate.high == pytest.approx(-1 / 99 + math.hypot(high_2 - 54 / 99, 55 / 99 - low_1))


def test_difference_agrees_with_the_normal_interval_of_pairs() -> None:
    a, b, c, d = 4000, 700, 500, 4800
    n = a + b + c + d
    half = 1.959964 * math.sqrt((b + c) / n - ((b - c) / n) ** 2) / math.sqrt(n)
    estimate = difference_of_proportions(a, b, c, d)
    assert (estimate.low, estimate.high) == pytest.approx((0.02 - half, 0.02 + half), abs=2e-4)


def test_difference_covers_what_it_promises() -> None:
    draw, hits, n_runs = random.Random(2), 0, 600
    for _ in range(n_runs):
        cells = [0, 0, 0, 0]
        for _ in range(60):
            cells[draw.choices(range(4), (0.3, 0.25, 0.1, 0.35))[0]] += 1
        estimate = difference_of_proportions(*cells)
        hits += estimate.low <= 0.15 <= estimate.high
    assert 0.92 < hits / n_runs < 0.985


def test_no_pair_that_differs_still_leaves_room() -> None:
    estimate = difference_of_proportions(12, 0, 0, 8)
    assert estimate.value == 0.0
    assert estimate.low < -0.01
    assert estimate.high > 0.01
    with pytest.raises(ValueError, match="at least one"):
        difference_of_proportions(0, 0, 0, 0)


def test_difference_changes_its_sign_with_the_sides() -> None:
    one, other = difference_of_proportions(30, 12, 5, 9), difference_of_proportions(30, 5, 12, 9)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_try_is_compared_by_mcnemar_and_a_repeated_row_is_one_pair() -> None:
    first = [row for i in range(20) for row in tried(f"q{i}", i < 8)]
    second = [row for i in range(20) for row in tried(f"q{i}", i < 14 and i != 0)]
    found = compare_rows(first, second)
    assert (found.n, found.n_better, found.n_worse, found.test) == (20, 6, 1, "McNemar, exact")
    assert found.difference.value == 0.25
    assert found.p == mcnemar_p(6, 1)
    assert compare_rows([*first, *tried("q0", True)], [*second, *tried("q0", False)]) == found


def test_several_tries_are_compared_by_permutation() -> None:
    first = [row for i in range(40) for row in tried(f"q{i}", i % 2 == 0, False)]
    second = [row for i in range(40) for row in tried(f"q{i}", True, i % 3 == 0)]
    found = compare_rows(first, second)
    assert found.test == "permutation of queries"
    assert found.difference.value == pytest.approx((40 + 14 - 20) / 80)
    assert found.difference.low > 0
    assert found.p < 1e-4


def test_an_average_weighs_benchmarks_alike() -> None:
    small = (
        [row for i in range(10) for row in tried(f"s{i}", i < 2)],
        [row for i in range(10) for row in tried(f"s{i}", i < 7)],
    )
    large = (
        [row for i in range(90) for row in tried(f"l{i}", i < 40)],
        [row for i in range(90) for row in tried(f"l{i}", i < 31)],
    )
    parts = [compare_rows(*small), compare_rows(*large)]
    found = compare_averages([small, large])
    assert found.difference.value == pytest.approx((0.5 - 0.1) / 2)
    assert (found.n, found.n_better, found.n_worse) == (100, 5, 9)
    arms = [part.difference.value - part.difference.low for part in parts]
    assert found.difference.low == pytest.approx(0.2 - math.hypot(*arms) / 2)
    # Five flips of 1/20 and nine of 1/180: all 2^14 ways.
    steps = [1 / 20] * 5 + [-1 / 180] * 9
    sums = [
        abs(math.fsum(s * d for s, d in zip(signs, steps, strict=True)))
        for signs in itertools.product((1, -1), repeat=14)
    ]
    assert found.p == pytest.approx(sum(total >= abs(math.fsum(steps)) - 1e-9 for total in sums) / len(sums), abs=0.005)


def test_one_benchmark_is_its_own_average() -> None:
    pair = (
        [row for i in range(50) for row in tried(f"q{i}", i < 20)],
        [row for i in range(50) for row in tried(f"q{i}", i < 28)],
    )
    alone, found = compare_rows(*pair), compare_averages([pair])
    assert found.difference == alone.difference
    assert found.p == pytest.approx(alone.p, abs=0.003)
    with pytest.raises(ValueError, match="at least one benchmark"):
        compare_averages([])


def test_sides_that_answer_other_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="only one answers b"):
        compare_rows(tried("a", True) + tried("b", True), tried("a", True))
