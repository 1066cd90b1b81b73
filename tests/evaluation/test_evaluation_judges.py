"""Answers to a benchmark are graded by the benchmark's judge, whoever asked."""

import json
from pathlib import Path

from dartune.config import EvaluationConfig, ReplayEngineConfig
from dartune.engines.replay import ReplayEngine
from dartune.evaluation.run import EvaluationJob, evaluate_model, scored_rows
from dartune.grading import Grader
from dartune.pool import read_samples
from dartune.prompts import load_template
from dartune.queries import Origin, QuerySet, SourceReport
from dartune.types import Query


def query_set(name: str, queries: tuple[Query, ...]) -> QuerySet:
    report = SourceReport(
        name=name,
        origin=Origin(source=name),
        n_rows=len(queries),
        n_duplicates=0,
        n_conflicting_texts=0,
        defects=(),
        n_by_level={},
        n_by_domain={},
    )
    return QuerySet(queries=queries, rows=tuple(query.id for query in queries), report=report)


def test_each_benchmark_is_graded_by_its_own_judge(tmp_path: Path) -> None:
    sets = {
        "theoremqa": query_set("theoremqa", (Query.of("How long?", "1130.0", judge="theoremqa"),)),
        "olympiadbench": query_set(
            "olympiadbench", (Query.of("How steep?", "4.2", judge="olympiadbench", meta={"error": "1e-1"}),)
        ),
        "own": query_set("own", (Query.of("How far?", "1130.0"),)),
    }
    answers = {"How long?": "1131", "How steep?": "4.3", "How far?": "1131"}
    recorded = tmp_path / "responses.jsonl"
    recorded.write_text(
        "\n".join(json.dumps({"query": query, "response": f"The answer is {a}."}) for query, a in answers.items())
    )
    queries = [query for benchmark in sets.values() for query in benchmark.queries]
    with Grader() as grader:
        evaluate_model(
            EvaluationJob(benchmarks=sets, template=load_template("plain"), config=EvaluationConfig()),
            engine=ReplayEngine(ReplayEngineConfig(path=recorded), queries),
            grader=grader,
            pool=tmp_path / "pool",
        )
    scored = scored_rows(tmp_path / "pool", sets)
    assert {name: rows[0].verdict for name, rows in scored.items()} == {
        "theoremqa": "correct",
        "olympiadbench": "correct",
        "own": "incorrect",
    }
    assert set(read_samples(tmp_path / "pool", ["rule"])["rule"].to_pylist()) == {
        "answer_is/float",
        "answer_is/tolerance",
        "answer_is/number",
    }
