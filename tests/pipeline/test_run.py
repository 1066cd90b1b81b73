import json
from pathlib import Path

import pytest

from dartune.analysis.summary import RunSummary, read_summary
from dartune.errors import ConfigError, DartuneError, InputError
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.processes import Task, run_tasks
from dartune.pipeline.run import Observer, run_recipe
from dartune.pipeline.study import study_cells
from dartune.recipes import load_recipe
from fake_recipe import write_recipe

QUIET = Observer(announce=lambda line: None)


def test_a_run_without_models_leaves_sets_summary_and_report(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    lines: list[str] = []
    folder = RunFolder(path=tmp_path / "run")
    summary = run_recipe(recipe, folder, Observer(announce=lines.append))
    assert read_summary(folder.summary) == summary
    assert {m.name: m.n_examples for m in summary.methods} == {"vrt": 200, "uniform": 200, "prop2diff": 200}
    assert summary.methods[0].n_raw == 700
    assert summary.methods[0].fill is None
    assert summary.methods[1].fill is not None
    assert summary.methods[1].fill > 0.95
    assert summary.pool.n_raw >= max(m.n_raw for m in summary.methods)
    hardest = [m.levels[-1] for m in summary.methods]
    assert hardest[0].coverage < hardest[1].coverage <= 1.0
    assert len(summary.hard_examples) == 6
    assert summary.hard_examples[0].fail_rate >= summary.hard_examples[-1].fail_rate > 0.5
    assert "small" in folder.report.read_text()
    assert any("200 examples" in line for line in lines)


def test_a_second_run_samples_nothing_and_says_the_same(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path))
    folder = RunFolder(path=tmp_path / "run")
    first = run_recipe(recipe, folder, QUIET)
    shards = sorted(folder.pool.glob("shard*"))
    second = run_recipe(recipe, folder, QUIET)
    assert sorted(folder.pool.glob("shard*")) == shards
    assert second.methods == first.methods
    assert second.hard_examples == first.hard_examples


def test_a_folder_of_another_recipe_is_refused_with_what_differs(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    folder = RunFolder(path=tmp_path / "run")
    folder.claim(load_recipe(path, ["seed=9"]))
    folder.claim(load_recipe(path))
    folder.pool.mkdir()
    with pytest.raises(ConfigError) as caught:
        folder.claim(load_recipe(path, ["seed=4", "sampling.temperature=1.0", "engine.n_places=9"]))
    assert "(seed: there 3, given 4; sampling.temperature: there 1.6, given 1.0);" in str(caught.value)
    assert load_recipe(folder.recipe) == load_recipe(path)


def test_a_recipe_may_grow_on_the_same_pool(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    folder = RunFolder(path=tmp_path / "run")
    first = run_recipe(load_recipe(path), folder, QUIET)
    more = load_recipe(path, ["methods.wide={policy='uniform',k=6,max_trials=96}", "queries.limit=120"])
    second = run_recipe(more, folder, QUIET)
    assert [m.name for m in second.methods] == ["vrt", "uniform", "prop2diff", "wide"]
    assert second.pool.n_queries == 120
    assert second.pool.n_raw > first.pool.n_raw


def test_cells_of_a_study_are_ordinary_recipes(tmp_path: Path) -> None:
    more = '[study]\nseeds = [1, 2]\n[study.variants.a]\n[study.variants.b]\n"queries.limit" = 9\n'
    cells = study_cells(load_recipe(write_recipe(tmp_path, more=more)))
    assert [(variant, cell.name, cell.seed, cell.queries.limit) for variant, cell in cells] == [
        ("a", "a-1", 1, 100),
        ("a", "a-2", 2, 100),
        ("b", "b-1", 1, 9),
        ("b", "b-2", 2, 9),
    ]
    assert all(cell.study is None for _, cell in cells)


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_a_study_runs_its_cells_as_processes_and_gathers_them(tmp_path: Path) -> None:
    from dartune.cli.main import run

    more = "[study]\nseeds = [1, 2]\n[study.variants.a]\n"
    path = write_recipe(tmp_path, more=more)
    out = tmp_path / "study"
    assert run(["run", str(path), "--out", str(out), "--jobs", "2", "--quiet"]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert [cell["seed"] for cell in summary["cells"]] == [1, 2]
    cell = read_summary(out / "a-2" / "summary.json")
    assert isinstance(cell, RunSummary)
    assert cell.seed == 2


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_a_failing_job_names_its_log_and_stops_the_others(tmp_path: Path) -> None:
    bad = Task(name="bad", commands=[["run", "nowhere"]], log=tmp_path / "logs" / "bad.txt")
    never = Task(name="never", commands=[["run", "nowhere"]], log=tmp_path / "logs" / "never.txt")
    done: list[str] = []
    with pytest.raises(InputError, match=r"bad failed \(error: nowhere: no such recipe.*bad\.txt"):
        run_tasks([bad, never], n_at_once=1, announce=done.append)
    assert done == []


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_a_failure_that_is_not_the_users_is_not_called_bad_input(tmp_path: Path) -> None:
    task = Task(name="odd", commands=[["pool", "show"], ["--nonsense"]], log=tmp_path / "odd.txt")
    with pytest.raises(DartuneError, match="odd failed"):
        run_tasks([task], n_at_once=1, announce=lambda line: None)
