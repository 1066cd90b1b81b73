import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dartune.analysis.summary import RoundsSummary, read_summary
from dartune.config import TransformersEngineConfig
from dartune.errors import ConfigError
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.rounds import round_runs
from dartune.recipes import load_recipe

TINY = """
name = "tiny"
seed = 3
rounds = 3
[queries]
source = "world/train"
limit = 40
[prompt]
template = "world"
[engine]
name = "transformers"
model = "world:teacher-a"
n_threads = 1
[sampling]
temperature = 1.0
top_p = 1.0
max_new_tokens = 160
[methods.vrt]
policy = "vanilla"
n_trials = 2
[methods.uniform]
policy = "uniform"
k = 2
max_trials = 8
[curation]
n_examples = 60
[training]
model = "world:base-a"
n_epochs = 2
batch_size = 16
device_batch_size = 16
max_length = 256
packing = false
learning_rate = 1e-3
n_threads = 1
[evaluation]
in_domain = ["held-out"]
max_new_tokens = 160
[evaluation.benchmarks.held-out]
source = "world/held-out"
limit = 20
"""


def write_recipe(folder: Path) -> Path:
    path = folder / "tiny.toml"
    path.write_text(TINY)
    return path


def test_every_round_samples_what_the_one_before_has_trained(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path), ["prompt.student=alpaca", "evaluation.include_teacher=true"])
    first, second, third = round_runs(recipe, RunFolder(path=tmp_path / "out"))
    assert [run.recipe.name for run in (*first, *second, *third)] == [
        "round-1",
        "round-2-vrt",
        "round-2-uniform",
        "round-3-vrt",
        "round-3-uniform",
    ]
    sampled = [run.recipe.engine for run in (*first, *second, *third)]
    assert [engine.model for engine in sampled if isinstance(engine, TransformersEngineConfig)] == [
        "world:teacher-a",
        str(tmp_path / "out/round-1/models/vrt-3"),
        str(tmp_path / "out/round-1/models/uniform-3"),
        str(tmp_path / "out/round-2-vrt/models/vrt-3"),
        str(tmp_path / "out/round-2-uniform/models/uniform-3"),
    ]
    assert [list(run.recipe.methods) for run in third] == [["vrt"], ["uniform"]]
    assert [run.recipe.prompt.template for run in (first[0], third[0])] == ["world", "alpaca"]
    assert {run.recipe.rounds for run in (*first, *second, *third)} == {1}
    for run in third:
        assert run.recipe.training is not None
        assert run.recipe.training.model == "world:base-a"
        assert run.recipe.evaluation is not None
        assert not run.recipe.evaluation.include_base
        assert not run.recipe.evaluation.include_teacher


def test_an_engine_that_loads_no_model_is_refused_before_anything_is_sampled(tmp_path: Path) -> None:
    server = "engine={name='openai_http',model='m',base_urls=['http://127.0.0.1:9/v1']}"
    recipe = load_recipe(write_recipe(tmp_path), [server, "evaluation.include_base=false"])
    with pytest.raises(ConfigError, match="'openai_http' cannot load the models of a run"):
        round_runs(recipe, RunFolder(path=tmp_path / "out"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("methods.vrt.equal_tokens_with=uniform", "no other set to match; take curation.n_tokens"),
        ("study={seeds=[1],variants={a={}}}", "rounds: expected 1 in a study"),
        ("rounds=0", "rounds"),
    ],
)
def test_rounds_that_cannot_be_are_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(write_recipe(tmp_path), [override])


def test_rounds_need_a_training(tmp_path: Path) -> None:
    path = tmp_path / "sampling.toml"
    path.write_text(TINY.split("[training]")[0])
    with pytest.raises(ConfigError, match="a later round samples the model that"):
        load_recipe(path)


@pytest.mark.integration
@pytest.mark.timeout(400)
def test_rounds_go_on_where_they_were_interrupted_and_tell_what_each_found(tmp_path: Path) -> None:
    recipe, out = write_recipe(tmp_path), tmp_path / "out"
    process = start(recipe, out)
    while not (out / "round-2-vrt" / "pool").exists():
        assert process.poll() is None, process.communicate()[1][-4000:]
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors[-4000:]
    before = {path: path.stat().st_mtime_ns for path in (out / "round-1" / "pool").glob("shard*")}

    process = start(recipe, out)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-4000:]
    assert {path: path.stat().st_mtime_ns for path in (out / "round-1" / "pool").glob("shard*")} == before
    assert "round 3, uniform: " in errors

    summary = read_summary(out / "summary.json")
    assert isinstance(summary, RoundsSummary)
    rows = {(row.round, row.method.name): row for row in summary.rounds}
    assert list(rows) == [(number, name) for number in (1, 2, 3) for name in ("vrt", "uniform")]
    assert all(0 < row.n_new <= row.n_distinct <= row.method.n_correct for row in rows.values())
    assert all(rows[1, name].n_new == rows[1, name].n_distinct for name in ("vrt", "uniform"))
    assert all(len(row.evaluations) == 1 for row in rows.values())
    assert [row.method for row in summary.references] == ["base"]
    assert rows[1, "vrt"].sampled_model == "world:teacher-a"
    assert rows[3, "vrt"].sampled_model.endswith("round-2-vrt/models/vrt-3")
    # The model that is sampled is the one that was trained: its answers to the same seeds are other ones.
    assert rows[2, "vrt"].n_new > 0
    pool = json.loads((out / "round-2-vrt" / "pool" / "pool.json").read_text())
    assert "round-1/models/vrt-3" in json.dumps(pool)
    assert "What each round found" in (out / "report.html").read_text()


def start(recipe: Path, out: Path) -> subprocess.Popen[str]:
    """The command, in a session of its own, as from a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "dartune", "run", str(recipe), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
