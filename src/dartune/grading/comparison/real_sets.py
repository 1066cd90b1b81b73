r"""Intervals, inequalities in one variable, and their unions, as one canonical set of real numbers.

`x>3`, `3<x` and `(3,\infty)` are the same set, and so are `\mathbb{R}\setminus\{1\}` and `(-\infty,1)\cup(1,\infty)`.
A pair without anything that makes it an interval, `(1,2)` against `(1,2)`, is left to `sequences`.
"""

import math
import re
from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

from dartune.grading.expressions import value_of

MAX_PARTS = 32

_SIGNS = re.compile(r"\\cup|\\infty|\\mathbb\{R\}|\\setminus|\\ne|\\le|\\ge|[<>]|\\emptyset")
_HALF_OPEN = re.compile(r"\[[^\[\]()]*,[^\[\]()]*\)|\([^\[\]()]*,[^\[\]()]*\]")
_INTERVAL = re.compile(r"([(\[])(.*)([)\]])")
_OPERATOR = re.compile(r"(\\(?:le|ge|ne)(?![a-zA-Z])|[<>])")
_VARIABLE = re.compile(r"[a-zA-Z]|\\[a-z]{2,6}")
_ABSOLUTE = re.compile(r"\|([a-zA-Z])\|")
_MIRRORED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "\\ne": "\\ne"}
_UPWARDS = {"<": "n", "\\le": "y"}
_REALS = "\\mathbb{R}"
_MEMBER = re.compile(r"([a-zA-Z])\\in(?![a-zA-Z])")
_BUILDER = re.compile(r"\\\{([a-zA-Z])(?:\\in\s?\\mathbb\{R\})?[|:](.*)\\\}")


class End(NamedTuple):
    """One end of an interval."""

    value: float
    text: str
    closed: bool


class Interval(NamedTuple):
    """All numbers between two ends."""

    low: End
    high: End


class RealSet(NamedTuple):
    """Disjoint intervals in ascending order, and the variable that they are about, if one was named."""

    intervals: tuple[Interval, ...]
    variable: str


_MINUS_INFINITY = End(-math.inf, "-\\infty", False)
_INFINITY = End(math.inf, "\\infty", False)
_ALL = Interval(_MINUS_INFINITY, _INFINITY)


class _NotASet(Exception):
    """The text is no set of a kind that is read here."""


def decide(ref: str, answer: str, same: Callable[[str, str], bool | None]) -> bool | None:
    """Whether two canonical texts are the same set of real numbers; None where that is not certain."""
    if not any(_SIGNS.search(text) or _HALF_OPEN.search(text) for text in (ref, answer)):
        return None
    left, right = parse_set(ref), parse_set(answer)
    if left is None or right is None:
        return _decide_bounds(_bounds(ref), _bounds(answer), same)
    if left.variable and right.variable and left.variable != right.variable:
        return False
    if len(left.intervals) != len(right.intervals):
        return False
    verdicts = [
        a.closed == b.closed and (a.text == b.text or same(a.text, b.text))
        for left_part, right_part in zip(left.intervals, right.intervals, strict=True)
        for a, b in zip(left_part, right_part, strict=True)
    ]
    if False in verdicts:
        return False
    return None if None in verdicts else True


class _Bounds(NamedTuple):
    """One interval whose ends may be any expressions."""

    low: str
    high: str
    closed: str
    """For each end, "y" or "n"."""


def _decide_bounds(ref: _Bounds | None, answer: _Bounds | None, same: Callable[[str, str], bool | None]) -> bool | None:
    if ref is None or answer is None:
        return None
    verdicts = [ref.closed == answer.closed, same(ref.low, answer.low), same(ref.high, answer.high)]
    return False if False in verdicts else None if None in verdicts else True


def _bounds(text: str) -> _Bounds | None:
    """One interval, in brackets or as a chain of two inequalities upwards; None for any other text."""
    interval = _INTERVAL.fullmatch(text)
    if interval and interval[2].count(",") == 1:
        low, high = interval[2].split(",")
        return _Bounds(
            low.strip(), high.strip(), ("y" if interval[1] == "[" else "n") + ("y" if interval[3] == "]" else "n")
        )
    parts = [part.strip() for part in _OPERATOR.split(text)]
    if len(parts) == 5 and _VARIABLE.fullmatch(parts[2]) and all(sign in _UPWARDS for sign in parts[1::2]):
        return _Bounds(parts[0], parts[4], _UPWARDS[parts[1]] + _UPWARDS[parts[3]])
    return None


def parse_set(text: str) -> RealSet | None:
    """The set that a canonical text spells; None for a text that spells none, or whose ends are no numbers."""
    built = _BUILDER.fullmatch(text)
    text = built[2] if built else text
    member = _MEMBER.match(text)
    try:
        if member:
            return RealSet(_union(text[member.end() :]), member[1])
        if _OPERATOR.search(text) and "\\cup" not in text:
            return _relations(text)
        return RealSet(_union(text), "")
    except _NotASet:
        return None


def _union(text: str) -> tuple[Interval, ...]:
    kept, minus, dropped = text.partition("\\setminus")
    if not minus and kept.startswith(f"{_REALS}-"):
        kept, dropped = _REALS, kept.removeprefix(f"{_REALS}-")
    parts = kept.split("\\cup")
    if len(parts) > MAX_PARTS:
        raise _NotASet
    intervals = [interval for part in parts for interval in _part(part.strip())]
    for point in _points(dropped.strip()) if dropped else ():
        intervals = [piece for interval in intervals for piece in _without(interval, point)]
    return _merged(intervals)


def _part(text: str) -> list[Interval]:
    if text == _REALS:
        return [_ALL]
    if text == "\\emptyset":
        return []
    if text.startswith("\\{"):
        return [Interval(point, point) for point in _points(text)]
    interval = _INTERVAL.fullmatch(text)
    ends = interval[2].split(",") if interval else []
    if interval is None or len(ends) != 2:
        raise _NotASet
    low, high = _end(ends[0], interval[1] == "["), _end(ends[1], interval[3] == "]")
    if low.value >= high.value:
        raise _NotASet
    return [Interval(low, high)]


def _points(text: str) -> list[End]:
    if not (text.startswith("\\{") and text.endswith("\\}")):
        raise _NotASet
    return [_end(item, closed=True) for item in text[2:-2].split(",")]


def _end(text: str, closed: bool) -> End:
    bare = text.strip()
    if bare in ("\\infty", "+\\infty"):
        return _INFINITY
    if bare == "-\\infty":
        return _MINUS_INFINITY
    value = value_of(bare)
    if value is None or value.imag:
        raise _NotASet
    return End(value.real, bare, closed)


def _relations(text: str) -> RealSet:
    r"""Inequalities: one, a chain (`1<x\le5`), or several of the same variable."""
    read = [_chain(part) for part in text.split(",")]
    names = {found.variable for found in read}
    if len(names) != 1 or len(read) > MAX_PARTS:
        raise _NotASet
    parts = [found.intervals for found in read]
    union = _merged([interval for part in parts for interval in part])
    if len(parts) > 1 and union == (_ALL,):  # "x>1, x<5" is meant as both
        union = reduce(_intersection, parts)
    return RealSet(union, names.pop())


def _intersection(left: tuple[Interval, ...], right: tuple[Interval, ...]) -> tuple[Interval, ...]:
    common = []
    for a in left:
        for b in right:
            low = max(a.low, b.low, key=lambda end: (end.value, not end.closed))
            high = min(a.high, b.high, key=lambda end: (end.value, end.closed))
            if low.value < high.value:
                common.append(Interval(low, high))
    return _merged(common)


def _chain(text: str) -> RealSet:
    parts = [part.strip() for part in _OPERATOR.split(text)]
    if len(parts) == 3:
        left, operator, right = parts
        absolute = _ABSOLUTE.fullmatch(left)
        if absolute:
            return RealSet(_around_zero(operator, right), _variable(absolute[1]))
        if not _VARIABLE.fullmatch(left):
            left, operator, right = right, _MIRRORED[operator], left
        return RealSet(_half_line(operator, right), _variable(left))
    if len(parts) == 5:
        low_text, first, variable, second, high_text = parts
        if first not in ("<", "\\le") or second not in ("<", "\\le"):
            low_text, first, second, high_text = high_text, _MIRRORED[second], _MIRRORED[first], low_text
        if first not in ("<", "\\le") or second not in ("<", "\\le"):
            raise _NotASet
        low, high = _end(low_text, first == "\\le"), _end(high_text, second == "\\le")
        if low.value >= high.value:
            raise _NotASet
        return RealSet((Interval(low, high),), _variable(variable))
    raise _NotASet


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text) or text in ("e", "i", "\\pi", "\\infty"):
        raise _NotASet
    return text


def _half_line(operator: str, text: str) -> tuple[Interval, ...]:
    if operator == "\\ne":
        return tuple(_without(_ALL, _end(text, closed=True)))
    end = _end(text, closed=operator in ("\\le", "\\ge"))
    return (Interval(_MINUS_INFINITY, end),) if operator in ("<", "\\le") else (Interval(end, _INFINITY),)


def _around_zero(operator: str, text: str) -> tuple[Interval, ...]:
    """The numbers whose absolute value is below, or above, a positive number."""
    end = _end(text, closed=operator in ("\\le", "\\ge"))
    if end.value <= 0 or operator == "\\ne":
        raise _NotASet
    opposite = End(-end.value, f"-({end.text})", end.closed)
    if operator in ("<", "\\le"):
        return (Interval(opposite, end),)
    return Interval(_MINUS_INFINITY, opposite), Interval(end, _INFINITY)


def _without(interval: Interval, point: End) -> list[Interval]:
    if not interval.low.value < point.value < interval.high.value:
        raise _NotASet
    hole = point._replace(closed=False)
    return [Interval(interval.low, hole), Interval(hole, interval.high)]


def _merged(intervals: list[Interval]) -> tuple[Interval, ...]:
    """In order, those that overlap or touch made one."""
    merged: list[Interval] = []
    for interval in sorted(intervals, key=lambda part: (part.low.value, not part.low.closed)):
        last = merged[-1] if merged else None
        touches = last is not None and (
            interval.low.value < last.high.value
            or (interval.low.value == last.high.value and (interval.low.closed or last.high.closed))
        )
        if last is not None and touches:
            high = max(last.high, interval.high, key=lambda end: (end.value, end.closed))
            merged[-1] = Interval(last.low, high)
        else:
            merged.append(interval)
    return tuple(merged)
