"""The table of equality: pairs of every kind of object, with the verdict that the rules of docs/grading.md give."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from dartune.grading import Grader, equivalent

PAIRS = [
    json.loads(line) for line in (Path(__file__).parent / "tables" / "equality.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{pair['ref'][:25]}~{pair['answer'][:25]}" for pair in PAIRS])
def test_pair(grader: Grader, pair: dict[str, str]) -> None:
    grade = grader.grade_answer(ref_answer=pair["ref"], answer=pair["answer"])
    assert grade.verdict == ("correct" if pair["equal"] else "incorrect"), f"{grade.rule} {pair.get('why', '')}"


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["ref"][:25] for pair in PAIRS])
def test_an_answer_is_itself(grader: Grader, pair: dict[str, str]) -> None:
    for text in (pair["ref"], pair["answer"]):
        assert grader.grade_answer(ref_answer=text, answer=f" {text} ").verdict == "correct"


def test_every_kind_has_pairs_that_are_equal_and_pairs_that_are_not() -> None:
    verdicts = defaultdict(set)
    for pair in PAIRS:
        verdicts[pair["kind"]].add(pair["equal"])
    assert [kind for kind, said in verdicts.items() if said != {True, False}] == []


def test_no_pair_is_listed_twice() -> None:
    assert len({(pair["ref"], pair["answer"]) for pair in PAIRS}) == len(PAIRS)


@pytest.mark.integration
@pytest.mark.timeout(30)
def test_equivalent_says_the_same_of_one_pair_of_every_kind() -> None:
    for pair in {pair["kind"]: pair for pair in PAIRS}.values():
        assert equivalent(ref_answer=pair["ref"], answer=pair["answer"]) is pair["equal"], pair
