"""Sampling until k are correct biases k / n, and by how much is known."""

import numpy as np
import pytest

from dartune.difficulty.inverse_sampling import unbiased_pass_rate


@pytest.mark.parametrize(("rate", "target", "max_trials"), [(0.1, 2, 40), (0.5, 4, 12), (0.9, 3, 3), (0.03, 5, 64)])
def test_the_estimate_is_unbiased_also_under_a_cap(rate: float, target: int, max_trials: int) -> None:
    rng = np.random.default_rng(0)
    outcomes = rng.random((200_000, max_trials)) < rate
    reached = np.cumsum(outcomes, axis=1) >= target
    n_trials = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, max_trials)
    n_correct = np.minimum(outcomes.sum(axis=1), target)
    estimates = unbiased_pass_rate(n_trials, n_correct, target)
    error = estimates.std() / np.sqrt(len(estimates))
    assert abs(estimates.mean() - rate) < 4 * error
    if max_trials > target:
        assert (n_correct / n_trials).mean() - rate > 10 * error


def test_tries_that_are_made_in_any_case_do_not_bias_it_either() -> None:
    rng = np.random.default_rng(1)
    outcomes = rng.random((200_000, 40)) < 0.3
    right = np.cumsum(outcomes, axis=1)
    ends = (right >= 3) & (np.arange(1, 41) >= 8)
    n_trials = np.where(ends.any(axis=1), ends.argmax(axis=1) + 1, 40)
    n_correct = right[np.arange(len(right)), n_trials - 1]
    estimates = unbiased_pass_rate(n_trials, n_correct, 3, min_trials=8)
    assert abs(estimates.mean() - 0.3) < 4 * estimates.std() / np.sqrt(len(estimates))
    assert abs(unbiased_pass_rate(n_trials, n_correct, 3).mean() - 0.3) > 0.005


def test_counted_tries_have_the_plain_rate() -> None:
    assert unbiased_pass_rate([8, 8, 5, 1], [2, 8, 1, 1], 0).tolist() == [0.25, 1.0, 0.2, 1.0]
    assert unbiased_pass_rate([8, 8], [2, 1], [3, 3]).tolist() == [0.25, 0.125]


@pytest.mark.parametrize(("tries", "right"), [(0, 0), (3, 4), (3, -1)])
def test_impossible_counts_are_refused(tries: int, right: int) -> None:
    with pytest.raises(ValueError, match="n_trials"):
        unbiased_pass_rate(tries, right, 2)
