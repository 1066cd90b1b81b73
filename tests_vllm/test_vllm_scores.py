"""`dartune evaluate` on a real vLLM server: killed in the middle, gone on with, and held against one that was not."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dartune.config import QueriesConfig
from dartune.pool import read_samples
from dartune.pool.overview import find_faults
from dartune.queries import load_queries
from engine_parts.vllm_counts import settled_counts
from running import Rows, kill

N_PROBLEMS = 180
TOO_LONG = "1 " * 600
"""More words, and so more tokens, than the model's window of 512."""
DEADLINE_S = 200


@pytest.fixture
def problems(tmp_path: Path) -> list[str]:
    """Problems that the teacher can solve, and in their middle one that does not fit."""
    queries = load_queries(QueriesConfig(source="world/train", limit=N_PROBLEMS)).queries
    rows = [{"text": query.text, "ref_answer": query.ref_answer, "level": query.level} for query in queries]
    rows.insert(N_PROBLEMS // 2, {"text": TOO_LONG, "ref_answer": "600", "level": 1})
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["--benchmarks", str(path)]


@pytest.fixture
def six() -> list[str]:
    """As many problems of the paper's benchmarks."""
    for folder in (os.environ.get("DARTUNE_DATA"), Path(__file__).parents[2] / "shared" / "data"):
        if folder is not None and Path(folder).is_dir():
            return ["--benchmarks", "six", "--limit", str(N_PROBLEMS // 6), "--data-dir", str(folder)]
    pytest.skip("the benchmark data folder is absent: set DARTUNE_DATA to it")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("asked", "failures"), [("problems", {"context_too_long": 1}), ("six", {})])
def test_a_killed_evaluation_keeps_what_it_has_and_scores_as_a_whole_one(
    request: pytest.FixtureRequest, server: str, tmp_path: Path, asked: str, failures: dict[str, int]
) -> None:
    benchmarks = request.getfixturevalue(asked)
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    kill_early(server, benchmarks, broken)
    before, served_before = rows_on_disk(broken), settled_counts(server)
    shown = finish(server, benchmarks, broken)
    after, served = rows_on_disk(broken), settled_counts(server)
    assert 0 < len(before) < len(after)
    assert before.items() <= after.items()
    assert served.n_answered - served_before.n_answered == n_answered(after) - n_answered(before)
    assert find_faults(broken) == []
    assert ("(context_too_long 1)" in shown) == bool(failures)

    finish(server, benchmarks, whole)
    assert scores(broken)["failures"] == scores(whole)["failures"] == failures
    assert_same(after, rows_on_disk(whole))
    assert n_correct(broken) == pytest.approx(n_correct(whole), abs=n_near_ties(after))


def start(server: str, benchmarks: list[str], out: Path, *changes: str) -> subprocess.Popen[str]:
    settings = [f'engine.base_urls=["{server}"]', "evaluation.max_new_tokens=512", *changes]
    more = [part for setting in settings for part in ("--set", setting)]
    command = ["evaluate", "teacher", "--engine", "openai_http", "--template", "world", "--out", str(out), "--quiet"]
    return subprocess.Popen(
        [sys.executable, "-m", "dartune", *command, *benchmarks, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_early(server: str, benchmarks: list[str], out: Path) -> None:
    """At the first rows on the disk. One request at a time, so that most of the work is still to come then."""
    process = start(server, benchmarks, out, "engine.max_in_flight=1")
    deadline_s = time.monotonic() + DEADLINE_S
    while not rows_on_disk(out):
        assert process.poll() is None, process.communicate()[1][-4000:]
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    kill(process)


def finish(server: str, benchmarks: list[str], out: Path) -> str:
    """What it prints."""
    process = start(server, benchmarks, out)
    shown, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, errors[-4000:]
    return shown


def rows_on_disk(pool: Path) -> Rows:
    """Every row that a reader finds now; a pool that is not there yet is empty."""
    rows = read_samples(pool).to_pylist() if (pool / "pool.json").exists() else []
    assert len({(row["query_id"], row["trial"]) for row in rows}) == len(rows)
    return {(row["query_id"], row["trial"]): row for row in rows}


def n_answered(rows: Rows) -> int:
    return sum(row["failure"] is None for row in rows.values())


def scores(out: Path) -> dict[str, Any]:
    return json.loads((out / "scores.json").read_text())


def n_correct(out: Path) -> int:
    return sum(score["accuracy"]["n_correct"] for score in scores(out)["scores"])


def assert_same(broken: Rows, whole: Rows) -> None:
    assert broken.keys() == whole.keys()
    n_changed = sum(broken[key]["response"] != whole[key]["response"] for key in whole)
    assert n_changed <= n_near_ties(whole)


def n_near_ties(rows: Rows) -> int:
    """How many texts may differ: two tokens equally likely may fall otherwise in another batch."""
    return 1 + len(rows) // 500
