"""Whether two texts are the same rational number, decided only where both are rational numbers."""

import re
from fractions import Fraction
from typing import NamedTuple

from dartune.grading.expressions import read
from dartune.grading.expressions.tree import Number as Exact

MIN_APPROXIMATE_PLACES = 6
"""A decimal with at least this many places may stand for the exact number that it is the rounding of."""

_NOISE_PLACES = 12
_NOISE = Fraction(1, 10**12)
_HAS_DIGIT = re.compile(r"\d")
_PLAIN_DECIMAL = re.compile(r"[-+]?\d*\.(\d+)")
_BASED = re.compile(r"\(?(-?[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)?)\)?_\{?(\d{1,2}|[a-z]{1,7})\}?")
_BASE_WORDS = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "twelve": "12", "sixteen": "16",
}  # fmt: skip


class Number(NamedTuple):
    """A rational number as it was written."""

    value: Fraction
    places: int = 0
    """Decimal places, where it was written as one plain decimal."""
    percent: bool = False
    """Whether a percent sign was written; it is not in the value."""


def decide(ref: str, answer: str) -> bool | None:
    """Whether two canonical texts are the same number; None where that is not certain."""
    based = _decide_based(ref, answer)
    if based is not None:
        return based
    left = parse_number(ref)
    right = parse_number(answer) if left is not None else None
    return same_number(left, right) if left is not None and right is not None else None


def parse_number(text: str) -> Number | None:
    """The rational number that a canonical text spells, or None where it spells none."""
    if not _HAS_DIGIT.search(text):
        return None
    core = text.removesuffix("%")
    expression = read(core) if not core.endswith("%") else None
    if not isinstance(expression, Exact):
        return None
    decimal = _PLAIN_DECIMAL.fullmatch(core)
    return Number(expression.value, len(decimal[1]) if decimal else 0, percent=core != text)


def same_number(ref: Number, answer: Number) -> bool:
    """Whether two numbers are equal, as exact values or as a value and its written approximation.

    A percent sign on one side only is read both as a unit that was left out and as a hundredth; a bare number is
    never scaled.
    """
    if ref.value == answer.value:
        return True
    if ref.percent != answer.percent:
        return _scaled(ref) == _scaled(answer)
    return max(ref.places, answer.places) >= MIN_APPROXIMATE_PLACES and _approximates(ref, answer)


def _scaled(number: Number) -> Fraction:
    return number.value / 100 if number.percent else number.value


def _approximates(left: Number, right: Number) -> bool:
    a, b = left.value, right.value
    written = [number for number in (left, right) if number.places >= MIN_APPROXIMATE_PLACES]
    coarse = min(written, key=lambda number: number.places)
    exact = b if coarse is left else a
    step = Fraction(1, 10**coarse.places)
    cut = step * int(exact / step)
    if coarse.value in (cut, step * round(exact / step)):
        return True
    return max(left.places, right.places) >= _NOISE_PLACES and abs(a - b) <= _NOISE * max(abs(a), abs(b))


def is_numeral(text: str) -> bool:
    """Whether a canonical text is a number with its base as subscript."""
    based = _BASED.fullmatch(text)
    return based is not None and based[1][-1].isdigit()


def _decide_based(ref: str, answer: str) -> bool | None:
    """Numbers with a base as subscript: a base that the reference has is asked for; one that it lacks is dropped."""
    left, right = _BASED.fullmatch(ref), _BASED.fullmatch(answer)
    if left and right:
        return left[1].upper() == right[1].upper() and _base(left) == _base(right)
    if right is not None and right[1][-1].isdigit():
        return True if right[1] == ref else None
    if left is None or not left[1][-1].isdigit() or parse_number(answer) is None:
        return None
    return _base(left) == "10" and left[1] == answer


def _base(match: re.Match[str]) -> str:
    return _BASE_WORDS.get(match[2], match[2])
