"""Lettered options of a multiple-choice query, so that an option's letter and its value count as one answer."""

import re
from typing import NamedTuple

from dartune.grading.comparison.texts import Option, read_option
from dartune.grading.spelling.normalize import normalize

MIN_OPTIONS = 2

_OPTION = re.compile(r"(?:^|[\s,;])\(?([A-Ha-h])[).:]\s*")
_MAX_QUERY = 20_000


class Sides(NamedTuple):
    """A reference and an answer."""

    ref: str
    answer: str


def resolve(query: str, ref: str, answer: str) -> Sides:
    """Both sides with an option's letter replaced by its value, where just one of them names an option."""
    left, right = _option(ref), _option(answer)
    if (left is None) == (right is None):
        return Sides(ref, answer)
    options = read_options(query)
    if left is not None:
        return Sides(options.get(left.letter, ref), answer)
    assert right is not None
    return Sides(ref, options.get(right.letter, answer))


def read_options(query: str) -> dict[str, str]:
    """Value of each lettered option by its capital letter; empty where the query has none.

    Options start at A and follow the alphabet; a value ends where the next option starts, or at the end of its line.
    """
    text = query[-_MAX_QUERY:]
    marks = list(_OPTION.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    options: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=False):
        if mark[1].upper() == chr(ord("A") + len(options)):
            options[mark[1].upper()] = text[mark.end() : end].strip().partition("\n")[0].strip(" ,;.")
    return options if len(options) >= MIN_OPTIONS else {}


def _option(text: str) -> Option | None:
    normal = normalize(text)
    return read_option(normal.text) if normal else None
