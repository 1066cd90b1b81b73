"""Benchmarks of one evaluation that are asked in different ways."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dartune.cli.main import run
from dartune.config import EvaluationConfig, FakeEngineConfig, QueriesConfig
from dartune.engines.fake import FakeEngine
from dartune.errors import ConfigError
from dartune.evaluation.comparison import NotComparable, compare_evaluations
from dartune.evaluation.regrade import regrade_evaluation
from dartune.evaluation.results import Evaluation, read_evaluation
from dartune.evaluation.run import EvaluationJob, evaluate_model
from dartune.grading import Grader
from dartune.pool import read_samples
from dartune.prompts import load_template
from dartune.queries import load_queries
from dartune.types import Query, Request, Response
from evaluations import write_problems

SUMS = {f"What is {i}+{i}?": str(2 * i) for i in range(6)}
PRODUCTS = {f"What is {i}*{i}?": str(i * i) for i in range(5)}


class Listening(FakeEngine):
    """A fake engine that keeps the prompts."""

    def __init__(self, queries: Sequence[Query], heard: list[str]) -> None:
        super().__init__(FakeEngineConfig(), queries)
        self._heard = heard

    async def generate(self, request: Request) -> Response:
        self._heard.append(request.prompt)
        return await super().generate(request)


def ask(
    folder: Path, benchmarks: dict[str, Path], templates: dict[str, str], heard: list[str] | None = None
) -> Evaluation:
    """Evaluate a fake model, each benchmark with its template, or "plain"."""
    config = EvaluationConfig(benchmarks={name: QueriesConfig(source=str(path)) for name, path in benchmarks.items()})
    sets = {name: load_queries(queries) for name, queries in config.benchmarks.items()}
    job = EvaluationJob(
        benchmarks=sets,
        template=load_template("plain"),
        by_benchmark={name: load_template(template) for name, template in templates.items()},
        config=config,
    )
    engine = Listening([query for part in sets.values() for query in part.queries], [] if heard is None else heard)
    with Grader() as grader:
        evaluate_model(job, engine=engine, grader=grader, pool=folder)
    return read_evaluation(folder)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {
        "sums": write_problems(tmp_path / "sums.jsonl", SUMS),
        "products": write_problems(tmp_path / "products.jsonl", PRODUCTS),
    }


def test_every_benchmark_is_asked_and_recorded_in_its_own_way(tmp_path: Path, files: dict[str, Path]) -> None:
    heard: list[str] = []
    evaluation = ask(tmp_path / "e", files, {"products": "boxed"}, heard)
    record = evaluation.record
    assert record.prompt_of(evaluation.benchmark("sums")) == ("plain", "{query}\n")
    assert record.prompt_of(evaluation.benchmark("products")).template == "boxed"
    boxed = load_template("boxed")
    expected = [f"{text}\n" for text in SUMS] + [boxed.render(text) for text in PRODUCTS]
    assert sorted(heard) == sorted(expected)


def test_a_benchmark_that_joins_later_keeps_the_others_prompts(tmp_path: Path, files: dict[str, Path]) -> None:
    ask(tmp_path / "e", {"products": files["products"]}, {"products": "boxed"})
    before = read_samples(tmp_path / "e").num_rows
    evaluation = ask(tmp_path / "e", {"sums": files["sums"]}, {"sums": "alpaca"})
    asked = {part.name: evaluation.record.prompt_of(part).template for part in evaluation.record.benchmarks}
    assert asked == {"products": "boxed", "sums": "alpaca"}
    assert read_samples(tmp_path / "e").num_rows == before + len(SUMS)
    with Grader() as grader:
        regrade_evaluation(tmp_path / "e", grader=grader)
    assert read_evaluation(tmp_path / "e").record.benchmarks == evaluation.record.benchmarks


def test_only_benchmarks_that_were_asked_in_the_same_way_are_compared(tmp_path: Path, files: dict[str, Path]) -> None:
    first = ask(tmp_path / "a", files, {"products": "boxed"})
    second = ask(tmp_path / "b", {"sums": files["sums"]}, {"sums": "plain"})
    assert compare_evaluations([first, second])
    third = ask(tmp_path / "c", files, {})
    with pytest.raises(NotComparable, match=r"cannot be compared on products: prompt differs \(a: boxed@.* c: plain@"):
        compare_evaluations([first, third])


def test_benchmarks_that_share_a_problem_are_asked_in_one_way(tmp_path: Path, files: dict[str, Path]) -> None:
    both = {**files, "again": write_problems(tmp_path / "again.jsonl", dict(list(SUMS.items())[:2]))}
    with pytest.raises(ConfigError, match="sums is asked with plain and again with boxed, but they share problems"):
        ask(tmp_path / "e", both, {"again": "boxed"})
    assert ask(tmp_path / "e", both, {"again": "plain"})
    ask(tmp_path / "later", {"sums": files["sums"]}, {"sums": "plain"})
    with pytest.raises(ConfigError, match="sums is asked with plain and again with boxed"):
        ask(tmp_path / "later", {"again": both["again"]}, {"again": "boxed"})


def test_a_base_models_plan_shows_every_prompt(
    tmp_path: Path, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "m", "--engine", "fake", "--benchmarks", str(files["sums"]), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "# template minerva-4-shot, first prompt\nProblem:" in shown
    assert "What is 0+0?" in shown
