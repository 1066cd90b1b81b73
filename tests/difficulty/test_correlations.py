import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kendalltau, norm, spearmanr

from dartune.difficulty.correlations import (
    MIN_FOR_INTERVAL,
    Coefficient,
    correlate,
    kendall_influence,
    rank_correlations,
    spearman_influence,
)

Values = NDArray[np.float64]


def tied(n: int, seed: int) -> tuple[Values, Values]:
    """Five levels, and a fail rate of eight tries that goes with them."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=n)
    level = np.clip(np.round(ability + 3), 1, 5)
    return level, rng.binomial(8, norm.cdf((ability + rng.normal(size=n)) / 1.5)) / 8


def test_values_are_scipys_and_ties_are_handled() -> None:
    x, y = tied(300, 0)
    found = correlate("level", "fail_rate", x, y)
    assert found.spearman is not None
    assert found.kendall is not None
    assert found.spearman.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.kendall.value == pytest.approx(kendalltau(x, y, variant="b").statistic)
    assert found.n_queries == 300


def test_only_queries_that_both_know_count() -> None:
    x = np.array([1.0, 2.0, 3.0, math.nan, 5.0])
    y = np.array([2.0, 1.0, math.nan, 9.0, 7.0])
    found = correlate("a", "b", x, y)
    assert found.n_queries == 3
    assert found.spearman == Coefficient(pytest.approx(0.5), None, None)
    assert found.kendall == Coefficient(pytest.approx(1 / 3), None, None)


@pytest.mark.parametrize(("x", "y"), [([1.0, 2.0], [2.0, 1.0]), ([3.0] * 30, list(range(30))), ([], [])])
def test_nothing_is_said_where_there_is_no_order(x: list[float], y: list[float]) -> None:
    found = correlate("a", "b", np.array(x, dtype=float), np.array(y, dtype=float))
    assert found.spearman is None
    assert found.kendall is None


def test_the_same_order_is_one_without_doubt() -> None:
    x = np.arange(MIN_FOR_INTERVAL, dtype=float)
    assert correlate("a", "b", x, x**3).spearman == Coefficient(*[pytest.approx(1.0)] * 3)
    assert correlate("a", "b", x, -x).kendall == Coefficient(*[pytest.approx(-1.0)] * 3)


def test_pairs_come_in_order() -> None:
    values = {name: np.arange(4.0) for name in "abc"}
    assert [(pair.first, pair.second) for pair in rank_correlations(values)] == [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    ("influence", "coefficient"), [(spearman_influence, spearmanr), (kendall_influence, kendalltau)]
)
def test_standard_errors_are_those_of_the_jackknife(
    influence: Callable[[Values, Values], Values], coefficient: Callable[[Values, Values], Any]
) -> None:
    """What the influences add up to, against leaving out one query after the other."""
    x, y = tied(250, 3)
    left_out = np.array([coefficient(np.delete(x, i), np.delete(y, i)).statistic for i in range(250)])
    jackknife = math.sqrt(249 * np.var(left_out))
    parts = influence(x, y)
    assert parts.mean() == pytest.approx(0, abs=1e-9)
    assert math.sqrt(np.sum(parts**2) / 249 / 250) == pytest.approx(jackknife, rel=0.02)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truth = correlate("a", "b", *tied(50_000, 4))
    assert truth.spearman is not None
    assert truth.kendall is not None
    n_held = np.zeros(2)
    for seed in range(400):
        found = correlate("a", "b", *tied(60, 100 + seed))
        assert found.spearman is not None
        assert found.kendall is not None
        for index, (one, true) in enumerate(((found.spearman, truth.spearman), (found.kendall, truth.kendall))):
            assert one.low is not None
            assert one.high is not None
            n_held[index] += one.low <= true.value <= one.high
    assert (n_held / 400 > 0.92).all(), n_held
    assert (n_held / 400 < 0.98).all(), n_held


def test_many_queries_take_no_time_that_grows_with_their_square() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=100_000)
    found = correlate("a", "b", x, x + rng.normal(size=100_000))
    assert found.kendall is not None
    # tau of a bivariate normal with correlation r is 2 asin(r) / pi
    assert found.kendall.low is not None
    assert found.kendall.high is not None
    assert found.kendall.low - 0.01 < 0.5 < found.kendall.high + 0.01
    assert found.kendall.high - found.kendall.low < 0.02
