"""One row of a source, from raw values to a problem or to a named defect. Pure.

A source never drops a row: each becomes a `Row` or a `Defect`, and whoever asked decides what a defect means.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dartune.queries.wording import quoted

RawRow = Mapping[str, object]
"""One object of a JSON file or one line of a table, as its reader gave it."""

Unit = Literal["line", "row"]
"""What a row number counts, from 1: lines of a JSONL file, or rows of a table without its header."""


class NumberedRow(NamedTuple):
    """A raw row and its place in the source."""

    number: int
    raw: RawRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The values from which a query is made, of whatever type the source holds."""

    text: object
    ref_answer: object
    level: object = None
    domain: object = None
    meta: Mapping[str, object] = field(default_factory=dict)
    """What the benchmark's judge reads."""


Adapter = Callable[[RawRow], Problem]
"""Finds these values in a raw row; raises KeyError where a column that it needs is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A whole problem and its place in the source."""

    number: int
    text: str
    ref_answer: str
    level: int | None
    domain: str | None
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A row that holds no usable problem."""

    number: int
    field: str
    """Query field, or "row" where the row itself cannot be read."""
    kind: Literal["empty", "malformed"]
    message: str
    """What was expected and what was got."""


def read_row(number: int, problem: Problem) -> Row | Defect:
    """The problem with its types settled, or its first defect.

    White space around a text is no part of it: copies of one benchmark differ in it, and ids must not.
    """
    texts: dict[str, str] = {}
    for name, value in (("text", problem.text), ("ref_answer", problem.ref_answer), ("domain", problem.domain)):
        try:
            texts[name] = as_text(value).strip()
        except ValueError as error:
            return Defect(number=number, field=name, kind="malformed", message=str(error))
        if name != "domain" and not texts[name]:
            return Defect(number=number, field=name, kind="empty", message="expected text, got nothing")
    try:
        level = parse_level(problem.level)
    except ValueError as error:
        return Defect(number=number, field="level", kind="malformed", message=str(error))
    return Row(
        number=number,
        text=texts["text"],
        ref_answer=texts["ref_answer"],
        level=level,
        domain=texts["domain"] or None,
        meta=problem.meta,
    )


def as_text(value: object) -> str:
    """Text or a single number as text; "" for a missing value.

    Raises:
        ValueError: a list, an object, or text that is not valid Unicode.
    """
    if value is None or value != value:  # NaN is how tables write a missing number
        return ""
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"expected text or a number, got {quoted(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"expected valid Unicode, got {quoted(value)}") from None
    return value


def parse_level(value: object) -> int | None:
    """A level of 1 or more, of at most nine digits, from 5, 5.0, "5" or "Level 5"; None for a missing value.

    Raises:
        ValueError: anything else.
    """
    if value is None or value == "" or value != value:
        return None
    level: int | None = None
    if isinstance(value, float) and value.is_integer():
        level = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        level = value
    elif isinstance(value, str) and (match := re.fullmatch(r"\s*(?:level\s*)?([0-9]{1,9})\s*", value, re.IGNORECASE)):
        level = int(match[1])
    if level is None or not 1 <= level < 10**9:
        raise ValueError(f'expected a whole number from 1, alone or as "Level 5", got {quoted(value)}')
    return level
