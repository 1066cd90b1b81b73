"""What judges of numbers read in an answer: one real value, or the values of a list."""

import re
from typing import NamedTuple

from dartune.grading.comparison.sequences import parse_sequence
from dartune.grading.expressions import value_of
from dartune.grading.spelling.normalize import normalize

_LEFT_SIDE = re.compile(r".*(?:=|\\approx(?![a-zA-Z]))", re.DOTALL)
_DECIMAL = re.compile(r"\d*\.\d")
_UNIT = re.compile(r"(?<=[\d}])\s{1,3}[A-Za-z]{1,3}\.?$")
_REAL = 1e-9


class Reading(NamedTuple):
    """A real number that an answer says."""

    value: float
    """As written: that of `50%` is 50."""
    percent: bool
    rounded: bool
    """Whether it was written with a decimal point, so that it may be the rounding of an exact value."""


def read_value(answer: str) -> Reading | None:
    """The real number that a whole answer says, after the last equals sign if it has one; None where it says none.

    Where a number is asked, a letter after it that is set apart is a unit, and no variable: `5.64 m`.
    """
    for text in (answer, _UNIT.sub("", answer)):
        normal = normalize(text)
        reading = _read(normal.text) if normal is not None else None
        if reading is not None:
            return reading
    return None


def read_values(answer: str) -> list[Reading] | None:
    """The real numbers of a list in any brackets, or the only one; None where one of the items is no number."""
    normal = normalize(answer)
    if normal is None:
        return None
    sequence = parse_sequence(normal.text)
    readings = [_read(item) for item in (sequence.items if sequence is not None else (normal.text,))]
    found = [reading for reading in readings if reading is not None]
    return found if len(found) == len(readings) else None


def _read(text: str) -> Reading | None:
    core = _LEFT_SIDE.sub("", text, count=1).strip()
    value = value_of(core.removesuffix("%"))
    if value is None or abs(value.imag) > _REAL * abs(value):
        return None
    return Reading(value.real, percent=core.endswith("%"), rounded=_DECIMAL.search(core) is not None)
