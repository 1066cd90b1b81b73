"""The table of (gold, response, verdict, rule): every rule of docs/grading.md has its rows."""

import json
from pathlib import Path

import pytest

from dartune.grading import Grader
from dartune.grading.comparison.compare import STEPS
from dartune.grading.extraction.extract import RULES

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "tables" / "cases.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{c['gold'][:20]}" for i, c in enumerate(CASES)])
def test_case(grader: Grader, case: dict[str, str]) -> None:
    grade = grader.grade(
        ref_answer=case["gold"],
        response=case["response"],
        query=case.get("query"),
        finish_reason=case.get("finish_reason", "stop"),
    )
    assert (grade.verdict, grade.rule) == (case["verdict"], case["rule"])


def test_every_rule_and_step_has_a_case() -> None:
    fired = {part for case in CASES for part in case["rule"].split("/")}
    assert {rule.name for rule in RULES} | {step.name for step in STEPS} <= fired


def test_the_last_number_counts_only_when_asked_for() -> None:
    response = "I think it might be 42"
    with Grader(lenient=True) as lenient:
        grade = lenient.grade(ref_answer="42", response=response)
    assert (grade.verdict, grade.answer, grade.rule) == ("correct", "42", "last_number/string")


def test_the_answer_is_given_as_it_was_written(grader: Grader) -> None:
    assert grader.grade(ref_answer="10000", response="\\boxed{10{,}000}").answer == "10{,}000"
