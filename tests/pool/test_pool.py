import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dartune.errors import FolderBusy, PoolError, PoolMismatch, PoolVersion, WriteError
from dartune.pool import PoolWriter, Provenance, read_outcomes, read_queries, read_samples, read_settings
from dartune.pool.overview import describe_pool, find_faults
from dartune.pool.schema import list_shards, shard_path
from dartune.pool.writer import MERGE_EVERY
from dartune.types import Grade, Key, Query, Response, Sample, SamplingParams, request_seed

QUERY = Query.of("1 + 1 ?", "2", level=1, domain="sums", source="test")
PROVENANCE = Provenance(model="m", template="plain", params=SamplingParams(), run_seed=3)


def sample(trial: int, *, is_right: bool = True, text: str = "\\boxed{2}") -> Sample:
    key = Key(QUERY.id, trial)
    return Sample(
        key=key,
        seed=request_seed(key, 3),
        response=Response(text=text, finish_reason="stop", n_prompt_tokens=4, n_tokens=7, sum_logprob=-1.5),
        grade=Grade(verdict="correct" if is_right else "incorrect", answer="2", rule="boxed/string"),
    )


def failure(trial: int) -> Sample:
    key = Key(QUERY.id, trial)
    return Sample(key=key, seed=request_seed(key, 3), response=None, grade=None, failure="timeout")


def fill(path: Path, *samples: Sample) -> None:
    with PoolWriter(path, PROVENANCE) as pool:
        pool.add_queries([QUERY])
        for one in samples:
            pool.append(one)


def test_everything_comes_back(tmp_path: Path) -> None:
    fill(tmp_path, sample(0), sample(1, is_right=False, text="no\x00pe \ud800"), failure(2))
    assert read_queries(tmp_path) == [QUERY]
    assert read_outcomes(tmp_path) == {QUERY.id: {0: True, 1: False, 2: None}}
    row = read_samples(tmp_path).to_pylist()[0]
    assert row == {
        "query_id": QUERY.id,
        "trial": 0,
        "seed": request_seed(Key(QUERY.id, 0), 3),
        "response": "\\boxed{2}",
        "finish_reason": "stop",
        "n_prompt_tokens": 4,
        "n_tokens": 7,
        "sum_logprob": -1.5,
        "verdict": "correct",
        "answer": "2",
        "rule": "boxed/string",
        "failure": None,
        "model": "m",
        "template": "plain",
        "temperature": 1.6,
        "top_p": 0.95,
        "max_new_tokens": 2048,
    }
    assert read_samples(tmp_path).column("response")[1].as_py() == "no\x00pe ?"
    assert find_faults(tmp_path) == []


def test_a_pool_goes_on_where_it_stopped(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    fill(tmp_path, sample(1))
    assert [shard.first for shard in list_shards(tmp_path)] == [0, 1]
    assert read_outcomes(tmp_path)[QUERY.id] == {0: True, 1: True}


def test_new_queries_join_the_old_ones(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    other = Query.of("2 + 2 ?", "4")
    with PoolWriter(tmp_path, PROVENANCE) as pool:
        pool.add_queries([other])
    assert read_queries(tmp_path) == [QUERY, other]


def test_a_query_whose_level_was_mended_is_stored_as_it_is_now(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    mended = replace(QUERY, level=4)
    with PoolWriter(tmp_path, PROVENANCE) as pool:
        pool.add_queries([mended])
    assert read_queries(tmp_path) == [mended]


def test_damaged_queries_are_named(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    (tmp_path / "queries.parquet").write_bytes(b"PAR1")
    with pytest.raises(PoolError, match=r"queries\.parquet: damaged"):
        describe_pool(tmp_path)


def test_small_shards_are_merged(tmp_path: Path) -> None:
    with PoolWriter(tmp_path, PROVENANCE) as pool:
        pool.add_queries([QUERY])
        for trial in range(MERGE_EVERY + 2):
            pool.append(sample(trial))
            pool.flush()
    spans = [(shard.first, shard.last) for shard in list_shards(tmp_path)]
    assert spans == [(0, MERGE_EVERY - 1), (MERGE_EVERY, MERGE_EVERY), (MERGE_EVERY + 1, MERGE_EVERY + 1)]
    assert len(list(tmp_path.glob("shard-*"))) == 3
    assert sorted(read_outcomes(tmp_path)[QUERY.id]) == list(range(MERGE_EVERY + 2))


def test_what_an_interrupted_merge_left_is_not_counted_twice(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    fill(tmp_path, sample(1))
    merged = pa.concat_tables([pq.read_table(shard.path) for shard in list_shards(tmp_path)])
    pq.write_table(merged, shard_path(tmp_path, 0, 1))
    assert len(read_samples(tmp_path)) == 2
    assert find_faults(tmp_path) == []
    fill(tmp_path, sample(2))
    assert sorted(read_outcomes(tmp_path)[QUERY.id]) == [0, 1, 2]


def test_a_second_writer_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with (
        PoolWriter(tmp_path, PROVENANCE),
        pytest.raises(FolderBusy, match=f"process {os.getpid()} is writing here"),
    ):
        PoolWriter(tmp_path, PROVENANCE)


def test_a_writer_in_another_process_is_refused(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from dartune.pool import PoolWriter, Provenance;"
        "from dartune.types import SamplingParams;"
        "PoolWriter(Path(sys.argv[1]), Provenance(model='m', template='plain', params=SamplingParams(), run_seed=3))"
    )
    with PoolWriter(tmp_path, PROVENANCE):
        ended = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "FolderBusy" in ended.stderr


def test_other_settings_are_refused_with_what_differs(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    other = Provenance(model="m2", template="plain", params=SamplingParams(temperature=1.0), run_seed=3)
    with pytest.raises(PoolMismatch) as caught:
        PoolWriter(tmp_path, other)
    message = str(caught.value)
    assert "model: pool 'm', recipe 'm2'" in message
    assert "temperature: pool 1.6, recipe 1.0" in message
    assert "template" not in message
    assert "\n" not in message
    fill(tmp_path, sample(1))


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    meta = tmp_path / "pool.json"
    meta.write_text(meta.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    for attempt in (lambda: fill(tmp_path, sample(1)), lambda: read_samples(tmp_path)):
        with pytest.raises(PoolVersion, match="schema version 99, this dartune reads version 1"):
            attempt()
    assert len(list_shards(tmp_path)) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 1}'])
def test_a_broken_settings_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "pool.json").write_text(content)
    with pytest.raises(PoolError, match=r"pool\.json"):
        read_settings(tmp_path)


def test_no_pool_is_named(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="not a pool"):
        read_samples(tmp_path)


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    shard = list_shards(tmp_path)[0].path
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(PoolError, match=f"{shard.name}: damaged"):
        read_samples(tmp_path)


def test_faults_are_found(tmp_path: Path) -> None:
    wrong_seed = Sample(key=Key(QUERY.id, 1), seed=1, response=None, grade=None, failure="timeout")
    stranger = Sample(key=Key("x", 0), seed=request_seed(Key("x", 0), 3), response=None, grade=None)
    fill(tmp_path, sample(0), sample(0), wrong_seed, stranger)
    faults = " ".join(find_faults(tmp_path))
    for part in ("more than one sample", "not that of its key", "not in queries.parquet", "expected a verdict"):
        assert part in faults


def test_a_key_that_is_there_twice_is_found_across_shards(tmp_path: Path) -> None:
    for _ in range(2):
        fill(tmp_path, sample(0), sample(-1))
    twice = [f"Key(query_id='{QUERY.id}', trial={trial}): more than one sample" for trial in (-1, 0)]
    assert find_faults(tmp_path) == [*2 * [f"Key(query_id='{QUERY.id}', trial=-1): its trial is below 0"], *twice]


def test_samples_of_an_unknown_query_belong_to_no_level(tmp_path: Path) -> None:
    fill(tmp_path, sample(0), Sample(key=Key("x", 0), seed=1, response=None, grade=None, failure="timeout"))
    overview = describe_pool(tmp_path)
    assert (overview.n_samples, overview.failures) == (1, {"timeout": 1})
    assert [level.n_samples for level in overview.levels] == [1]


def test_a_pool_without_samples_is_described(tmp_path: Path) -> None:
    fill(tmp_path)
    assert describe_pool(tmp_path).levels[0].fail_rate == 1.0
    assert find_faults(tmp_path) == []


def test_overview_counts(tmp_path: Path) -> None:
    fill(tmp_path, sample(0), sample(1, is_right=False), failure(2))
    overview = describe_pool(tmp_path)
    assert (overview.n_samples, overview.n_tokens, overview.n_queries) == (2, 14, 1)
    assert overview.verdicts == {"correct": 1, "incorrect": 1}
    assert overview.failures == {"timeout": 1}
    assert (overview.levels[0].fail_rate, overview.levels[0].n_solved) == (0.5, 1)


def test_a_full_disk_stops_the_write_and_loses_nothing(tmp_path: Path) -> None:
    fill(tmp_path, sample(0))
    with PoolWriter(tmp_path, PROVENANCE) as pool:
        pool.append(sample(1, text="x" + os.urandom(200_000).hex()))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            with pytest.raises(WriteError, match="could not be written"):
                pool.flush()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, ignored)
        assert [path.name for path in tmp_path.glob("*tmp")] == []
        assert sorted(read_outcomes(tmp_path)[QUERY.id]) == [0]
    assert sorted(read_outcomes(tmp_path)[QUERY.id]) == [0, 1]
