"""kill -9 at 20 random moments of a real run, and Ctrl-C: nothing acknowledged is lost and the outcome is the same."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dartune.errors import FolderBusy
from dartune.pool import PoolWriter, Provenance, read_samples, read_settings
from dartune.pool.overview import find_faults
from dartune.types import SamplingParams
from fake_recipe import write_recipe

N_KILLS = 20

Rows = dict[tuple[str, int], dict[str, Any]]


def start(recipe: Path, out: Path, overrides: Sequence[str], command: str = "sample") -> subprocess.Popen[bytes]:
    changes = [part for override in overrides for part in ("--set", override)]
    return subprocess.Popen(
        [sys.executable, "-m", "dartune", command, str(recipe), "--out", str(out), *changes],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(recipe: Path, out: Path, overrides: Sequence[str], command: str = "sample") -> None:
    process = start(recipe, out, overrides, command)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()


def rows_on_disk(pool: Path) -> Rows:
    """Every sample that a reader finds now; a pool that is not there yet is empty."""
    rows = read_samples(pool).to_pylist() if (pool / "pool.json").exists() else []
    assert len({(row["query_id"], row["trial"]) for row in rows}) == len(rows)
    return {(row["query_id"], row["trial"]): row for row in rows}


def kill_often(recipe: Path, out: Path, overrides: Sequence[str], *, shortest_s: float, longest_s: float) -> int:
    """Kill the run at random moments; whatever is on the disk then stays there. How many kills hit a live run."""
    draw = random.Random(0)
    seen: Rows = {}
    n_hit = 0
    for _ in range(N_KILLS):
        process = start(recipe, out, overrides)
        try:
            process.wait(draw.uniform(shortest_s, longest_s))
        except subprocess.TimeoutExpired:
            n_hit += 1
        process.kill()
        process.communicate()
        now = rows_on_disk(out / "pool")
        assert seen.items() <= now.items()
        seen = now
    finish(recipe, out, overrides)
    assert seen.items() <= rows_on_disk(out / "pool").items()
    assert find_faults(out / "pool") == []
    return n_hit


def chosen(out: Path, method: str) -> pa.Table:
    table = pq.read_table(out / "sets" / method / "train.parquet")
    return table.sort_by([("query_id", "ascending"), ("trial", "ascending")])


@pytest.mark.integration
@pytest.mark.timeout(400)
@pytest.mark.parametrize("speculation", [0.0, 0.5])
def test_twenty_kills_leave_the_same_chosen_sets(tmp_path: Path, speculation: float) -> None:
    # About 20 s of sampling when undisturbed, so that kills fall into every phase of it.
    overrides = ["engine.n_places=16", f"sampling.speculation={speculation}"]
    slow = write_recipe(tmp_path, latency_s=0.15)
    n_hit = kill_often(slow, tmp_path / "killed", overrides, shortest_s=0.3, longest_s=4.0)
    assert n_hit >= N_KILLS // 2
    fast = write_recipe(tmp_path)
    finish(fast, tmp_path / "whole", overrides)
    for out, recipe in (("killed", write_recipe(tmp_path, latency_s=0.15)), ("whole", write_recipe(tmp_path))):
        finish(recipe, tmp_path / out, overrides, "curate")
    for method in ("vrt", "uniform", "prop2diff"):
        assert chosen(tmp_path / "killed", method).equals(chosen(tmp_path / "whole", method))
    if speculation == 0.0:
        assert rows_on_disk(tmp_path / "killed" / "pool") == rows_on_disk(tmp_path / "whole" / "pool")


@pytest.mark.integration
@pytest.mark.timeout(900)
def test_twenty_kills_of_a_real_model_leave_the_same_chosen_sets(tmp_path: Path) -> None:
    model = """engine={name='transformers',model='world:teacher-a',n_places=4,n_threads=1}"""
    overrides = [
        model,
        "queries.limit=250",
        "sampling.temperature=1.0",
        "sampling.top_p=1.0",
        "sampling.max_new_tokens=160",
    ]
    recipe = write_recipe(tmp_path)
    # Importing torch takes seconds, so that shorter lives would sample nothing.
    n_hit = kill_often(recipe, tmp_path / "killed", overrides, shortest_s=2.0, longest_s=14.0)
    assert n_hit >= N_KILLS // 2
    finish(recipe, tmp_path / "whole", [*overrides, "engine.n_places=64"])
    killed, whole = (rows_on_disk(tmp_path / out / "pool") for out in ("killed", "whole"))
    # A random number on the very edge between two tokens may fall otherwise in another batch (benchmarks/near_ties.py).
    shared = killed.keys() & whole.keys()
    n_changed = sum(killed[key]["response"] != whole[key]["response"] for key in shared)
    assert n_changed <= len(shared) // 1000
    if n_changed == 0:
        for out in ("killed", "whole"):
            finish(recipe, tmp_path / out, overrides, "curate")
        for method in ("vrt", "uniform", "prop2diff"):
            assert chosen(tmp_path / "killed", method).equals(chosen(tmp_path / "whole", method))


@pytest.mark.integration
@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_cleanly_and_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    recipe = write_recipe(tmp_path, latency_s=0.3)
    out = tmp_path / "run"
    process = start(recipe, out, [], "run")
    while not rows_on_disk(out / "pool"):
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "run the same command to go on" in errors.decode()
    assert "Traceback" not in errors.decode()
    assert find_faults(out / "pool") == []
    n_before = len(read_samples(out / "pool"))
    finish(recipe, out, ["engine.n_places=256"], "run")
    assert len(read_samples(out / "pool")) > n_before


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_jobs_end_with_the_run_that_started_them(tmp_path: Path) -> None:
    study = "[study]\nseeds = [1]\n[study.variants.a]\n"
    recipe = write_recipe(tmp_path, latency_s=0.5, more=study)
    process = start(recipe, tmp_path / "run", ["engine.n_places=4"], "run")
    pool = tmp_path / "run" / "a-1" / "pool"
    while not rows_on_disk(pool):
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while True:
        try:
            with PoolWriter(pool, provenance_of(pool)):
                break
        except FolderBusy:
            assert time.monotonic() < deadline, "the job still writes to its pool"
            time.sleep(0.1)
    assert find_faults(pool) == []


def provenance_of(pool: Path) -> Provenance:
    settings = read_settings(pool)
    params = SamplingParams()
    assert (settings["temperature"], settings["top_p"]) == (params.temperature, params.top_p)
    return Provenance(model=str(settings["model"]), template=str(settings["template"]), params=params, run_seed=1)
