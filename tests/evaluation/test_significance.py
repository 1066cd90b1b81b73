import itertools
import math

import pytest

from dartune.evaluation.metrics import Scored
from dartune.evaluation.significance import (
    MAX_EXACT_PAIRS,
    bootstrap_difference,
    paired_test,
    seed_mean,
    student_t_p,
    student_t_quantile,
)

SLEEP_1 = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SLEEP_2 = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
"""Student's own example (1908): extra hours of sleep under two drugs, ten patients."""


def answers(query_id: str, *verdicts: bool) -> list[Scored]:
    return [
        Scored(query_id=query_id, level=1, domain=None, is_correct=right, n_tokens=5, verdict="correct")
        for right in verdicts
    ]


@pytest.mark.parametrize(
    ("confidence", "n_freedom", "t"),
    # Standard two-sided table of Student's t.
    [
        (0.95, 1, 12.7062),
        (0.95, 2, 4.3027),
        (0.95, 4, 2.7764),
        (0.99, 9, 3.2498),
        (0.90, 30, 1.6973),
        (0.95, 120, 1.9799),
    ],
)
def test_quantiles_match_the_table(confidence: float, n_freedom: int, t: float) -> None:
    assert student_t_quantile(confidence, n_freedom) == pytest.approx(t, abs=5e-5)


@pytest.mark.parametrize("t", [1e-6, 0.1, 1.0, 3.0, 50.0])
def test_p_values_match_the_closed_forms(t: float) -> None:
    assert student_t_p(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), abs=1e-10)
    assert student_t_p(t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-9, abs=1e-12)
    angle = math.atan(t / math.sqrt(3))
    closed = 1 - 2 / math.pi * (angle + math.sin(angle) * math.cos(angle))
    assert student_t_p(-t, 3) == pytest.approx(closed, rel=1e-7, abs=1e-12)


def test_p_value_at_zero_and_far_out() -> None:
    assert student_t_p(0.0, 7) == 1.0
    # Leading term of the tail: p ~ 2 c n^((n-1)/2) / t^n; for n = 4 that is 24 / t^4.
    assert student_t_p(1e4, 4) == pytest.approx(24e-16, rel=1e-6)


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="degree of freedom"):
        student_t_p(1.0, 0)
    with pytest.raises(ValueError, match="confidence"):
        student_t_quantile(1.0, 3)
    with pytest.raises(ValueError, match="at least one"):
        seed_mean([])
    with pytest.raises(ValueError, match="shorter"):
        paired_test([1.0, 2.0], [1.0])


def test_seed_mean_by_hand() -> None:
    mean = seed_mean([1.0, 2.0, 3.0])
    assert (mean.n, mean.mean) == (3, 2.0)
    assert mean.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)
    assert mean.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)


def test_one_seed_has_no_interval() -> None:
    mean = seed_mean([0.8])
    assert (mean.mean, mean.low, mean.high) == (0.8, None, None)
    test = paired_test([0.8], [0.7])
    assert (test.low, test.p_t) == (None, None)
    assert test.p_sign_flip == 1.0


def test_paired_test_gives_students_published_result() -> None:
    test = paired_test(SLEEP_2, SLEEP_1)
    assert test.difference == pytest.approx(1.58)
    assert test.p_t == pytest.approx(0.002833, abs=5e-7)
    assert (test.low, test.high) == (pytest.approx(0.7001142, abs=1e-6), pytest.approx(2.4598858, abs=1e-6))


def test_sign_flip_p_is_the_full_enumeration() -> None:
    differences = [b - a for a, b in zip(SLEEP_1, SLEEP_2, strict=True)]
    sums = [
        abs(math.fsum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    expected = sum(total >= abs(math.fsum(differences)) - 1e-9 for total in sums) / len(sums)
    assert paired_test(SLEEP_2, SLEEP_1).p_sign_flip == expected == 4 / 1024


def test_sign_flip_is_two_over_two_to_the_n_when_all_agree() -> None:
    assert paired_test([0.1, 0.2, 0.3, 0.4, 0.5], [0.0] * 5).p_sign_flip == 2 / 32


def test_rounding_makes_no_difference_between_ties() -> None:
    # All sixteen sums of +-0.1 +-0.1 +-0.1 +-0.3 that equal zero on paper are ties of the observed zero.
    assert paired_test([0.1, 0.1, 0.1, 0.0], [0.0, 0.0, 0.0, 0.3]).p_sign_flip == 1.0


def test_many_pairs_have_no_exact_test_but_keep_the_t_test() -> None:
    n = MAX_EXACT_PAIRS + 1
    test = paired_test([i / 100 for i in range(n)], [0.0] * n)
    assert test.p_sign_flip is None
    assert test.p_t is not None
    assert test.p_t < 0.001


def test_equal_methods_are_no_evidence() -> None:
    test = paired_test([0.5, 0.6, 0.7], [0.5, 0.6, 0.7])
    assert (test.difference, test.p_t, test.p_sign_flip) == (0.0, None, 1.0)


def test_bootstrap_matches_the_normal_interval_for_single_answers() -> None:
    n = 400
    first = [row for i in range(n) for row in answers(f"q{i}", i % 4 != 0)]
    second = [row for i in range(n) for row in answers(f"q{i}", i % 2 == 0)]
    estimate = bootstrap_difference(first, second)
    differences = [(i % 4 != 0) - (i % 2 == 0) for i in range(n)]
    mean = sum(differences) / n
    half = 1.959964 * math.sqrt(sum((d - mean) ** 2 for d in differences) / n / n)
    assert estimate.value == pytest.approx(0.25)
    assert (estimate.low, estimate.high) == pytest.approx((mean - half, mean + half), abs=0.006)


def test_bootstrap_takes_the_query_as_the_unit() -> None:
    # Ten identical answers to a query tell no more than one does: the interval must not shrink.
    def sides(n_copies: int) -> tuple[list[Scored], list[Scored]]:
        first = [row for i in range(60) for row in answers(f"q{i}", *[i % 3 == 0] * n_copies)]
        second = [row for i in range(60) for row in answers(f"q{i}", *[i % 2 == 0] * n_copies)]
        return first, second

    assert bootstrap_difference(*sides(10)) == bootstrap_difference(*sides(1))


def test_bootstrap_depends_on_neither_row_order_nor_the_clock() -> None:
    first = [row for i in range(30) for row in answers(f"q{i}", i % 3 == 0)]
    second = [row for i in range(30) for row in answers(f"q{i}", i % 2 == 0)]
    assert bootstrap_difference(first[::-1], second) == bootstrap_difference(first, second[::-1])


def test_bootstrap_refuses_sides_that_differ() -> None:
    with pytest.raises(ValueError, match="only one answers b"):
        bootstrap_difference(answers("a", True) + answers("b", True), answers("a", True))
    with pytest.raises(ValueError, match="got none"):
        bootstrap_difference([], [])
