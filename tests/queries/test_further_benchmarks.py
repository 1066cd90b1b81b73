"""Benchmarks beside the six: each on rows in exactly the schema of its file, and whole where the data folder has it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dartune.config import QueriesConfig
from dartune.errors import DataError
from dartune.grading import grade
from dartune.queries import load_queries
from dartune.queries.benchmarks import BENCHMARKS, FolderFile
from dartune.queries.benchmarks.gsm8k_platinum import GSM8K_PLATINUM
from dartune.queries.benchmarks.math_500 import FROM_RELEASE
from dartune.queries.benchmarks.opening import open_benchmark
from dartune.queries.collecting import collect
from dartune.types import Query

ROWS: dict[str, list[dict[str, object]]] = {
    "aime/2024": [
        {
            "id": 60,
            "problem": "Find $n$.",
            "solution": "So $n = 25$.",
            "answer": "025",
            "url": "https://x",
            "question": "",
        },
        {"id": 61, "problem": "Find $m$.", "solution": "None.", "answer": "0", "url": "https://x", "question": ""},
    ],
    "amc/2023": [
        {"id": 0, "problem": "How many miles?", "answer": 27.0, "url": "https://x", "question": "How many miles?"},
        {"id": 1, "problem": "How many sides?", "answer": 8.0, "url": "https://x", "question": "How many sides?"},
    ],
    "minerva": [
        {"problem": "How wide?", "solution": "\\[\ns=\\boxed{1.6} \\mathrm{~cm}\n\\]", "type": "Astronomy", "idx": 0},
        {"problem": "Which?", "solution": "$\\boxed{x}$, so $\\boxed{\\frac{1}{2}}$.", "type": "Ecology", "idx": 1},
    ],
    "sat-math": [
        {"id": "0", "question": "What is $x$?", "options": "A) $3$ B) $\\frac{5}{3}$ C) $-6$ D) 0", "Answer": "B"},
        {"id": "1", "question": "What is $y$?", "options": "A) -10 B) 0 C) 10 D) -10 and 10", "Answer": "C"},
    ],
    "gaokao/2023-en": [
        {"source": "2023BJ/01Q.en", "question": "Find $M \\cap N$.", "lang": "en", "answer": "$\\{1\\}$"},
        {"source": "2.json", "sourcename": "0", "question": "What is 1+1?", "id": "57", "lang": "en", "answer": "2"},
    ],
}
WANTED = {
    "aime/2024": [("Find $n$.", "25", None), ("Find $m$.", "0", None)],
    "amc/2023": [("How many miles?", "27", None), ("How many sides?", "8", None)],
    "minerva": [("How wide?", "1.6", "Astronomy"), ("Which?", "\\frac{1}{2}", "Ecology")],
    "sat-math": [
        ("What is $x$?\nA) $3$ B) $\\frac{5}{3}$ C) $-6$ D) 0", "B", None),
        ("What is $y$?\nA) -10 B) 0 C) 10 D) -10 and 10", "C", None),
    ],
    "gaokao/2023-en": [("Find $M \\cap N$.", "$\\{1\\}$", None), ("What is 1+1?", "2", None)],
}


def rows_of(folder: Path, name: str) -> tuple[Query, ...]:
    """The rows of a benchmark from a file of two in its folder layout."""
    source = BENCHMARKS[name].sources[0]
    assert isinstance(source, FolderFile)
    path = folder / source.file
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS[name]))
    return collect(open_benchmark(replace(BENCHMARKS[name], sources=(replace(source, n_rows=2),)), folder)).rows


@pytest.mark.parametrize("name", ROWS)
def test_a_row_in_the_schema_of_the_file_becomes_a_query(tmp_path: Path, name: str) -> None:
    assert [(row.text, row.ref_answer, row.domain) for row in rows_of(tmp_path, name)] == WANTED[name]


@pytest.mark.parametrize("answer", ["B", "(B)", "\\frac53", "5/3"])
def test_a_letter_and_its_value_are_one_answer(tmp_path: Path, answer: str) -> None:
    query = rows_of(tmp_path, "sat-math")[0]
    grades = [
        grade(ref_answer=query.ref_answer, response=f"\\boxed{{{text}}}", query=query.text, judge=query.judge)
        for text in (answer, "C")
    ]
    assert [given.verdict for given in grades] == ["correct", "incorrect"]


def test_platinum_reads_the_rows_of_gsm8k() -> None:
    row = {"question": "How many?", "answer": "2*3=<<2*3=6>>6\n#### 1,006", "cleaning_status": "revised"}
    problem = GSM8K_PLATINUM.sources[0].adapt(row)
    assert (problem.text, problem.ref_answer) == ("How many?", "1006")


def test_math_500_reads_the_rows_of_its_release() -> None:
    row = {"problem": "Convert.", "solution": "", "answer": "3", "subject": "Precalculus", "level": 2, "unique_id": "x"}
    problem = FROM_RELEASE(row)
    assert (problem.text, problem.ref_answer, problem.level, problem.domain) == ("Convert.", "3", 2, "Precalculus")


@pytest.mark.data
def test_math_500_is_five_hundred_of_the_test_problems(benchmark_folder: Path) -> None:
    part = load_queries(QueriesConfig(source="math/500", data_dir=benchmark_folder))
    whole = load_queries(QueriesConfig(source="math/test", data_dir=benchmark_folder))
    assert len(part.queries) == 500
    assert {query.id for query in part.queries} < {query.id for query in whole.queries}
    assert {query.judge for query in part.queries} == {"math"}


@pytest.mark.data
def test_theoremqa_without_pictures_lacks_the_53(benchmark_folder: Path) -> None:
    part = load_queries(QueriesConfig(source="theoremqa/text", data_dir=benchmark_folder))
    whole = load_queries(QueriesConfig(source="theoremqa", data_dir=benchmark_folder))
    assert len(whole.rows) - len(part.rows) == 53
    assert {query.judge for query in part.queries} == {"theoremqa"}
    assert set(part.rows) <= set(whole.rows)


def test_missing_data_says_where_it_was_looked_for_and_what_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(DataError) as error:
        load_queries(QueriesConfig(source="aime/2024", data_dir=tmp_path))
    for part in ("aime24/test.jsonl", "raw.githubusercontent.com/QwenLM/Qwen2.5-Math", "--data-dir", "DARTUNE_DATA"):
        assert part in str(error.value)
