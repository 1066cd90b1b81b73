"""Which judge grades a query, and that it finds what it reads."""

import json
from pathlib import Path

import pytest

from dartune.config import QueriesConfig
from dartune.grading.judges import JUDGES
from dartune.queries import load_queries
from dartune.queries.benchmarks import BENCHMARKS, FolderFile
from dartune.types import Query


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_has_a_judge_of_its_own(name: str) -> None:
    assert BENCHMARKS[name].judge in JUDGES.keys() - {"default"}


def test_every_judge_but_the_default_has_a_benchmark() -> None:
    assert {benchmark.judge for benchmark in BENCHMARKS.values()} == JUDGES.keys() - {"default"}


IN_FOLDER = [
    name
    for name, benchmark in BENCHMARKS.items()
    if isinstance(source := benchmark.sources[0], FolderFile) and "/" not in source.file
]
"""Benchmarks whose file is in the data folder."""


@pytest.mark.data
@pytest.mark.parametrize("name", IN_FOLDER)
def test_the_queries_of_a_benchmark_carry_what_its_judge_reads(benchmark_folder: Path, name: str) -> None:
    queries = load_queries(QueriesConfig(source=name, data_dir=benchmark_folder)).queries
    assert {query.judge for query in queries} == {BENCHMARKS[name].judge}
    assert {tuple(query.meta) for query in queries} == {JUDGES[BENCHMARKS[name].judge].reads}


@pytest.mark.data
def test_the_one_tolerance_of_olympiadbench_is_kept(benchmark_folder: Path) -> None:
    source = "olympiadbench/oe-to-maths-en-comp"
    queries = load_queries(QueriesConfig(source=source, data_dir=benchmark_folder)).queries
    assert [(query.ref_answer, query.meta["error"]) for query in queries if query.meta["error"]] == [("4.2", "1e-1")]


def test_a_file_of_ones_own_is_graded_by_the_default_judge(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"query": "1+1?", "ref_answer": "2", "meta": {"answer_type": "integer"}}))
    (query,) = load_queries(QueriesConfig(source=str(path))).queries
    assert (query.judge, query.meta) == ("default", {})


def test_how_a_query_is_judged_is_no_part_of_what_it_is() -> None:
    plain = Query.of("1+1?", "2")
    judged = Query.of("1+1?", "2", judge="theoremqa", meta={"answer_type": "integer"})
    assert judged == plain
    assert hash(judged) == hash(plain)
    assert judged.id == plain.id
