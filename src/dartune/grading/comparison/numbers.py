r"""Whether two texts are the same number, decided only where both are numbers of a kind that makes it certain."""

import re
from fractions import Fraction

from dartune.grading.comparison.number_reader import Number, parse_number

MIN_APPROXIMATE_PLACES = 6
"""A decimal with at least this many places may stand for the exact number that it is the rounding of."""

_NOISE_PLACES = 12
_NOISE = Fraction(1, 10**12)
_BASED = re.compile(r"\(?(-?[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)?)\)?_\{?(\d{1,2}|[a-z]{1,7})\}?")
_BASE_WORDS = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "twelve": "12", "sixteen": "16",
}  # fmt: skip


def decide(ref: str, answer: str) -> bool | None:
    """Whether two canonical texts are the same number; None where that is not certain."""
    based = _decide_based(ref, answer)
    if based is not None:
        return based
    left, right = parse_number(ref), parse_number(answer)
    if left is None or right is None:
        return None
    return same_number(left, right)


def same_number(ref: Number, answer: Number) -> bool | None:
    """Whether two numbers are equal, as exact values or as a value and its written approximation.

    A percent sign on one side only is read both as a unit that was left out and as a hundredth; a bare number is
    never scaled.
    """
    if ref.key() == answer.key():
        return True
    if ref.percent != answer.percent:
        return _value(ref) == _value(answer)
    if max(ref.places, answer.places) < MIN_APPROXIMATE_PLACES:
        return False
    if any(number.radicand != 1 or number.pi_power for number in (ref, answer)):
        return None
    return _approximates(ref, answer)


def _value(number: Number) -> tuple[Fraction, int]:
    scaled = number._replace(coefficient=number.coefficient / 100) if number.percent else number
    return scaled.key()


def _approximates(left: Number, right: Number) -> bool:
    a, b = left.coefficient, right.coefficient
    written = [number for number in (left, right) if number.places >= MIN_APPROXIMATE_PLACES]
    coarse = min(written, key=lambda number: number.places)
    exact = b if coarse is left else a
    step = Fraction(1, 10**coarse.places)
    cut = step * int(exact / step)
    if coarse.coefficient in (cut, step * round(exact / step)):
        return True
    return max(left.places, right.places) >= _NOISE_PLACES and abs(a - b) <= _NOISE * max(abs(a), abs(b))


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
