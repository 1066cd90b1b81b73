"""Texts made to hang, crash, fool or take over a grader."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dartune.grading import Grader
from dartune.grading.comparison.numbers import parse_number
from dartune.grading.extraction.extract import extract
from dartune.grading.spelling.normalize import normalize
from dartune.types import FinishReason

N = 100_000

NOT_CORRECT = {
    "power tower": "\\boxed{9^{9^{9^{9}}}}",
    "difference of power towers": "\\boxed{9^{9^{9}}-9^{9^{9}}+6}",
    "factorial": "\\boxed{(10^{9})!}",
    "factorials of factorials": "\\boxed{9!!!!!}",
    "powers of powers": "\\boxed{(((10^{9})^{9})^{9})^{9}}",
    "binomial": "\\boxed{\\binom{10^9}{5\\cdot 10^8}}",
    "long sum": "\\boxed{\\sum_{n=1}^{10^{12}} \\frac{1}{n}}",
    "expansion": "\\boxed{(x+y+z+w)^{2000}}",
    "high degree": "\\boxed{x^{17}+x^5+3=0}",
    "nested braces": "\\boxed{" + "{" * 10_000 + "1" + "}" * 10_000 + "}",
    "open braces": "\\boxed{" + "{" * 10_000,
    "open boxes": "\\boxed{" * N,
    "megabyte of digits in a box": "\\boxed{" + "7" * 1_000_000 + "}",
    "megabytes of digits": "The answer is " + "7" * 3_000_000,
    "digits within the limit": "\\boxed{" + "7" * 1_900 + "}",
    "open fractions": "\\boxed{" + "\\frac{" * 1_000,
    "nested fractions": "\\boxed{" + "\\frac{1}{" * 1_000 + "}" * 1_001,
    "bare fractions": "\\boxed{" + "\\frac" * 300 + "}",
    "nested roots": "\\boxed{" + "\\sqrt{" * 35 + "2" + "}" * 36,
    "nested sines": "\\boxed{" + "\\sin(" * 30 + "x" + ")" * 30 + "}",
    "bars": "\\boxed{" + "|" * 1_000 + "}",
    "percent signs": "\\boxed{" + "%" * 1_900 + "}",
    "carets": "\\boxed{" + "2^" * 500 + "2}",
    "large exponent": "\\boxed{1e99999999999}",
    "open math": "\\(" * N,
    "dollars": "$" * 1_000_000,
    "new lines": "\n" * 1_000_000,
    "markers without answers": "the answer is " * N,
    "answer colons": "Answer:" * N,
    "commands and a stranger": "\\le" * 38 + "\u7b54",
    "white space": "the answer is" + " " * 1_000_000 + "x",
    "code": "\\boxed{__import__('os').system('touch PWNED')}",
    "code in prose": "The answer is __import__(chr(111)+chr(115)).system('touch PWNED')",
    "code in an index": "\\boxed{x_{open('PWNED','w')}}",
    "surrogates": "\ud800\udfff" * 1_000,
}

CORRECT = {
    "null byte": "\\boxed{5\x00}",
    "surrogate": "\\boxed{5\ud800}",
    "right-to-left marks": "\\boxed{\u202e5\u202c}",
    "zero-width space": "\\boxed{\u200b5}",
    "a hundred boxes": "\\boxed{1} " * 100 + "and finally the last of them\n\n\\boxed{5}",
    "megabyte before the box": "x " * 500_000 + "\\boxed{5}",
    "white space before the marker": " " * 1_000_000 + "#### 5",
}


@pytest.fixture(scope="module")
def strict() -> Iterator[Grader]:
    with Grader(timeout_s=0.5) as grader:
        yield grader


@pytest.mark.integration
@pytest.mark.timeout(60)
@pytest.mark.parametrize("ref", ["5", "\\frac{x+1}{y}"])
@pytest.mark.parametrize("name", NOT_CORRECT)
def test_hostile_text_gets_a_verdict(strict: Grader, name: str, ref: str) -> None:
    grade = strict.grade(ref_answer=ref, response=NOT_CORRECT[name])
    assert grade.verdict != "correct"
    assert not Path("PWNED").exists()


@pytest.mark.integration
@pytest.mark.timeout(60)
@pytest.mark.parametrize("ref", ["9^{9^{9^{9}}}", "(10^{9})!", "{" * 10_000, "7" * 1_000_000, "\ud800"])
def test_a_hostile_reference_is_no_incorrect_answer(strict: Grader, ref: str) -> None:
    assert strict.grade(ref_answer=ref, response="\\boxed{x+1}").verdict in ("ungradable", "timeout")


@pytest.mark.parametrize("name", CORRECT)
def test_odd_characters_do_not_hide_the_answer(grader: Grader, name: str) -> None:
    assert grader.grade(ref_answer="5", response=CORRECT[name]).verdict == "correct"


ALPHABET = st.sampled_from(
    [*"0123456789+-*/^_=<>!%(){}[]|,.;:$# \n\\abxyAB'\"", "\\frac", "\\sqrt", "\\boxed{", "\\text{", "\\pi", "\\left",
     "answer is ", "A: ", "^\\circ", "\\%", " and ", "p.m.", "cm", "<think>", "</think>", "\x00", "\ud800", "\u202e"]
)  # fmt: skip
TEXTS = st.text(max_size=60) | st.lists(ALPHABET, max_size=30).map("".join)


@given(text=TEXTS, finish_reason=st.sampled_from(["stop", "length"]), lenient=st.booleans())
@settings(max_examples=400, deadline=None)
def test_extraction_is_total(text: str, finish_reason: FinishReason, lenient: bool) -> None:
    found = extract(text, finish_reason=finish_reason, lenient=lenient)
    assert (found.answer is None) == (found.missing is not None)
    assert found.answer is None or found.answer.strip()


@given(text=TEXTS)
@settings(max_examples=400, deadline=None)
def test_normalisation_is_total_and_settles(text: str) -> None:
    normal = normalize(text)
    assert normal is not None
    parse_number(normal.text)


@pytest.mark.integration
@pytest.mark.timeout(120)
@given(ref=TEXTS, response=TEXTS, query=st.none() | TEXTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_grader_is_total(grader: Grader, ref: str, response: str, query: str | None) -> None:
    grade = grader.grade(ref_answer=ref, response=response, query=query)
    assert grade.verdict in ("correct", "incorrect", "no_answer", "ungradable", "timeout")
    boxed = grader.grade(ref_answer=ref, response=f"\\boxed{{{response}}}")
    assert boxed.rule
