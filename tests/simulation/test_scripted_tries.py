import numpy as np
import pytest

from dartune.simulation.scripted import ScriptedTries, assumed_mean_tokens
from simulated_queries import population

N = 20_000


def test_a_try_depends_on_seed_query_and_trial_alone() -> None:
    rates = population(0.2, 0.7, 0.5)
    first = ScriptedTries(rates, seed=3)
    drawn = {query_id: [first.next(query_id, trial) for trial in range(200)] for query_id in rates.query_ids}
    other = ScriptedTries(rates, seed=3)
    for trial in range(200):
        for query_id in reversed(rates.query_ids):
            assert other.next(query_id, trial) == drawn[query_id][trial]
    for row, query_id in enumerate(rates.query_ids):
        tries = first.first(row, 150)
        assert np.where(tries.is_correct, tries.n_tokens, -tries.n_tokens).tolist() == drawn[query_id][:150]
    assert [ScriptedTries(rates, seed=4).next("q0", trial) for trial in range(200)] != drawn["q0"]


def test_a_query_s_tries_do_not_depend_on_the_other_queries() -> None:
    alone = population(0.3)
    assert ScriptedTries(alone).first(0, 100).n_tokens.tolist() == (
        ScriptedTries(population(0.3, 0.9)).first(0, 100).n_tokens.tolist()
    )


def test_tries_may_begin_where_a_pilot_ended() -> None:
    tries = ScriptedTries(population(0.5))
    fresh = ScriptedTries(population(0.5))
    drawn = [tries.next("q0", trial) for trial in range(100)]
    assert [fresh.next("q0", trial) for trial in range(52, 100)] == drawn[52:]


@pytest.mark.parametrize("pass_rate", [0.0, 0.03, 0.6, 1.0])
def test_outcomes_and_lengths_have_the_mean_that_was_asked_for(pass_rate: float) -> None:
    tries = ScriptedTries(population(pass_rate, mean_tokens=300), max_new_tokens=10**6).first(0, N)
    assert tries.is_correct.mean() == pytest.approx(pass_rate, abs=4 * np.sqrt(pass_rate * (1 - pass_rate) / N))
    assert tries.n_tokens.mean() == pytest.approx(300, abs=4 * tries.n_tokens.std() / np.sqrt(N))
    assert np.log(tries.n_tokens).std() == pytest.approx(0.5, rel=0.03)


def test_no_response_is_longer_than_allowed_or_empty() -> None:
    n_tokens = ScriptedTries(population(0.5, mean_tokens=100), max_new_tokens=60).first(0, 500).n_tokens
    assert n_tokens.max() == 60
    assert ScriptedTries(population(0.5, mean_tokens=0.01)).first(0, 50).n_tokens.tolist() == [1] * 50
    assert ScriptedTries(population(0.5)).first(0, 0).n_tokens.tolist() == []


def test_harder_queries_are_assumed_to_take_longer() -> None:
    np.testing.assert_allclose(assumed_mean_tokens(population(1.0, 0.5, 0.0), 1000), [100, 200, 300])
    np.testing.assert_allclose(assumed_mean_tokens(population(0.5, mean_tokens=77), 1000), [77])
