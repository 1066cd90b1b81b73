from dartune.allocation import uniform
from dartune.config import SamplingConfig, UniformMethod
from dartune.simulation.reference_loop import batch_loop
from dartune.simulation.scripted import ScriptedTries
from dartune.simulation.simulate import Simulation, simulate
from simulated_queries import population, spread


def test_a_case_by_hand() -> None:
    """Rounds 0 1 2 0 and 1 2 1 2 of one-token responses, all right: two come in vain."""
    tries = ScriptedTries(population(1, 1, 1), max_new_tokens=1)
    report = batch_loop(tries, [uniform(2, max_trials=9)] * 3, n_batch=4, n_places=2)
    assert (report.n_raw, report.n_kept, report.n_ahead, report.makespan) == (8, 6, 2, 4)
    assert (report.occupancy, report.surplus, report.makespan_over_bound) == (1.0, 2 / 8, 4 / 3)


def test_no_query_is_asked_beyond_its_cap() -> None:
    tries = ScriptedTries(population(0, 0), max_new_tokens=1)
    report = batch_loop(tries, [uniform(2, max_trials=5)] * 2, n_batch=4, n_places=4)
    assert (report.n_raw, report.makespan) == (10, 3)


def test_it_gives_the_same_set_as_the_ledger_later() -> None:
    rates = spread(150)
    ours = simulate(
        Simulation(
            methods={"uniform": UniformMethod(policy="uniform", k=8, max_trials=128)},
            rates=rates,
            n_places=32,
            sampling=SamplingConfig(speculation=1.0),
        )
    )
    targets = [uniform(8, max_trials=128)] * 150
    for n_batch in (64, 256, 1024):
        theirs = batch_loop(ScriptedTries(rates), targets, n_batch=n_batch, n_places=32)
        assert theirs.methods == ours.methods
        assert theirs.makespan > 1.05 * ours.makespan
    assert theirs.surplus > 5 * ours.surplus
