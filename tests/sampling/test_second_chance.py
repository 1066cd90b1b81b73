"""A query that nothing solves is asked in another way before the rest of its cap is spent."""

from collections import Counter
from pathlib import Path

import pytest

from dartune.config import UniformMethod, VanillaMethod
from dartune.errors import ConfigError
from dartune.methods import method_targets
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.stages import Run
from dartune.pool import read_samples
from dartune.pool.overview import find_faults
from dartune.recipes import load_recipe
from dartune.sampling.phases import Hold, final, held, is_held, pilot, second
from dartune.types import Target
from fake_recipe import write_recipe

METHODS = {"uniform": UniformMethod(policy="uniform", k=3, max_trials=40)}
HOLD = Hold(after=10, n_trials=8)
NEVER = dict.fromkeys(range(10), False)
LATE = {**NEVER, 9: True}
CHANCE = """
[second_chance]
after = 12
n_trials = 20
temperature = 0.5
template = "boxed"
engine = { name = "fake", pass_rates = [0.9] }
"""


def test_only_queries_without_a_correct_response_in_their_first_tries_are_held() -> None:
    assert is_held(NEVER, 10)
    assert is_held({**NEVER, 10: True, 11: True}, 10)
    assert not is_held(LATE, 10)
    assert not is_held({trial: False for trial in range(9)}, 10)
    assert not is_held({**NEVER, 4: None}, 10)  # a try that the engine failed says nothing
    assert is_held({**NEVER, 4: None, 10: False}, 10)
    assert not is_held({}, 10)


def test_the_phases_lead_from_the_hold_through_the_second_chance_to_the_cap() -> None:
    ids, outcomes = ["never", "late"], {"never": NEVER, "late": LATE}
    assert pilot(METHODS, ids) == {}
    assert held(METHODS, ids, outcomes, HOLD)["never"] == [Target(n_correct=3, max_trials=40, caps=(10, 40, 40))]
    assert second(METHODS, ids, outcomes, HOLD) == {"never": [Target(n_correct=3, max_trials=18)]}
    assert final(METHODS, ids, outcomes) == {i: method_targets(METHODS["uniform"], [i], outcomes) for i in ids}


def test_tries_alone_and_caps_below_the_hold_stay_as_they_are() -> None:
    methods = {
        "vrt": VanillaMethod(policy="vanilla", n_trials=5),
        "short": UniformMethod(policy="uniform", k=3, max_trials=9),
    }
    assert held(methods, ["a"], {}, HOLD) == final(methods, ["a"], {})


@pytest.mark.parametrize("n_calls", [1, 2])
def test_a_recipe_gives_unsolved_queries_a_second_chance(n_calls: int, tmp_path: Path) -> None:
    settings = [
        "engine.pass_rates=[0.9, 0.9, 0.9, 0.9, 0.02]",
        'methods={uniform = {policy = "uniform", k = 4, max_trials = 48}}',
    ]
    recipe = load_recipe(write_recipe(tmp_path, more=CHANCE), settings)
    run = Run(recipe=recipe, folder=RunFolder(path=tmp_path / "run"))
    run.check()
    reports = [run.sample() for _ in range(n_calls)]
    assert [report.n_samples for report in reports[1:]] == [0] * (n_calls - 1)
    rows = read_samples(run.folder.pool).to_pylist()
    assert find_faults(run.folder.pool) == []
    second_rows = [row for row in rows if row["template"] == "boxed"]
    assert {row["temperature"] for row in second_rows} == {0.5}
    assert {row["temperature"] for row in rows} == {0.5, recipe.sampling.temperature}
    assert len({row["model"] for row in rows}) == 2
    trials = Counter(row["trial"] for row in second_rows)
    assert min(trials) == 12
    assert max(trials) < 32
    solved_before = {row["query_id"] for row in rows if row["trial"] < 12 and row["verdict"] == "correct"}
    assert solved_before.isdisjoint(row["query_id"] for row in second_rows)
    assert len(solved_before) + len({row["query_id"] for row in second_rows}) == 100
    solved = {row["query_id"] for row in rows if row["verdict"] == "correct"}
    assert len(solved) == 100
    run.curate()


def test_a_run_that_was_cut_off_in_the_second_chance_ends_with_the_same_samples(tmp_path: Path) -> None:
    settings = [
        "engine.pass_rates=[0.9, 0.9, 0.9, 0.9, 0.02]",
        'methods={uniform = {policy = "uniform", k = 4, max_trials = 48}}',
    ]
    whole = Run(
        recipe=load_recipe(write_recipe(tmp_path, more=CHANCE), settings), folder=RunFolder(path=tmp_path / "a")
    )
    whole.sample()
    n_tokens = sum(read_samples(whole.folder.pool)["n_tokens"].to_pylist())
    for share in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        budget = [f"budget.tokens={share * n_tokens}", 'sampling.order="longest"']
        recipe = load_recipe(write_recipe(tmp_path, more=CHANCE), settings + budget)
        assert Run(recipe=recipe, folder=RunFolder(path=tmp_path / "b")).sample().is_spent
    cut = Run(recipe=whole.recipe, folder=RunFolder(path=tmp_path / "b"))
    cut.sample()
    columns = ["query_id", "trial", "response", "verdict", "model", "template", "temperature"]
    one, other = (sorted(map(str, read_samples(run.folder.pool, columns).to_pylist())) for run in (whole, cut))
    assert one == other


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[second_chance]\nafter = 20\nn_trials = 9\n", "one of temperature, top_p, max_new_tokens, template, engine"),
        ("[second_chance]\nafter = 6\nn_trials = 9\ntop_p = 1.0\n", "less than methods.prop2diff.n_pilot (8)"),
        ("[second_chance]\nafter = 96\nn_trials = 9\ntop_p = 1.0\n", "must be less than some method's max_trials"),
        ('[second_chance]\nafter = 20\nn_trials = 9\ntemplate = "latin"\n', "latin"),
    ],
)
def test_a_second_chance_that_cannot_be_is_one_clear_line(more: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Run(recipe=load_recipe(write_recipe(tmp_path, more=more)), folder=RunFolder(path=tmp_path / "run")).check()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
