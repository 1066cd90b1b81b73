"""Whole runs on real vLLM, in process and through its server: to the end, interrupted, killed, and gone on with."""

import json
import os
import signal
from pathlib import Path

import pytest

from asking import VLLM_OPTIONS
from dartune.pool.overview import find_faults
from running import (
    RECIPE,
    Rows,
    assert_gone,
    counted,
    family,
    finish,
    kill,
    rows_on_disk,
    start,
    unmet,
    wait_for_more,
)

N_PLACES = 16
"""Few, so that a run is long enough to be interrupted."""


def in_process(request: pytest.FixtureRequest) -> dict[str, object]:
    model = request.getfixturevalue("teacher")
    return {"name": "vllm", "model": model, "dtype": "float32", "n_places": N_PLACES, "options": VLLM_OPTIONS}


def over_http(request: pytest.FixtureRequest) -> dict[str, object]:
    url = request.getfixturevalue("server")
    return {"name": "openai_http", "model": "teacher", "base_urls": [url], "max_in_flight": N_PLACES}


@pytest.fixture(params=[in_process, over_http], ids=["in process", "over http"])
def recipe(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    settings = request.param(request)
    # JSON's strings, numbers, true and false are TOML's; its objects need "=".
    options = settings.pop("options", {})
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    lines += [f"options.{name} = {json.dumps(value)}" for name, value in options.items()]
    path = tmp_path / "vllm.toml"
    path.write_text(RECIPE + "[engine]\n" + "\n".join(lines))
    return path


@pytest.mark.timeout(400)
def test_a_run_that_is_interrupted_and_killed_ends_as_one_that_is_not(recipe: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    n_interrupted = interrupt(recipe, broken)
    n_killed = kill_later(recipe, broken, n_interrupted)
    before = rows_on_disk(broken)
    finish(recipe, broken)
    after = rows_on_disk(broken)
    assert 0 < n_interrupted < n_killed < len(after)
    assert before.items() <= after.items()
    assert unmet(after) == []
    assert find_faults(broken / "pool") == []
    assert [row for row in after.values() if row["failure"] is not None] == []

    whole = tmp_path / "whole"
    finish(recipe, whole)
    assert_same(after, rows_on_disk(whole))


def interrupt(recipe: Path, out: Path) -> int:
    """Ctrl-C in the terminal, which reaches every process of the run; how many samples there are then."""
    process = start(recipe, out)
    wait_for_more(process, out, 0)
    processes = family(process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors[-4000:]
    assert "run the same command to go on" in errors
    assert_gone(processes, within_s=10)
    return len(rows_on_disk(out))


def kill_later(recipe: Path, out: Path, n_before: int) -> int:
    process = start(recipe, out)
    wait_for_more(process, out, n_before)
    processes = family(process)
    kill(process)
    assert_gone(processes, within_s=60)
    return len(rows_on_disk(out))


def assert_same(broken: Rows, whole: Rows) -> None:
    # A random number on the very edge between two tokens may fall otherwise in another batch (benchmarks/near_ties.py).
    shared = broken.keys() & whole.keys()
    n_changed = sum(broken[key]["response"] != whole[key]["response"] for key in shared)
    assert n_changed <= len(shared) // 500
    if n_changed == 0:
        assert counted(broken) == counted(whole)
