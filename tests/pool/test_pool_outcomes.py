"""A pool's outcomes in bytes are those of a plain dictionary."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_parts import fill, sample_of

from dartune.errors import PoolError
from dartune.pool import iter_samples, locate_samples, read_outcomes, read_samples
from dartune.pool.outcomes import CORRECT, FAILED, INCORRECT, MISSING
from dartune.pool.schema import list_shards, shard_path

outcomes_of_a_pool = st.dictionaries(
    st.sampled_from([f"q{i}" for i in range(6)]),
    st.dictionaries(st.integers(0, 30), st.sampled_from([True, False, None]), min_size=1),
)


def plain(pool: Path) -> dict[str, dict[int, bool | None]]:
    """The outcomes, row by row."""
    rows = read_samples(pool).to_pylist()
    ids = dict.fromkeys(row["query_id"] for row in rows)
    return {
        query_id: {
            row["trial"]: None if row["failure"] else row["verdict"] == "correct"
            for row in rows
            if row["query_id"] == query_id
        }
        for query_id in ids
    }


def stored(pool: Path, outcomes: Mapping[str, Mapping[int, bool | None]], n_shards: int, shuffle: object) -> None:
    """A pool with these outcomes, in any order."""
    samples = [sample_of(query_id, t, outcome) for query_id, tries in outcomes.items() for t, outcome in tries.items()]
    shuffle.shuffle(samples)  # type: ignore[attr-defined]
    fill(pool, [samples[i::n_shards] for i in range(n_shards)])


@settings(max_examples=40, deadline=None)
@given(outcomes_of_a_pool, st.integers(1, 4), st.randoms())
def test_the_table_says_what_the_rows_say(
    outcomes: Mapping[str, Mapping[int, bool | None]], n_shards: int, shuffle: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pool = Path(folder)
        stored(pool, outcomes, n_shards, shuffle)
        table = read_outcomes(pool)
        assert table == outcomes == plain(pool)
        assert list(table) == list(plain(pool))
        for query_id, tries in outcomes.items():
            ours = table[query_id]
            assert list(ours) == sorted(tries)
            assert (len(ours), ours.n_correct, ours.n_failures) == (
                len(tries),
                list(tries.values()).count(True),
                list(tries.values()).count(None),
            )
            n_leading = next(t for t in range(32) if t not in tries)
            assert ours.leading() == [tries[t] for t in range(n_leading)]
        everything = [outcome for tries in outcomes.values() for outcome in tries.values()]
        counts = [table.count(code) for code in (CORRECT, INCORRECT, FAILED)]
        assert counts == [everything.count(outcome) for outcome in (True, False, None)]


@settings(max_examples=20, deadline=None)
@given(outcomes_of_a_pool, st.integers(1, 4), st.randoms())
def test_slots_lead_back_to_the_rows(
    outcomes: Mapping[str, Mapping[int, bool | None]], n_shards: int, shuffle: object
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pool = Path(folder)
        stored(pool, outcomes, n_shards, shuffle)
        table = read_outcomes(pool)
        fill(pool, [[sample_of("q0", 31, True), sample_of("later", 0, True)]])
        found = {}
        for rows, slots in locate_samples(pool, table, ["verdict"]):
            for row, slot in zip(rows.to_pylist(), slots.tolist(), strict=True):
                start = table.slots(row["query_id"]).start
                found[row["query_id"], row["trial"]] = slot
                assert slot - start == row["trial"]
        assert found.keys() == {(query_id, t) for query_id, tries in outcomes.items() for t in tries}


@settings(max_examples=20, deadline=None)
@given(outcomes_of_a_pool, st.integers(1, 4), st.randoms(), st.data())
def test_only_wanted_slots_are_given(
    outcomes: Mapping[str, Mapping[int, bool | None]], n_shards: int, shuffle: object, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stored(Path(folder), outcomes, n_shards, shuffle)
        table = read_outcomes(Path(folder))
        n_slots = len(table.codes)
        is_wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n_slots, max_size=n_slots)), np.bool_)
        found = []
        for rows, slots in locate_samples(Path(folder), table, ["verdict"], wanted=is_wanted):
            found += slots.tolist()
            starts = [table.slots(query_id).start for query_id in rows["query_id"].to_pylist()]
            assert rows["trial"].to_pylist() == (slots - starts).tolist()
        there = np.flatnonzero(table.codes != MISSING).tolist()
    assert sorted(found) == [slot for slot in there if is_wanted[slot]]


def test_row_groups_without_a_wanted_sample_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, [[sample_of("q", trial, True)] for trial in range(4)])
    table = read_outcomes(tmp_path)
    decoded = []
    read = pq.ParquetFile.read_row_group

    def read_and_note(file: pq.ParquetFile, i: int, columns: list[str]) -> pa.Table:
        decoded.append("response" in columns)
        return read(file, i, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", read_and_note)
    wanted = np.array([False, False, True, False])
    rows = [
        row for batch, _ in locate_samples(tmp_path, table, ["response"], wanted=wanted) for row in batch.to_pylist()
    ]
    assert [row["trial"] for row in rows] == [2]
    assert decoded.count(True) == 1


def test_a_query_without_tries_has_none(tmp_path: Path) -> None:
    fill(tmp_path, [[sample_of("q", 0, True)]])
    table = read_outcomes(tmp_path)
    assert table.get("x") is None
    with pytest.raises(KeyError):
        table["q"][1]
    assert len(table.codes[table.slots("x")]) == 0


@pytest.mark.parametrize(("trial", "words"), [(-1, "negative trial"), (10**9, "numbered up to 1000000000")])
def test_impossible_trials_are_named(tmp_path: Path, trial: int, words: str) -> None:
    fill(tmp_path, [[sample_of("q", trial, None)]])
    with pytest.raises(PoolError, match=words):
        read_outcomes(tmp_path)


def test_rows_are_given_once_while_shards_are_merged(tmp_path: Path) -> None:
    fill(tmp_path, [[sample_of("q", 2 * i, True), sample_of("q", 2 * i + 1, False)] for i in range(6)])
    whole = read_samples(tmp_path)
    rows = iter_samples(tmp_path, ["query_id", "trial"])
    trials = next(rows)["trial"].to_pylist()
    merge(tmp_path, 0, 3)
    trials += next(rows)["trial"].to_pylist()
    merge(tmp_path, 0, 4)
    trials += [trial for batch in rows for trial in batch["trial"].to_pylist()]
    assert trials == list(range(12)) == whole["trial"].to_pylist()


def merge(pool: Path, first: int, last: int) -> None:
    """Merge some shards as a writer does."""
    inside = [shard for shard in list_shards(pool) if first <= shard.first and shard.last <= last]
    tables = [pq.read_table(shard.path) for shard in inside]
    pq.write_table(pa.concat_tables(tables), shard_path(pool, first, last), row_group_size=3)
    for shard in inside:
        shard.path.unlink()
