"""Shards are merged some at a time, at a cost that does not depend on how many there are."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pool_parts import PROVENANCE, fill, sample_of

from dartune import files
from dartune.errors import WriteError
from dartune.pool import PoolWriter, read_outcomes, read_samples, writer
from dartune.pool.schema import list_shards


def spans(pool: Path) -> list[tuple[int, int]]:
    return [(shard.first, shard.last) for shard in list_shards(pool)]


def test_merged_shards_are_merged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MERGE_EVERY", 4)
    fill(tmp_path, [[sample_of("q", trial, True)] for trial in range(23)])
    assert spans(tmp_path) == [(0, 15), (16, 19), (20, 20), (21, 21), (22, 22)]
    assert read_samples(tmp_path)["trial"].to_pylist() == list(range(23))
    assert len(list(tmp_path.glob("shard-*"))) == 5


def test_merging_goes_on_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MERGE_EVERY", 4)
    for trial in range(9):
        fill(tmp_path, [[sample_of("q", trial, True)]])
    assert spans(tmp_path) == [(0, 3), (4, 7), (8, 8)]


def test_large_shards_are_left_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MERGE_EVERY", 4)
    monkeypatch.setattr(writer, "MAX_MERGED_BYTES", 100_000)
    big = os.urandom(50_000).hex()
    fill(tmp_path, [[sample_of("q", trial, True, text=big if trial < 4 else "a")] for trial in range(8)])
    assert spans(tmp_path) == [(0, 0), (1, 1), (2, 2), (3, 6), (7, 7)]


def test_row_groups_of_a_merged_shard_are_no_larger_than_what_was_buffered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MERGE_EVERY", 6)
    monkeypatch.setattr(writer, "MAX_BUFFERED", 5)
    fill(tmp_path, [[sample_of("q", 2 * i, True), sample_of("q", 2 * i + 1, False)] for i in range(6)])
    (shard,) = list_shards(tmp_path)
    metadata = pq.read_metadata(shard.path)
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [4, 4, 4]
    assert read_samples(tmp_path)["trial"].to_pylist() == list(range(12))


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from pool_parts import fill, sample_of
from dartune.pool import writer
writer.MERGE_EVERY = 4
unlink = Path.unlink
n_deleted = 0

def dying(path, missing_ok=False):
    global n_deleted
    if n_deleted == {n_deleted}:
        os.kill(os.getpid(), 9)
    n_deleted += 1
    unlink(path, missing_ok=missing_ok)

Path.unlink = dying
fill(Path({pool!r}), [[sample_of("q", trial, trial % 2 == 0)] for trial in range(4)])
"""


@pytest.mark.parametrize("n_deleted", [0, 1, 3])
def test_a_merge_that_is_killed_loses_and_doubles_nothing(
    tmp_path: Path, n_deleted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = KILLED.format(path=[str(Path(__file__).parent)], pool=str(tmp_path), n_deleted=n_deleted)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == -9, ended.stderr
    assert read_samples(tmp_path)["trial"].to_pylist() == list(range(4))
    monkeypatch.setattr(writer, "MERGE_EVERY", 4)
    fill(tmp_path, [[sample_of("q", trial, None)] for trial in range(4, 17)])
    assert read_samples(tmp_path)["trial"].to_pylist() == list(range(17))
    assert spans(tmp_path) == [(0, 15), (16, 16)]


def test_a_merge_that_the_disk_refuses_stops_the_run_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MERGE_EVERY", 3)
    whole = files.write_atomic

    def refuse_merged(path: Path, write: object) -> None:
        if path.name == "shard-00000000-00000002.parquet":
            raise WriteError(f"{path}: could not be written (No space left on device)")
        whole(path, write)  # type: ignore[arg-type]

    monkeypatch.setattr(writer, "write_atomic", refuse_merged)
    with pytest.raises(WriteError, match="No space left"):
        fill(tmp_path, [[sample_of("q", trial, True)] for trial in range(3)])
    assert read_samples(tmp_path)["trial"].to_pylist() == [0, 1, 2]


def test_megabyte_responses_are_written_before_they_fill_the_memory(tmp_path: Path) -> None:
    n = 100
    longest = "x" * 2**20
    tracemalloc.start()
    with PoolWriter(tmp_path, PROVENANCE) as pool:
        for trial in range(n):
            pool.append(sample_of("q", trial, True, text=longest + str(trial)))
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 * 2**20
    assert len(list_shards(tmp_path)) > 2
    assert read_outcomes(tmp_path)["q"].n_correct == n
    assert read_samples(tmp_path)["response"][n - 1].as_py() == f"{longest}{n - 1}"


def test_a_flush_looks_at_no_more_shards_than_it_may_merge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    n_listed = 0
    listed = list_shards

    def count(pool: Path) -> object:
        nonlocal n_listed
        n_listed += 1
        return listed(pool)

    monkeypatch.setattr(writer, "list_shards", count)
    fill(tmp_path, [[sample_of("q", trial, True)] for trial in range(10)])
    assert n_listed == 1
