"""The table of equality: pairs of every kind of object, with the verdict that the rules of docs/grading.md give."""

import json
from pathlib import Path

import pytest

from dartune.grading import Grader

PAIRS = [
    json.loads(line) for line in (Path(__file__).parent / "tables" / "equality.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{pair['ref'][:25]}~{pair['answer'][:25]}" for pair in PAIRS])
def test_pair(grader: Grader, pair: dict[str, str]) -> None:
    grade = grader.grade_answer(ref_answer=pair["ref"], answer=pair["answer"])
    assert grade.verdict == ("correct" if pair["equal"] else "incorrect"), grade.rule


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["ref"][:25] for pair in PAIRS])
def test_an_answer_is_itself(grader: Grader, pair: dict[str, str]) -> None:
    for text in (pair["ref"], pair["answer"]):
        assert grader.grade_answer(ref_answer=text, answer=f" {text} ").verdict == "correct"
