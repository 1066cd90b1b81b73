"""Empirical Bayes: fits find what made the counts, and posteriors are what Bayes' rule says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, betabinom

from dartune.difficulty.prior import Prior, fit_prior, posterior


def counts(prior: Prior, n_queries: int, n_trials: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pass rates drawn from a prior, and what tries of them gave."""
    rng = np.random.default_rng(seed)
    rates = np.where(rng.random(n_queries) < prior.p_zero, 0.0, rng.beta(prior.a, prior.b, n_queries))
    tries = np.full(n_queries, n_trials)
    return rates, tries, rng.binomial(tries, rates)


@pytest.mark.parametrize(
    "made", [Prior(0.6, 0.5, 0.0), Prior(2.0, 6.0, 0.1), Prior(0.5, 2.0, 0.3), Prior(8.0, 2.0, 0.02)]
)
def test_a_fit_finds_the_prior_that_made_the_counts(made: Prior) -> None:
    _, tries, right = counts(made, 6_000, 32)
    found = fit_prior(tries, right)
    assert found.mean == pytest.approx(made.mean, abs=0.02)
    assert found.a == pytest.approx(made.a, rel=0.25)
    assert found.b == pytest.approx(made.b, rel=0.25)
    assert found.p_zero == pytest.approx(made.p_zero, abs=0.05)


def test_a_stopping_rule_does_not_bias_the_fit() -> None:
    made = Prior(0.7, 1.4, 0.05)
    rng = np.random.default_rng(1)
    rates, _, _ = counts(made, 4_000, 1)
    outcomes = rng.random((4_000, 64)) < rates[:, None]
    reached = np.cumsum(outcomes, axis=1) >= 4
    tries = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 64)
    right = np.minimum(outcomes.sum(axis=1), 4)
    found = fit_prior(tries, right)
    assert found.mean == pytest.approx(made.mean, abs=0.02)
    assert (right / tries).mean() > made.mean + 0.02  # which the raw rates are


def test_shrunk_rates_are_nearer_to_the_truth_than_raw_ones() -> None:
    rates, tries, right = counts(Prior(0.8, 1.2, 0.05), 3_000, 6)
    shrunk = posterior(fit_prior(tries, right), tries, right).mean()
    assert np.mean((shrunk - rates) ** 2) < 0.85 * np.mean((right / tries - rates) ** 2)


def test_intervals_hold_as_often_as_they_say() -> None:
    rates, tries, right = counts(Prior(0.8, 1.2, 0.05), 4_000, 10)
    low, high = posterior(fit_prior(tries, right), tries, right).interval(0.9)
    assert np.mean((low <= rates) & (rates <= high)) == pytest.approx(0.9, abs=0.04)


def test_posteriors_of_known_cases() -> None:
    known = posterior(Prior(1.0, 1.0, 0.0), [0, 3, 10], [0, 3, 0])
    assert known.mean() == pytest.approx([1 / 2, 4 / 5, 1 / 12])
    zero = posterior(Prior(1.0, 1.0, 0.5), [0, 1, 9], [0, 1, 0])
    assert zero.p_zero == pytest.approx([0.5, 0.0, 1 / (1 + 1 / 10)])  # the flat prior gives 0 of 9 with 1 / 10
    low, high = zero.interval(0.9)
    assert low[2] == 0.0
    assert (low[1], high[1]) == pytest.approx(tuple(beta(2, 1).ppf([0.05, 0.95])))


@given(
    a=st.floats(0.05, 20),
    b=st.floats(0.05, 20),
    p_zero=st.floats(0, 0.9),
    need=st.integers(-2, 60),
    n_more=st.integers(0, 300),
)
def test_the_chance_to_reach_a_target_is_the_beta_binomial_tail(
    a: float, b: float, p_zero: float, need: int, n_more: int
) -> None:
    ours = float(posterior(Prior(a, b, p_zero), 0, 0).p_reach(need, n_more))
    expected = 1.0 if need <= 0 else (1 - p_zero) * (betabinom(n_more, a, b).sf(need - 1) if n_more else 0.0)
    assert ours == pytest.approx(expected, abs=1e-7)


def test_few_queries_and_none_give_a_usable_prior() -> None:
    assert fit_prior([], []) == Prior()
    assert fit_prior([0, 0], [0, 0]) == Prior()
    for right in (0, 4):
        found = fit_prior([4, 4], [right, right])
        assert 0.0 < found.mean < 1.0
        assert 0.0 < posterior(found, 4, right).mean() < 1.0


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="n_correct"):
        fit_prior([3], [4])
