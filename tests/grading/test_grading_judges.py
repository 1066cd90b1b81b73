"""The table of (judge, ref, answer, verdict, rule): every rule of every judge has its rows."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.errors import InputError
from dartune.grading import Grader
from dartune.grading.comparison.decision import Task
from dartune.grading.judges import JUDGES
from dartune.grading.judges.olympiadbench import read_tolerances
from dartune.grading.judges.theoremqa import type_of

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "tables" / "judges.jsonl").read_text("utf-8").splitlines()
]

META = {"answer_type": "list of float", "error": "1e-1,1e-2", "is_multiple_answer": True}
QUERY = "Which is the biggest?  (a) x  (b) 2  (c) y. Solve a = b, c = d for a."
REFS = ("5", "(b)", "[2, 3]", "-2 3 5", "True", "0.5", "$t(0,4]$", "It is $x=1=2$ +C.", "x \\approx 2.5")


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{c['judge']}-{c['ref'][:20]}" for i, c in enumerate(CASES)])
def test_case(grader: Grader, case: dict[str, object]) -> None:
    grade = grader.grade_answer(
        ref_answer=str(case["ref"]),
        answer=str(case["answer"]),
        query=case.get("query"),  # type: ignore[arg-type]
        judge=str(case["judge"]),
        meta=case.get("meta", {}),  # type: ignore[arg-type]
    )
    assert (grade.verdict, grade.rule) == (case["verdict"], f"given/{case['rule']}")


def test_every_judge_is_in_the_table() -> None:
    assert {case["judge"] for case in CASES} == JUDGES.keys() - {"default"}


def test_an_unknown_judge_is_named_with_those_that_exist(grader: Grader) -> None:
    with pytest.raises(InputError, match="judge 'gsm9k': expected one of college-math, deepmind"):
        grader.grade_answer(ref_answer="5", answer="5", judge="gsm9k")


@pytest.mark.parametrize(
    ("ref_answer", "kind"),
    [
        ("True", "bool"),
        ("(c)", "option"),
        ("-11", "integer"),
        ("1.0", "float"),
        ("1.28e-06", "float"),
        ("[0, 5]", "list of integer"),
        ("[0.333, 1]", "list of float"),
    ],
)
def test_the_spelling_of_a_reference_tells_its_type(ref_answer: str, kind: str) -> None:
    assert type_of(ref_answer) == kind


@pytest.mark.parametrize(
    ("error", "tolerances"),
    [
        (None, ()),
        ("", ()),
        ("1e-1", (0.1,)),
        (0.5, (0.5,)),
        ("1e-1,,2", (0.1, 0.0, 2.0)),
        ("wide", ()),
        ("nan", ()),
        ("-1", ()),
        ([1, 2], ()),
    ],
)
def test_tolerances_of_a_row(error: object, tolerances: tuple[float, ...]) -> None:
    assert read_tolerances(error) == tolerances


@pytest.mark.parametrize("name", JUDGES)
@given(answer=st.text(st.sampled_from("0123456789 .,=<>()[]{}$\\%abcxyzC+-/_^\n\tπ")), ref=st.sampled_from(REFS))
def test_judges_are_total(name: str, answer: str, ref: str) -> None:
    for query in (None, QUERY):
        for meta in ({}, META):
            JUDGES[name].decide(Task(ref_answer=ref, answer=answer, query=query, meta=meta))


FLOODS = {
    char: char * 100_000 for char in ("(", "[", "{", " ", "$", ",", "=", "5", "+C", "a=1,", "\\approx ", "1/", "no ")
}


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("char", FLOODS)
@pytest.mark.parametrize("n_chars", [1_999, 100_000])
def test_floods_cost_little(name: str, char: str, n_chars: int) -> None:
    text = FLOODS[char][:n_chars]
    for ref in REFS:
        task = Task(ref_answer=ref, answer=text, query=QUERY, meta=META)
        start_s = time.process_time()
        JUDGES[name].decide(task)
        assert time.process_time() - start_s < 0.5
