import math
from statistics import NormalDist

import pytest

from dartune.evaluation.metrics import Score, Scored, accuracy_by, macro_accuracy, wilson_interval


def scored(query_id: str, level: int | None, *, is_correct: bool, domain: str | None = None) -> Scored:
    return Scored(
        query_id=query_id,
        level=level,
        domain=domain,
        is_correct=is_correct,
        n_tokens=10,
        verdict="correct" if is_correct else "incorrect",
    )


@pytest.mark.parametrize(
    ("n_correct", "n", "low", "high"),
    [
        # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(n_correct: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(n_correct, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("n_correct", "n"), [(1, 1), (7, 10), (83, 100), (499, 1000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_ends_solve_the_score_equation(n_correct: int, n: int, confidence: float) -> None:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for end in wilson_interval(n_correct, n, confidence):
        assert (n_correct / n - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / n, abs=1e-14)


def test_wilson_at_the_ends_has_its_closed_form() -> None:
    z2 = NormalDist().inv_cdf(0.975) ** 2
    assert wilson_interval(0, 8) == (0.0, pytest.approx(z2 / (8 + z2)))
    assert wilson_interval(8, 8) == (pytest.approx(8 / (8 + z2)), 1.0)


@pytest.mark.parametrize(("n_correct", "n"), [(-1, 3), (4, 3), (0, 0)])
def test_wilson_refuses_impossible_counts(n_correct: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"n_correct={n_correct}, n={n}"):
        wilson_interval(n_correct, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_wilson_refuses_impossible_confidence(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        wilson_interval(1, 2, confidence)


def test_macro_of_one_score_is_that_score() -> None:
    score = Score.of(83, 100)
    macro = macro_accuracy([score])
    assert (macro.value, macro.low, macro.high) == pytest.approx((score.accuracy, score.low, score.high))


def test_macro_weighs_levels_alike_and_adds_their_uncertainty_in_quadrature() -> None:
    small, large = Score.of(5, 10), Score.of(900, 1000)
    macro = macro_accuracy([small, large])
    assert macro.value == pytest.approx(0.7)
    assert 0.7 - macro.low == pytest.approx(math.hypot(0.5 - small.low, 0.9 - large.low) / 2)
    assert macro.high - 0.7 == pytest.approx(math.hypot(small.high - 0.5, large.high - 0.9) / 2)


def test_macro_agrees_with_the_normal_interval_where_that_holds() -> None:
    macro = macro_accuracy([Score.of(5000, 10000), Score.of(3000, 10000)])
    half = NormalDist().inv_cdf(0.975) * math.sqrt(0.25 / 10000 + 0.21 / 10000) / 2
    assert (macro.low, macro.high) == pytest.approx((0.4 - half, 0.4 + half), abs=5e-5)


def test_macro_stays_a_fraction() -> None:
    macro = macro_accuracy([Score.of(3, 3), Score.of(4, 4)])
    assert macro.high == 1.0
    assert 0 < macro.low < 1


def test_macro_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        macro_accuracy([])


def test_accuracy_by_level_is_sorted_and_keeps_the_unlabelled() -> None:
    rows = [
        scored("d", None, is_correct=False),
        scored("c", 5, is_correct=False),
        scored("a", 1, is_correct=True),
        scored("b", 5, is_correct=True),
    ]
    by_level = accuracy_by(rows, lambda row: row.level)
    assert list(by_level) == [1, 5, None]
    assert by_level[5] == Score.of(1, 2)
    assert by_level[None].n == 1


def test_accuracy_by_domain_and_of_no_rows() -> None:
    rows = [scored("a", 1, is_correct=True, domain="story"), scored("b", 1, is_correct=False, domain="expr")]
    assert {name: score.n_correct for name, score in accuracy_by(rows, lambda row: row.domain).items()} == {
        "expr": 0,
        "story": 1,
    }
    assert accuracy_by([], lambda row: row.level) == {}
