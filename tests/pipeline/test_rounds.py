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
include_base = false
max_new_tokens = 160
[evaluation.benchmarks.held-out]
source = "world/held-out"
limit = 20
"""


VRT = "methods.vrt={policy='vanilla',n_trials=2}"


def write_recipe(folder: Path) -> Path:
    path = folder / "tiny.toml"
    path.write_text(TINY)
    return path


def test_every_round_samples_what_the_one_before_has_trained(tmp_path: Path) -> None:
    more = [VRT, "prompt.student=alpaca", "evaluation.include_teacher=true", "evaluation.include_base=true"]
    recipe = load_recipe(write_recipe(tmp_path), more)
    first, second, third = round_runs(recipe, RunFolder(path=tmp_path / "out"))
    assert [run.recipe.name for run in (*first, *second, *third)] == [
        "round-1",
        "round-2-uniform",
        "round-2-vrt",
        "round-3-uniform",
        "round-3-vrt",
    ]
    sampled = [run.recipe.engine for run in (*first, *second, *third)]
    assert [engine.model for engine in sampled if isinstance(engine, TransformersEngineConfig)] == [
        "world:teacher-a",
        str(tmp_path / "out/round-1/models/uniform-3"),
        str(tmp_path / "out/round-1/models/vrt-3"),
        str(tmp_path / "out/round-2-uniform/models/uniform-3"),
        str(tmp_path / "out/round-2-vrt/models/vrt-3"),
    ]
    assert [list(run.recipe.methods) for run in third] == [["uniform"], ["vrt"]]
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
    recipe = load_recipe(write_recipe(tmp_path), [server])
    with pytest.raises(ConfigError, match="'openai_http' cannot load the models of a run"):
        round_runs(recipe, RunFolder(path=tmp_path / "out"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "methods.vrt={policy='vanilla',n_trials=2,equal_tokens_with='uniform'}",
            "no other set to match; take curation.n_tokens",
        ),
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
    while not (out / "round-2-uniform" / "pool").exists():
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
    assert "round 2, uniform: " in errors

    summary = read_summary(out / "summary.json")
    assert isinstance(summary, RoundsSummary)
    first, second = summary.rounds
    assert (first.round, second.round) == (1, 2)
    assert first.sampled_model == "world:teacher-a"
    assert second.sampled_model.endswith("round-1/models/uniform-3")
    assert first.n_new == first.n_distinct <= first.method.n_correct
    # The model that is sampled is the one that was trained: its answers to the same seeds are other ones.
    assert 0 < second.n_new <= second.n_distinct <= second.method.n_correct
    assert all(len(row.evaluations) == 1 for row in summary.rounds)
    assert "What each round found" in (out / "report.html").read_text()


def start(recipe: Path, out: Path) -> subprocess.Popen[str]:
    """The command, in a session of its own, as from a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "dartune", "run", str(recipe), "--out", str(out), "--set", "rounds=2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
