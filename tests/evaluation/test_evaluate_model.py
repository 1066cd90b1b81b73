"""An evaluation keeps what its scores depend on, goes on where it stopped, and is graded again without asking."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dartune.config import QueriesConfig
from dartune.errors import DataError, PoolError, PoolMismatch
from dartune.evaluation.grader_version import grader_version
from dartune.evaluation.record import read_record, rows_checksum, write_record
from dartune.evaluation.regrade import regrade_evaluation
from dartune.evaluation.results import average, read_evaluation, score_benchmark, score_evaluation
from dartune.evaluation.rows import read_grades
from dartune.evaluation.run import scored_rows
from dartune.grading import Grader
from dartune.pool import read_samples
from dartune.queries import load_queries
from dartune.types import FinishReason, Grade
from evaluations import boxed, evaluate, write_problems

PROBLEMS = {f"What is {i}+{i}?": str(2 * i) for i in range(8)}
RIGHT_BUT_TWO = {text: [boxed(answer if i not in (2, 5) else 99)] for i, (text, answer) in enumerate(PROBLEMS.items())}


def never(one: str, other: str) -> bool:
    return False


class Harsh:
    """A grader that accepts nothing."""

    async def grade_async(
        self,
        *,
        ref_answer: str,
        response: str,
        query: str | None,
        finish_reason: FinishReason,
        judge: str,
        meta: Mapping[str, object],
    ) -> Grade:
        return Grade(verdict="incorrect", answer="none", rule="harsh")


def test_an_evaluation_records_what_its_scores_depend_on(tmp_path: Path) -> None:
    evaluation = evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO)
    record = evaluation.record
    assert record.model.startswith("replay:a-responses.jsonl@")
    assert (record.engine, record.template, record.prompt) == ("ReplayEngine", "plain", "{query}\n")
    assert (record.sampling.temperature, record.sampling.max_new_tokens) == (0.0, 64)
    assert record.grader == grader_version()
    assert "dartune" in record.versions
    part = evaluation.benchmark("own")
    queries = load_queries(QueriesConfig(source=str(tmp_path / "a-problems.jsonl")))
    assert (part.n_rows, part.n_trials, part.in_domain) == (8, 1, True)
    assert part.checksum == rows_checksum(queries.rows)
    assert part.sha256 == queries.report.origin.sha256


def test_scores_are_those_of_the_answers(tmp_path: Path) -> None:
    (score,) = score_evaluation(evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO), never)
    assert (score.accuracy.n_correct, score.accuracy.n) == (6, 8)
    assert {level: part.n_correct for level, part in score.by_level.items()} == {1: 3, 2: 3}
    assert {domain: part.accuracy for domain, part in score.by_domain.items()} == {"d0": 0.75, "d1": 0.75}
    assert score.macro_level is not None
    assert score.macro_level.value == 0.75
    assert score.mean_tokens == 7
    assert (score.no_answer, score.cut_off, score.undecided) == (0, 0, 0)
    assert score.pass_at == score.majority_at == score.best_at == {}
    means = average([score])
    assert means.in_domain == means.overall
    assert means.out_of_domain is None


def test_several_tries_have_pass_and_majority(tmp_path: Path) -> None:
    tries = {text: [boxed(answer), boxed(7), boxed(7), boxed(answer)] for text, answer in PROBLEMS.items()}
    tries["What is 0+0?"] = [boxed("0"), "I do not know.", boxed("1"), boxed("2")]
    evaluation = evaluate(tmp_path / "a", PROBLEMS, tries)
    (score,) = score_evaluation(evaluation, never)
    assert (score.n_trials, score.accuracy.n, score.accuracy.n_correct) == (4, 32, 15)
    assert list(score.pass_at) == [1, 2, 4]
    assert score.pass_at[1].value == pytest.approx(15 / 32)
    assert score.pass_at[4].value == 1.0
    assert score.majority_at[4].value == pytest.approx((7 * 0.5 + 1 / 3) / 8)
    assert score.no_answer == 1 / 32
    sets = {"own": load_queries(QueriesConfig(source=str(tmp_path / "a-problems.jsonl")))}
    assert len(scored_rows(tmp_path / "a", sets)["own"]) == 32
    assert score.best_at == {}


def test_what_was_asked_is_not_asked_again_and_more_tries_are_added(tmp_path: Path) -> None:
    tries = {text: [boxed(answer), boxed(1)] for text, answer in PROBLEMS.items()}
    evaluate(tmp_path / "a", PROBLEMS, tries)
    before = read_samples(tmp_path / "a").to_pylist()
    evaluate(tmp_path / "a", PROBLEMS, tries)
    assert read_samples(tmp_path / "a").to_pylist() == before
    with pytest.raises(PoolMismatch, match="template"):
        evaluate(tmp_path / "a", PROBLEMS, tries, template="alpaca")


def test_regrading_changes_verdicts_without_asking(tmp_path: Path) -> None:
    evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO, grader=Harsh())
    samples = read_samples(tmp_path / "a").to_pylist()
    (before,) = score_evaluation(read_evaluation(tmp_path / "a"), never)
    assert before.accuracy.n_correct == 0
    with Grader() as grader:
        report = regrade_evaluation(tmp_path / "a", grader=grader)
        assert (report.n_graded, dict(report.changed)) == (8, {("incorrect", "correct"): 6})
        (after,) = score_evaluation(read_evaluation(tmp_path / "a"), never)
        assert after.accuracy.n_correct == 6
        again = regrade_evaluation(tmp_path / "a", grader=grader)
    assert dict(again.changed) == {}
    assert read_samples(tmp_path / "a").to_pylist() == samples


def test_answers_of_an_older_grader_are_graded_again_when_an_evaluation_goes_on(tmp_path: Path) -> None:
    evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO, grader=Harsh())
    write_record(tmp_path / "a", replace(read_record(tmp_path / "a"), grader="0.0.1+old"))
    evaluation = evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO)
    assert evaluation.record.grader == grader_version()
    assert len(read_grades(tmp_path / "a")) == 8
    assert sum(row.is_correct for row in evaluation.rows("own")) == 6


def test_answers_that_a_killed_call_left_are_graded_again(tmp_path: Path) -> None:
    evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO, grader=Harsh())
    (tmp_path / "a" / "evaluation.json").unlink()
    assert sum(row.is_correct for row in evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO).rows("own")) == 6


def test_more_benchmarks_join_and_all_are_graded_by_one_grader(tmp_path: Path) -> None:
    more = {f"How much is {i}?": str(i) for i in range(3)}
    responses = {**RIGHT_BUT_TWO, **{text: [boxed(answer)] for text, answer in more.items()}}
    evaluate(tmp_path / "a", PROBLEMS, responses, grader=Harsh())
    write_record(tmp_path / "a", replace(read_record(tmp_path / "a"), grader="0.0.1+old"))
    evaluation = evaluate(tmp_path / "a", more, responses, name="more")
    assert [part.name for part in evaluation.record.benchmarks] == ["own", "more"]
    assert {name: sum(row.is_correct for row in evaluation.rows(name)) for name in ("own", "more")} == {
        "own": 6,
        "more": 3,
    }


def test_regrading_refuses_other_data(tmp_path: Path) -> None:
    evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO)
    write_problems(tmp_path / "a-problems.jsonl", {"What is 1+1?": "2"})
    with Grader() as grader, pytest.raises(DataError, match="expected the 8 rows of checksum"):
        regrade_evaluation(tmp_path / "a", grader=grader)


def test_a_query_that_was_not_asked_is_no_score(tmp_path: Path) -> None:
    evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO)
    record = read_record(tmp_path / "a")
    more = replace(record.benchmarks[0], n_trials=2)
    write_record(tmp_path / "a", replace(record, benchmarks=(more,)))
    with pytest.raises(PoolError, match="8 of 8 queries of own were not asked yet"):
        read_evaluation(tmp_path / "a")


def test_what_the_engine_did_not_answer_counts_as_not_correct(tmp_path: Path) -> None:
    responses = {text: given for text, given in RIGHT_BUT_TWO.items() if text != "What is 0+0?"}
    evaluation = evaluate(tmp_path / "a", PROBLEMS, responses)
    (score,) = score_evaluation(evaluation, never)
    assert (score.accuracy.n, score.accuracy.n_correct, score.undecided) == (8, 5, 1 / 8)
    assert score.finish_reasons == {"stop": 7, "none": 1}


def test_a_row_that_stands_twice_counts_twice_and_is_one_cluster(tmp_path: Path) -> None:
    evaluation = evaluate(tmp_path / "a", PROBLEMS, RIGHT_BUT_TWO)
    doubled = [*evaluation.tries["own"], *evaluation.tries["own"]]
    once = score_benchmark(evaluation.benchmark("own"), evaluation.tries["own"], never)
    twice = score_benchmark(evaluation.benchmark("own"), doubled, never)
    assert twice.accuracy.n == 16
    assert (twice.accuracy.low, twice.accuracy.high) == pytest.approx((once.accuracy.low, once.accuracy.high))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected a JSON object"),
        ("[]", "expected a JSON object"),
        ('{"schema_version": 9}', "schema_version: expected 1, got 9"),
        ('{"schema_version": 1, "model": 3}', "evaluation.json: model"),
    ],
)
def test_a_damaged_record_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(PoolError, match=message):
        read_record(tmp_path)


def test_a_folder_without_a_record_is_no_evaluation(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="not an evaluation"):
        read_evaluation(tmp_path)
