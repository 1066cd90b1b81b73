"""The examples of docs/grading.md are true: every pair of the table of steps, decided by the step that it stands at."""

import re
from pathlib import Path

import pytest

from dartune.grading import Grader
from dartune.grading.comparison.compare import STEPS

PAGE = (Path(__file__).parents[2] / "docs" / "grading.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| step | equal | not equal |")[2].partition("\n\n")[0]
PAIR = re.compile(r"`([^`]+)` ([=≠]) `([^`]+)`")
EXAMPLES = [
    (cells[1].strip(" `"), *pair.groups())
    for line in TABLE.splitlines()
    if len(cells := line.split("|")) == 5
    for pair in PAIR.finditer(line)
]


@pytest.mark.parametrize(("step", "ref", "sign", "answer"), EXAMPLES)
def test_example(grader: Grader, step: str, ref: str, sign: str, answer: str) -> None:
    grade = grader.grade_answer(ref_answer=ref, answer=answer)
    assert (grade.verdict, grade.rule) == ("correct" if sign == "=" else "incorrect", f"given/{step}")


def test_every_step_has_an_example() -> None:
    assert {step.name for step in STEPS} <= {step for step, *_ in EXAMPLES}
