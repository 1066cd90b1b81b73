"""Weights, priors and lengths against what they stand for."""

import numpy as np
import pytest
from scipy.stats import beta, betabinom

from dartune.difficulty.prior import Posterior
from dartune.planning.lengths import fit_lengths, known_lengths
from dartune.planning.nodes import NODES, beta_weights, point_weights
from dartune.planning.prior_draws import LevelPrior, count_pairs, draw_priors
from dartune.planning.tries import until

RNG = np.random.default_rng(1)


def test_weights_have_the_moments_of_their_beta() -> None:
    a, b = np.array([0.5, 2.0, 40.0, 1.0]), np.array([3.0, 2.0, 7.0, 300.0])
    weights = beta_weights(Posterior(a=a, b=b, p_zero=np.array([0.0, 0.25, 0.0, 0.0])))
    share = np.array([1, 0.75, 1, 1])
    assert weights.sum(axis=1) == pytest.approx(np.ones(4))
    assert weights @ NODES == pytest.approx(share * beta.mean(a, b), rel=2e-3)
    assert weights @ NODES**2 == pytest.approx(share * (beta.var(a, b) + beta.mean(a, b) ** 2), rel=5e-3)
    assert weights[:, 0] == pytest.approx([0, 0.25, 0, 0], abs=0.01)


def test_known_pass_rates_keep_their_mean_and_nearly_their_tries() -> None:
    p = np.array([0.0, 1e-7, 0.003, 0.02, 0.4, 0.99991, 1.0])
    weights = point_weights(p)
    assert weights.sum(axis=1) == pytest.approx(np.ones(7))
    assert weights @ NODES == pytest.approx(p)
    assert weights @ until(40, 2048, NODES).tries == pytest.approx(until(40, 2048, p).tries, rel=2e-3)


def test_a_posterior_weighs_the_three_parts_by_bayes() -> None:
    prior = LevelPrior(p_zero=0.1, hard_share=0.3, hard_b=20.0, a=6.0, b=2.0)
    for n, c in ((5, 0), (5, 1), (5, 4), (0, 0)):
        (weights,) = prior.posterior_weights(np.array([n]), np.array([c]))
        parts = 0.9 * np.array([0.3 * betabinom.pmf(c, n, 1, 20), 0.7 * betabinom.pmf(c, n, 6, 2)])
        zero = 0.1 * (c == 0)
        assert weights.sum() == pytest.approx(1)
        assert weights[0] == pytest.approx(zero / (zero + parts.sum()), abs=1e-4)
        mean = parts @ [(1 + c) / (21 + n), (6 + c) / (8 + n)] / (zero + parts.sum())
        assert weights @ NODES == pytest.approx(mean, rel=3e-3)


def counts_of(p: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(len(p), n), RNG.binomial(n, p)


def mean_of(prior: LevelPrior) -> float:
    main = prior.a / (prior.a + prior.b)
    return (1 - prior.p_zero) * (prior.hard_share / (1 + prior.hard_b) + (1 - prior.hard_share) * main)


def test_drawn_priors_surround_the_truth_and_close_in() -> None:
    p = np.where(RNG.random(3000) < 0.3, RNG.beta(1, 20, 3000), RNG.beta(6, 2, 3000))
    spreads = []
    for size in (60, 3000):
        level = count_pairs(*counts_of(p[:size], 6))
        means = [mean_of(priors[0]) for priors in draw_priors([level], 64, np.random.default_rng(0))]
        assert abs(np.mean(means) - p[:size].mean()) < 3 * np.std(means)
        spreads.append(np.std(means))
    assert spreads[1] < 0.4 * spreads[0]


def test_levels_have_priors_of_their_own() -> None:
    levels = [count_pairs(*counts_of(RNG.beta(a, b, 200), 6)) for a, b in ((9, 1), (3, 3), (1, 9))]
    for priors in draw_priors(levels, 8, np.random.default_rng(0)):
        means = [mean_of(prior) for prior in priors]
        assert means == pytest.approx([0.9, 0.5, 0.1], abs=0.12)


def test_a_level_without_tries_may_be_anything() -> None:
    tried = count_pairs(*counts_of(RNG.beta(9, 1, 200), 6))
    empty = count_pairs(np.zeros(5, np.int64), np.zeros(5, np.int64))
    means = [mean_of(priors[1]) for priors in draw_priors([tried, empty], 64, np.random.default_rng(0))]
    assert np.std(means) > 0.15


def test_nothing_right_leaves_the_tail_open() -> None:
    level = count_pairs(np.full(50, 4), np.zeros(50, np.int64))
    for (prior,) in draw_priors([level], 16, np.random.default_rng(0)):
        (weights,) = prior.posterior_weights(np.array([4]), np.array([0]))
        assert weights.sum() == pytest.approx(1)
        assert weights @ NODES < 0.2


def test_lengths_are_shrunk_towards_their_level() -> None:
    level = np.repeat([1, 2], 300)
    truth = np.where(level == 1, 50.0, 200.0) + RNG.normal(0, 10, 600)
    n = np.tile([0, 1, 4, 100], 150)
    sums = np.zeros((600, 2))
    for i, size in enumerate(n):
        drawn = RNG.normal(truth[i], 30, size)
        sums[i] = drawn.sum(), (drawn**2).sum()
    found = fit_lengths(n, sums, np.full(600, 0.5), level)
    for size, error in ((0, 10.0), (1, 9.5), (100, 3.0)):
        misses = found.mean[n == size] - truth[n == size]
        assert abs(misses.mean()) < 3
        assert misses.std() == pytest.approx(error, rel=0.25)
        assert np.sqrt(found.mean_variance[n == size]).mean() == pytest.approx(error, rel=0.25)
    assert np.sqrt(found.spread2).mean() == pytest.approx(30, rel=0.05)


def test_harder_queries_may_have_longer_responses() -> None:
    ease = RNG.random(200)
    n = np.full(200, 2)
    own = 100 - 60 * ease
    found = fit_lengths(np.where(np.arange(200) < 150, n, 0), np.stack([2 * own, 2 * own**2], axis=1), ease, n)
    assert found.mean[150:] == pytest.approx(own[150:], abs=2)


def test_few_responses_of_a_level_are_judged_by_all() -> None:
    level = np.array([1] * 50 + [2] * 3)
    sums = np.stack([np.full(53, 70.0), np.full(53, 4900.0)], axis=1)
    found = fit_lengths(np.ones(53, np.int64), sums, np.full(53, 0.5), level)
    assert found.mean == pytest.approx(np.full(53, 70.0))
    assert known_lengths(found.mean).mean_variance.tolist() == [0.0] * 53
