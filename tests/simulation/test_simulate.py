import itertools
from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

import dartune.simulation.simulate
from dartune.allocation import n_trials_needed, uniform
from dartune.config import BudgetConfig, MethodConfig, Prop2DiffMethod, SamplingConfig, UniformMethod, VanillaMethod
from dartune.sampling.ledger import Ledger
from dartune.simulation.events import Ended, play
from dartune.simulation.scripted import ScriptedTries
from dartune.simulation.simulate import Simulation, SimulationProgress, simulate
from simulated_queries import population, spread

UNIFORM = UniformMethod(policy="uniform", k=6, max_trials=60)
METHODS: dict[str, MethodConfig] = {
    "vrt": VanillaMethod(policy="vanilla", n_trials=5),
    "uniform": UNIFORM,
    "prop2diff": Prop2DiffMethod(policy="prop2diff", k=9, n_pilot=8, max_trials=60),
}


def job(*pass_rates: float, n_places: int, k: int, cap: int, **changes: Any) -> Simulation:
    """Uniform on queries whose every response is one token long."""
    return Simulation(
        methods={"uniform": UniformMethod(policy="uniform", k=k, max_trials=cap)},
        rates=population(*pass_rates),
        n_places=n_places,
        sampling=SamplingConfig(max_new_tokens=1, **changes),
    )


def test_a_case_by_hand() -> None:
    """Of four places, the first turn fills all, and the second two: 2 + 2 + 2 correct."""
    report = simulate(job(1, 1, 1, n_places=4, k=2, cap=9))
    assert (report.n_raw, report.n_correct, report.n_kept, report.n_tokens, report.makespan) == (6, 6, 6, 6, 2)
    assert report.occupancy == 6 / 8
    assert report.makespan_over_bound == 8 / 6
    assert report.surplus == report.n_ahead == 0


def test_a_hopeless_query_by_hand() -> None:
    """Strict: two in flight, then the one that the cap leaves. Ahead: all at once, two of them for nothing."""
    strict = simulate(job(0, n_places=2, k=2, cap=3))
    assert (strict.n_raw, strict.n_kept, strict.makespan, strict.occupancy) == (3, 0, 2, 3 / 4)
    (level,) = strict.methods["uniform"]
    assert (level.n_queries, level.n_covered, level.n_wanted, level.fill, level.coverage) == (1, 0, 2, 0.0, 0.0)
    ahead = simulate(job(1, n_places=8, k=2, cap=9, speculation=1.0))
    assert (ahead.n_raw, ahead.n_ahead, ahead.n_kept, ahead.makespan) == (4, 2, 2, 1)
    assert ahead.surplus == 0.5
    assert ahead.makespan_over_bound == 8 / 2


def test_every_key_is_asked_once_within_its_cap_and_places() -> None:
    rates, cap = spread(60), 40
    ledger = Ledger({query_id: [uniform(6, max_trials=cap)] for query_id in rates.query_ids}, speculation=0.5)
    ended = list(play(ledger, ScriptedTries(rates), n_places=16, start=5))
    assert [e.time for e in ended] == sorted(e.time for e in ended)
    assert max(Counter(e.key for e in ended).values()) == 1
    for query_id in rates.query_ids:
        trials = sorted(e.key.trial for e in ended if e.key.query_id == query_id)
        assert trials == list(range(len(trials)))
        assert 6 <= len(trials) <= cap
    starts, ends = ([e.time - e.n_tokens for e in ended], [e.time for e in ended])
    assert min(starts) == 5
    assert max(sum(s <= at < e for s, e in zip(starts, ends, strict=True)) for at in starts) == 16


def test_the_same_job_gives_the_same_report() -> None:
    work = Simulation(methods=METHODS, rates=spread(40), n_places=32, sampling=SamplingConfig(speculation=1.0))
    assert asdict(simulate(work)) == asdict(simulate(work))
    assert simulate(work).n_tokens != simulate(replace(work, seed=1)).n_tokens


@pytest.mark.parametrize("speculation", [0.0, 0.5, 1.0])
def test_methods_are_charged_and_given_what_their_tries_in_order_say(speculation: float) -> None:
    rates = spread(80)
    work = Simulation(
        methods=METHODS, rates=rates, n_places=24, sampling=SamplingConfig(speculation=speculation, max_new_tokens=2048)
    )
    report = simulate(work)
    tries = ScriptedTries(rates)
    outcomes = [tries.first(row, 60).is_correct.tolist() for row in range(80)]
    needed = [n_trials_needed(o, uniform(6, max_trials=60)) for o in outcomes]
    assert sum(level.n_raw for level in report.methods["uniform"]) == sum(needed)
    assert sum(level.n_kept for level in report.methods["uniform"]) == sum(min(6, sum(o)) for o in outcomes)
    assert sum(level.n_raw for level in report.methods["vrt"]) == 5 * 80
    assert sum(level.n_kept for level in report.methods["vrt"]) == sum(sum(o[:5]) for o in outcomes)
    assert [level.n_queries for level in report.methods["prop2diff"]] == [27, 27, 26]
    assert report.n_kept <= report.n_correct <= report.n_raw
    assert (report.n_ahead > 0) == (speculation > 0)
    assert 0 <= report.surplus <= report.n_ahead / report.n_correct
    assert report.occupancy == report.n_tokens / (24 * report.makespan)


def test_speculation_shortens_a_hard_tail_and_changes_no_choice() -> None:
    method = UniformMethod(policy="uniform", k=3, max_trials=250)
    work = Simulation(methods={"uniform": method}, rates=spread(150), n_places=64)
    strict, ahead = (simulate(replace(work, sampling=SamplingConfig(speculation=s))) for s in (0.0, 1.0))
    assert ahead.methods == strict.methods
    assert ahead.mean_tokens_chosen == strict.mean_tokens_chosen
    assert ahead.occupancy > 0.93 > strict.occupancy
    assert ahead.surplus < 0.01
    assert (strict.makespan - ahead.makespan) * 64 > 3 * ahead.n_tokens_ahead


def test_who_watches_sees_the_samples_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dartune.simulation.simulate, "_REPORT_EVERY", 50)
    seen: list[SimulationProgress] = []
    report = simulate(Simulation(methods=METHODS, rates=spread(30), n_places=8), seen.append)
    assert [progress.n_samples for progress in seen] == list(range(50, report.n_raw + 1, 50))
    assert all(a.n_tokens < b.n_tokens for a, b in itertools.pairwise(seen))
    assert seen[-1].expected_tries < 50 < max(progress.expected_tries for progress in seen)


def z_of_lengths(n_tokens: list[int], mean: float, spread: float) -> float:
    """Standard errors between the mean of lengths and what it is to be."""
    return float((np.mean(n_tokens) - mean) / (spread / np.sqrt(len(n_tokens))))


def test_the_choice_is_free_of_length_bias_though_the_first_to_arrive_are_short() -> None:
    """Far more places than strict mode fills, so much is tried ahead, and what is surplus could be chosen by length."""
    n, k = 1500, 2
    rates = population(*np.linspace(0.1, 0.9, n), mean_tokens=400)
    tries = ScriptedTries(rates, max_new_tokens=10**6)
    ledger = Ledger({query_id: [uniform(k, max_trials=64)] for query_id in rates.query_ids}, speculation=1.0)
    arrived: dict[str, list[Ended]] = {query_id: [] for query_id in rates.query_ids}
    for ended in play(ledger, tries, n_places=10 * n):
        if ended.is_correct:
            arrived[ended.key.query_id].append(ended)
    lengths = 400.0, 400.0 * np.sqrt(np.exp(0.25) - 1)
    all_correct = [e.n_tokens for of_query in arrived.values() for e in of_query]
    first_by_trial = [e.n_tokens for q in arrived.values() for e in sorted(q, key=lambda e: e.key.trial)[:k]]
    first_to_arrive = [e.n_tokens for of_query in arrived.values() for e in of_query[:k]]
    assert len(all_correct) > 1.2 * len(first_by_trial)
    assert abs(z_of_lengths(all_correct, *lengths)) < 3
    assert abs(z_of_lengths(first_by_trial, *lengths)) < 3
    assert z_of_lengths(first_to_arrive, *lengths) < -5
    report = simulate(
        Simulation(
            methods={"uniform": UniformMethod(policy="uniform", k=k, max_trials=64)},
            rates=rates,
            n_places=10 * n,
            sampling=SamplingConfig(speculation=1.0, max_new_tokens=10**6),
        )
    )
    assert report.mean_tokens_chosen == np.mean(first_by_trial)
    assert report.mean_tokens_correct == np.mean(all_correct)


@pytest.mark.parametrize("tokens", [20_000, 60_000])
def test_a_budget_ends_the_run_about_where_it_is_spent(tokens: int) -> None:
    work = Simulation(methods={"uniform": UNIFORM}, rates=spread(100), n_places=8, budget=BudgetConfig(tokens=tokens))
    report = simulate(work)
    assert 0.9 * tokens < report.n_tokens < 1.15 * tokens
    assert simulate(replace(work, budget=None)).n_tokens > 100_000
