"""`dartune sample` in a process of its own, and what it leaves on the disk and in the process table."""

import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

from dartune.pool import read_samples

RECIPE = """
name = "vllm"
seed = 3
[queries]
source = "world/train"
limit = 300
[prompt]
template = "world"
[sampling]
temperature = 1.0
top_p = 1.0
max_new_tokens = 160
[methods.vrt]
policy = "vanilla"
n_trials = 4
[methods.uniform]
policy = "uniform"
k = 3
max_trials = 24
[curation]
n_examples = 200
"""
N_QUERIES, N_TRIALS, K, MAX_TRIALS = 300, 4, 3, 24

Rows = dict[tuple[str, int], dict[str, Any]]


def start(recipe: Path, out: Path) -> subprocess.Popen[str]:
    """The command, in a session of its own, as from a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "dartune", "sample", str(recipe), "--out", str(out), "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(recipe: Path, out: Path) -> None:
    process = start(recipe, out)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors[-4000:]


def rows_on_disk(out: Path) -> Rows:
    """Every sample that a reader finds now; a pool that is not there yet is empty."""
    pool = out / "pool"
    rows = read_samples(pool).to_pylist() if (pool / "pool.json").exists() else []
    assert len({(row["query_id"], row["trial"]) for row in rows}) == len(rows)
    return {(row["query_id"], row["trial"]): row for row in rows}


def wait_for_more(process: subprocess.Popen[str], out: Path, n_rows: int) -> None:
    """Until the pool has more than `n_rows`; the run must still be going on."""
    deadline_s = time.monotonic() + 120
    while len(rows_on_disk(out)) <= n_rows:
        assert process.poll() is None, process.communicate()[1][-4000:]
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def assert_gone(processes: list[psutil.Process], within_s: float) -> None:
    """A process without a parent that waits for it stays in the table when it has ended."""
    deadline_s = time.monotonic() + within_s
    while alive := [process for process in processes if is_alive(process)]:
        assert time.monotonic() < deadline_s, alive
        time.sleep(0.1)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=60)


def unmet(rows: Rows) -> list[str]:
    """Queries that do not have what the recipe's methods ask for."""
    tries = verdicts(rows)
    assert len(tries) == N_QUERIES
    return [query_id for query_id, right in tries.items() if n_counted(right) > len(right)]


def counted(rows: Rows) -> set[tuple[str, int]]:
    """The tries that the methods count: which are asked for ahead of the last answers depends on when those come."""
    tries = verdicts(rows)
    return {(query_id, trial) for query_id, trial in rows if trial < n_counted(tries[query_id])}


def verdicts(rows: Rows) -> dict[str, list[bool]]:
    """Whether each try of a query is right, by trial."""
    tries: dict[str, list[bool]] = defaultdict(list)
    for query_id, trial in sorted(rows):
        assert trial == len(tries[query_id])
        tries[query_id].append(rows[query_id, trial]["verdict"] == "correct")
    return tries


def n_counted(right: list[bool]) -> int:
    """How many tries the two methods need of a query whose tries are right or not as in `right`."""
    kth = [n for n, _ in enumerate(right, start=1) if sum(right[:n]) == K]
    return max(N_TRIALS, kth[0] if kth else MAX_TRIALS)
