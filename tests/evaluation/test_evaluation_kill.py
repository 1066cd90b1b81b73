"""An evaluation that is killed goes on, asks nothing twice, and has the scores of one that was not."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dartune.evaluation.metrics import Score
from dartune.evaluation.results import read_evaluation
from dartune.pool import read_samples
from dartune.pool.overview import find_faults
from dartune.pool.schema import list_shards
from evaluations import write_problems

PROBLEMS = {f"What is {i}+{i}?": str(2 * i) for i in range(120)}


def start(problems: Path, out: Path, latency_s: float) -> subprocess.Popen[bytes]:
    changes = ("engine.pass_rates=[0.5]", "engine.n_places=4", f"engine.latency_s={latency_s}")
    more = [part for change in changes for part in ("--set", change)]
    command = ["evaluate", "fake", "--engine", "fake", "--benchmarks", str(problems), "--out", str(out), "--quiet"]
    return subprocess.Popen([sys.executable, "-m", "dartune", *command, *more], stdout=subprocess.DEVNULL)


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_a_killed_evaluation_goes_on(tmp_path: Path) -> None:
    problems = write_problems(tmp_path / "problems.jsonl", PROBLEMS, level=1)
    killed = start(problems, tmp_path / "killed", 0.2)
    while not (tmp_path / "killed" / "pool.json").exists() or not list_shards(tmp_path / "killed"):
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    killed.kill()
    killed.wait()
    n_before = len(read_samples(tmp_path / "killed", ["query_id"]))
    assert 0 < n_before < len(PROBLEMS)
    for out in ("killed", "whole"):
        assert start(problems, tmp_path / out, 0.0).wait() == 0
    assert find_faults(tmp_path / "killed") == []
    rows = [read_evaluation(tmp_path / out).rows(str(problems)) for out in ("killed", "whole")]
    assert rows[0] == rows[1]
    scores = json.loads((tmp_path / "killed" / "scores.json").read_text())["scores"]
    assert scores[0]["accuracy"]["n_correct"] == Score.of_rows(rows[0]).n_correct
