"""The table of (response, answer, rule): every rule, policy and language has its rows; and what holds of any text."""

import json
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dartune.grading.extraction.boxes import find_boxes
from dartune.grading.extraction.extract import LENIENT_RULES, RULES, SCOPES, extract, trace
from dartune.grading.extraction.found import is_empty
from dartune.grading.extraction.languages import LANGUAGES, Language
from dartune.grading.extraction.markers import last_marked
from dartune.types import FinishReason


class Row(TypedDict):
    response: str
    answer: str | None
    rule: str
    finish_reason: NotRequired[FinishReason]
    lenient: NotRequired[bool]


TABLE = Path(__file__).parent / "tables" / "extraction.jsonl"
ROWS: list[Row] = [json.loads(line) for line in TABLE.read_text("utf-8").split("\n") if line]


@pytest.mark.parametrize("row", ROWS, ids=[f"{i}-{row['rule']}" for i, row in enumerate(ROWS)])
def test_row(row: Row) -> None:
    finish_reason = row.get("finish_reason", "stop")
    found = extract(row["response"], finish_reason=finish_reason, lenient=row.get("lenient", False))
    assert (found.answer, found.rule) == (row["answer"], row["rule"])
    expected = None if row["answer"] is not None else "truncated" if finish_reason == "length" else "no_answer"
    assert found.missing == expected


def test_every_rule_has_rows() -> None:
    assert {rule.name for rule in (*RULES, *LENIENT_RULES)} | {"none"} == {row["rule"] for row in ROWS}


def test_every_policy_has_rows() -> None:
    applied = {name for row in ROWS for name in trace(row["response"]).reading.policies}
    assert applied == {scope.name for scope in SCOPES} - {"window"}


@pytest.mark.parametrize("language", LANGUAGES, ids=[language.code for language in LANGUAGES])
def test_every_language_has_rows(language: Language) -> None:
    translated = [row["response"] for row in ROWS if row["rule"] == "answer_translated"]
    assert any(last_marked(response, language.marker) for response in translated)


def test_names_are_unique_and_described() -> None:
    named = [
        *[(rule.name, rule.description) for rule in (*RULES, *LENIENT_RULES)],
        *[(scope.name, scope.description) for scope in SCOPES],
    ]
    assert len(dict(named)) == len(named)
    assert all(description.endswith(".") and "\n" not in description for _, description in named)


def test_of_a_long_response_the_end_is_read() -> None:
    traced = trace("\\boxed{1} " + "x " * 200_000 + "\\boxed{5}")
    assert traced.reading.policies == ("window",)
    assert traced.extraction.answer == "5"
    assert extract("\\boxed{1} " + "x " * 200_000).answer is None


def test_an_unclosed_box_does_not_hide_the_closed_one_before_it() -> None:
    assert [(box.content, box.closed) for box in find_boxes("\\boxed{1} \\boxed{2")] == [("1", True), ("2", False)]


def test_of_many_boxes_the_last_are_read() -> None:
    boxes = find_boxes("\\boxed{1}\n\n" * 100)
    assert (len(boxes), boxes[-1].content) == (64, "1")


PIECES = st.sampled_from(
    [*"0123456789+-*/^_=<>!%(){}[]|,.;:$# \n\\abxyAB'\"`", "\\boxed{", "\\fbox{", "\\frac", "The answer is ", "Answer:",
     "A: ", "#### ", "# Answer\n", "**", "<think>", "</think>", "<answer>", "</answer>", "\\(", "\\)", "\\[", "\\]",
     "$$", '{"answer": "', '"}', "\n\nQuestion:", "</s>", "<|im_end|>", "<|channel|>final<|message|>", "```output\n",
     "```", "答案是", "。", "답은 ", "Jibu ni ", "\x00", "\ud800", "\u202e", " and "]
)  # fmt: skip
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=40).map("".join)
REASONS = st.sampled_from(["stop", "length"])


@given(text=TEXTS, finish_reason=REASONS, lenient=st.booleans())
@settings(max_examples=600, deadline=None)
@example(text="<think>", finish_reason="length", lenient=True)
def test_any_text_has_an_extraction_that_the_trace_explains(
    text: str, finish_reason: FinishReason, lenient: bool
) -> None:
    found = extract(text, finish_reason=finish_reason, lenient=lenient)
    assert (found.answer is None) == (found.missing is not None) == (found.rule == "none")
    assert found.answer is None or not is_empty(found.answer)
    traced = trace(text, finish_reason=finish_reason, lenient=lenient)
    assert traced.extraction == found
    assert [tried.rule for tried in traced.tried] == [*RULES, *LENIENT_RULES] if lenient else [*RULES]


@given(text=TEXTS, finish_reason=REASONS)
@settings(max_examples=300, deadline=None)
def test_lenient_adds_answers_and_changes_none(text: str, finish_reason: FinishReason) -> None:
    strict = extract(text, finish_reason=finish_reason)
    lenient = extract(text, finish_reason=finish_reason, lenient=True)
    assert lenient == strict or (strict.answer is None and lenient.rule in {rule.name for rule in LENIENT_RULES})


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_response_that_was_cut_off_has_the_same_answer_or_none(text: str) -> None:
    cut = extract(text, finish_reason="length")
    assert cut.answer is None or cut == extract(text)


N = 100_000
HOSTILE = {
    "open boxes": "\\boxed{" * N,
    "closed boxes": "\\boxed{1} " * N,
    "boxes far from their braces": ("\\boxed" + " " * 3_000) * 64,
    "nested boxes": "\\boxed{" * 10_000 + "1" + "}" * 10_000,
    "nested braces": "\\boxed{" + "{" * 10_000 + "1" + "}" * 10_000 + "}",
    "the word box": "box" * N,
    "markers": "the answer is " * N,
    "markers without answers": "the answer is\n" * N,
    "praise": "This answer is correct. " * N,
    "half markers": "solution is " * N,
    "white space after a marker": "the answer is" + " " * 2_000_000 + "x",
    "stars after a marker": "the answer is " + "*" * 2_000_000,
    "dollars": "$" * 2_000_000,
    "spaced dollars": "$ " * N,
    "math": "$a$, " * N,
    "dollars and commas": ",$" * N,
    "open math": "\\(" * N,
    "closing math": "\\]" * N,
    "new lines": "\n" * 2_000_000,
    "spaces": " " * 2_000_000,
    "digits": "7" * 2_000_000,
    "thoughts": "<think>" * N,
    "ends of thoughts": "</think>" * N,
    "tags": "<think></think>" * N,
    "angles": "<" * 2_000_000,
    "end tokens": "</s>" * N,
    "questions": "#### \n\nQuestion: " * N,
    "JSON": '{"answer": "' * N + '"}',
    "JSON escapes": '{"answer": "' + "\\" * 190_000 + '"}',
    "JSON spaces": '"answer":' + " " * 190_000 + "}",
    "headings": "# answer\n" * N,
    "output": "```output\n" * N,
    "Chinese": "答案是" * N,
    "surrogates": "\ud800\udfff" * N,
    "right-to-left marks": "\u202e" * N,
    "null bytes": "\x00" * N,
}


@pytest.mark.timeout(5)
@pytest.mark.parametrize("finish_reason", ["stop", "length"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_linear_time(name: str, finish_reason: FinishReason) -> None:
    text = HOSTILE[name]
    extract(text, finish_reason=finish_reason, lenient=True)
    trace(text, finish_reason=finish_reason, lenient=True)
