r"""The final answer of a response, by named rules tried in a stated order.

`RULES` are strict: each needs a marker that says "this is the answer". `LENIENT_RULES` guess, and are tried last and
only when asked for. The first rule that finds something decides, and its name travels with the grade.

A response may think aloud first: only what follows its last `</think>` is read. Of a long response only the last
`MAX_CHARS` characters are read, since a final answer stands at the end. All rules take time linear in the text.
"""

import json
import re
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from dartune.grading.extraction.boxes import Box, find_boxes
from dartune.types import FinishReason

MAX_CHARS = 200_000
"""Only this many characters at the end of a response are read."""

MAX_LINE_ANSWER = 300
"""Longest answer, in characters, that a rule takes from a line of prose."""


class Found(NamedTuple):
    """What a rule found."""

    answer: str
    complete: bool
    """Whether the answer is known to be finished: something after it closes it."""


class Extraction(NamedTuple):
    """The final answer of a response, or why there is none."""

    answer: str | None
    rule: str
    """Name of the rule that fired; "none" where none did."""
    missing: Literal["no_answer", "truncated"] | None
    """Why there is no answer; None where there is one."""


class Rule(NamedTuple):
    """A named way to find the final answer."""

    name: str
    find: Callable[[str], Found | None]


_JSON_ANSWER = re.compile(r"\"(?:final[_ ])?answer\"\s*:\s*(\"(?:[^\"\\]|\\.)*\"|-?[0-9][0-9.eE+-]*|true|false)", re.I)
_JSON_END = re.compile(r"\s*,?\s*\}[\s`]*")
_JOINT = re.compile(
    r"(?:\s|\$|\\[()\[\]]|,|;|\band\b|\bor\b|\\text\{\s*(?:and|or),?\s*\}|\\quad|\\,|\\;|\{|\}|[a-zA-Z](?:_\w)?\s*=)*"
)
_MARKERS = {
    "hash": re.compile(r"#### *(.*)"),
    "heading": re.compile(r"^#{1,4} *(?:the )?(?:final )?answer *:?[ \t]*\n?(.*)", re.I | re.M),
    "answer_is": re.compile(
        r"\b(?:answer|solution|result) (?:is|would be|equals)(?: therefore| thus)?\b *+:?[ \t]*+"
        r"(?!(?:in)?correct\b|wrong\b|right\b|derived\b|obtained\b|given\b|found\b|when\b|by\b|as\b|based\b|that\b)(.*)",
        re.I,
    ),
    "answer_colon": re.compile(
        r"^[ \t>*_-]*(?:(?:the |my )?(?:final |correct )?(?:answer|ans)|A)[*_]*[ \t]*[:：][*_ \t]*(.*)", re.I | re.M
    ),
    "answer_cjk": re.compile(r"(?:最终)?答案(?:为|是)?[:：]?[ \t]*(.*)"),
}
_MATH = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_MATH_WINDOW = 2_000
_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:/\d+)?%?|-?\.\d+")
_SENTENCE_END = re.compile(r"\.(?=\s{1,9}[A-Z\"*]|\s{0,9}$)|[。?]|\s(?:because|since|which|where|as)\s")
_PARAGRAPH = re.compile(r"\n\s*\n")
_EMPTY = re.compile(r"[\s.$*_:#`]*")


def _json(text: str) -> Found | None:
    last = _last(_JSON_ANSWER, text)
    if last is None or not _JSON_END.fullmatch(text, last.end()):
        return None
    try:
        value = json.loads(last[1], strict=False) if last[1].startswith('"') else last[1]
    except ValueError:  # a LaTeX backslash that JSON has no escape for
        value = last[1][1:-1]
    return Found(_last_box_or_all(str(value)), complete=True)


def _boxed(text: str) -> Found | None:
    boxes = [box for box in find_boxes(text) if box.closed and not _EMPTY.fullmatch(box.content)]
    if not boxes:
        return None
    return Found(", ".join(box.content for box in _joined(boxes, text)), complete=True)


def _joined(boxes: list[Box], text: str) -> list[Box]:
    """The last box, and those before it that only a comma, "and" or "or" parts from it."""
    first = len(boxes) - 1
    while first > 0 and _is_joint(text[boxes[first - 1].end : boxes[first].start]):
        first -= 1
    chosen: list[Box] = []
    for box in boxes[first:]:
        if box.content not in [other.content for other in chosen]:
            chosen.append(box)
    return chosen


def _is_joint(between: str) -> bool:
    return len(between) <= 40 and "\n\n" not in between and _JOINT.fullmatch(between) is not None


def _boxed_unclosed(text: str) -> Found | None:
    boxes = find_boxes(text)
    return Found(boxes[-1].content, complete=False) if boxes else None


def _marked(name: str) -> Callable[[str], Found | None]:
    pattern = _MARKERS[name]

    def find(text: str) -> Found | None:
        last = _last(pattern, text)
        if last is None:
            return None
        line = last[1][:_MATH_WINDOW].strip("*_ :\t\r")
        ended = last.end(1) < len(text)
        math = _MATH.match(line)
        if math is not None and not line[math.end() :].strip(" .*_"):
            return Found(_first_group(math), complete=True)
        sentence = _SENTENCE_END.search(line)
        if sentence:
            return Found(line[: sentence.start()][:MAX_LINE_ANSWER], complete=True)
        return Found(line, complete=ended) if len(line) <= MAX_LINE_ANSWER else None

    return find


def _final_math(text: str) -> Found | None:
    last = _last(_MATH, _PARAGRAPH.split(text[-_MATH_WINDOW:].rstrip())[-1])
    return Found(_first_group(last), complete=False) if last else None


def _last_number(text: str) -> Found | None:
    last = _last(_NUMBER, text)
    return Found(last[0], complete=False) if last else None


RULES = (
    Rule("json", _json),
    Rule("boxed", _boxed),
    Rule("hash", _marked("hash")),
    Rule("heading", _marked("heading")),
    Rule("answer_is", _marked("answer_is")),
    Rule("answer_colon", _marked("answer_colon")),
    Rule("answer_cjk", _marked("answer_cjk")),
    Rule("boxed_unclosed", _boxed_unclosed),
    Rule("final_math", _final_math),
)
"""Strict rules in the order in which they are tried."""

LENIENT_RULES = (Rule("last_number", _last_number),)
"""Guesses, tried after `RULES` and only when asked for."""


def extract(response: str, *, finish_reason: FinishReason = "stop", lenient: bool = False) -> Extraction:
    """Final answer of `response`, with the rule that found it.

    A response that was cut off (`finish_reason` "length") counts only with a marker whose answer is known to be
    finished; otherwise it is `truncated`, never guessed at. An empty answer is no answer.
    """
    text = _after_thinking(response[-MAX_CHARS:], finish_reason)
    cut = finish_reason == "length"
    for rule in (*RULES, *LENIENT_RULES) if lenient else RULES:
        found = rule.find(text)
        if found is None or _EMPTY.fullmatch(found.answer):
            continue
        if cut and not found.complete:
            break
        return Extraction(found.answer.strip(), rule.name, None)
    return Extraction(None, "none", "truncated" if cut else "no_answer")


def _after_thinking(text: str, finish_reason: FinishReason) -> str:
    if "</think>" in text:
        return text.rpartition("</think>")[2]
    if finish_reason == "length" and "<think>" in text:
        return text.partition("<think>")[0]
    return text


def _last_box_or_all(value: str) -> str:
    found = _boxed(value)
    return found.answer if found else value


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = deque(pattern.finditer(text), maxlen=1)
    return found[0] if found else None


def _first_group(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)
