"""Answers without a marker: a text that is nothing else, its final math, or as a guess its last number."""

import re

from dartune.grading.extraction.boxes import is_joint
from dartune.grading.extraction.found import Found
from dartune.grading.extraction.math_spans import Math, math_before

_MAX_TAIL = 60
_MAX_PARTS = 8
_TAIL = re.compile(r"[*_]{0,3}(?:[^\d$\\\n.{}=]{0,40}[.!。])?[\s*_]*$")
_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:/\d+)?%?|-?\.\d+")
_NUMBER_WINDOW = 400
_MAX_BARE = 120
_SIGN = r"[-+*/^_=<>()\[\]{}.,:;%|!&$°√π∞×·÷≤≥±−½²³ ]"
_BARE = re.compile(
    rf"(?!.*box)(?={_SIGN}*[\da-zA-Z\\])(?:\\[a-zA-Z]++|\d|[a-zA-Z](?![a-zA-Z])|{_SIGN})++|[a-zA-Z]{{2,20}}\.?"
)
_CLOSERS = ("$", "\\)", "\\]")


def final_math(text: str) -> Found | None:
    """The math in which the last sentence ends, but for a few words, with what "and", "or", a comma join to it."""
    end = len(text)
    while end and text[end - 1].isspace():
        end -= 1
    last = _last_closer(text, end)
    if last < 0 or not _TAIL.fullmatch(text, last, end):
        return None
    math = math_before(text, last)
    if math is None:
        return None
    parts = [math, *_joined_before(text, math)]
    return Found(", ".join(part.content for part in reversed(parts)), complete=False)


def _joined_before(text: str, math: Math) -> list[Math]:
    parts: list[Math] = []
    while len(parts) < _MAX_PARTS:
        end = _last_closer(text, math.start)
        before = math_before(text, end) if end >= 0 and _joins(text, end, math.start) else None
        if before is None:
            return parts
        parts.append(before)
        math = before
    return parts


def _joins(text: str, begin: int, end: int) -> bool:
    return is_joint(text, begin, end) and not text[begin:end].isspace()


def _last_closer(text: str, end: int) -> int:
    """Index just after the last closing mark of the few characters before `end`; -1 where there is none."""
    begin = max(0, end - _MAX_TAIL)
    return max(at + len(mark) if (at := text.rfind(mark, begin, end)) >= 0 else -1 for mark in _CLOSERS)


def bare(text: str) -> Found | None:
    """The whole text, where it is one short line of nothing but math, or one word."""
    line = text.strip() if len(text) < _MAX_BARE else ""
    return Found(line, complete=False) if line and _BARE.fullmatch(line) else None


def last_number(text: str) -> Found | None:
    """The last number of the last `_NUMBER_WINDOW` characters."""
    numbers = _NUMBER.findall(text, max(0, len(text) - _NUMBER_WINDOW))
    return Found(numbers[-1], complete=False) if numbers else None
