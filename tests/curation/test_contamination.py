import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.sampled_pools import QUERIES, make_job
from dartune.config import CurationConfig
from dartune.curation import BenchmarkOverlap, curate
from dartune.errors import DataError
from dartune.types import Query

ASKED = [Query.of(f"problem  {i}?", "0") for i in (3, 4)]
BENCHMARKS = {"other": [Query.of("Something else altogether", "1")], "test": ASKED}
LEAKED = {QUERIES[3].id, QUERIES[4].id}


def config(action: str) -> CurationConfig:
    return CurationConfig.model_validate({"decontamination": {"action": action}})


def ids(folder: Path) -> set[str]:
    return set(pq.read_table(folder / "train.parquet")["query_id"].to_pylist())


def test_problems_of_a_benchmark_are_left_out_and_listed(pool: Path, tmp_path: Path) -> None:
    manifest = curate(pool, make_job(benchmarks=BENCHMARKS), out=tmp_path)["uniform"]
    folder = tmp_path / "uniform"
    assert not LEAKED & ids(folder)
    pairs = [json.loads(line) for line in (folder / "contamination.jsonl").read_text().splitlines()]
    assert [(pair["query_id"], pair["benchmark"], pair["kind"], pair["benchmark_query"]) for pair in pairs] == [
        (QUERIES[i].id, "test", "exact", f"problem  {i}?") for i in (3, 4)
    ]
    assert (manifest.n_contaminated, manifest.n_dropped_queries) == (2, 2)
    assert manifest.overlaps == (
        BenchmarkOverlap(benchmark="other", n_problems=1, n_exact=0, n_ngram=0, n_queries=0),
        BenchmarkOverlap(benchmark="test", n_problems=2, n_exact=2, n_ngram=0, n_queries=2),
    )
    assert curate(pool, make_job(benchmarks=BENCHMARKS), out=tmp_path)["uniform"] == manifest


def test_what_is_only_reported_stays(pool: Path, tmp_path: Path) -> None:
    manifest = curate(pool, make_job(config("report"), benchmarks=BENCHMARKS), out=tmp_path)["uniform"]
    assert ids(tmp_path / "uniform") >= LEAKED
    assert (manifest.n_contaminated, manifest.n_dropped_queries) == (2, 0)


def test_nobody_looks_where_it_is_off(pool: Path, tmp_path: Path) -> None:
    manifest = curate(pool, make_job(config("off"), benchmarks=BENCHMARKS), out=tmp_path)["uniform"]
    assert ids(tmp_path / "uniform") >= LEAKED
    assert (manifest.n_contaminated, manifest.overlaps) == (0, ())


def test_a_set_is_made_again_for_another_benchmark(pool: Path, tmp_path: Path) -> None:
    curate(pool, make_job(), out=tmp_path)
    assert ids(tmp_path / "uniform") >= LEAKED
    curate(pool, make_job(benchmarks=BENCHMARKS), out=tmp_path)
    assert not LEAKED & ids(tmp_path / "uniform")


def test_a_set_that_decontamination_empties_says_so(pool: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="60 of its 60 queries are asked by a benchmark"):
        curate(pool, make_job(benchmarks={"same": QUERIES}), out=tmp_path)
