r"""What kind of object a text spells, and the refusal of answers that are of no kind, or of another than is asked.

This is the last step before symbolic algebra: it says no, or nothing. An answer with a command that symbolic algebra
may know what to do with (`\sum`, `\int`) is left to it.
"""

import re
from typing import Literal

from dartune.grading.comparison import matrices, numbers, real_sets, sequences, texts
from dartune.grading.expressions import read, value_of

Kind = Literal["expression", "numeral", "time", "sequence", "set", "matrix", "relation"]

_FOR_ALGEBRA = re.compile(
    r"\\(?:sum|prod|i*int|oint|lim|gcd|lcm|det|max|min|sup|inf|mod|p?bmod|operatorname|overline)(?![a-z])"
)
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_LETTER = re.compile(r"[a-zA-Z]")
_BOUND = re.compile(r"_\{?([a-zA-Z])(?:=|\\to|\\rightarrow|\\in|\|)|d([a-zA-Z])(?![a-zA-Z])")
"""The variable under a sum or limit, or after the d of an integral."""

_RELATION = re.compile(r"\\(?:le|ge|ne|approx|equiv)(?![a-zA-Z])|[<>=]")
_MAX_SIDES = 8
_ALIKE = ({"sequence", "matrix"}, {"set", "relation"})
"""Kinds of which one object can be two; so can an interval and a pair."""


def decide(ref: str, answer: str) -> bool | None:
    """False where the reference is of a kind that is known, and the answer is of none, or of another."""
    if texts.is_words(ref) or _FOR_ALGEBRA.search(ref):
        return None
    if value_of(ref) is not None and _has_free_letter(answer):
        return False
    if _FOR_ALGEBRA.search(answer):
        return None
    asked = kind_of(ref)
    if asked is None:
        return None
    given = kind_of(answer)
    if asked == given or {asked, given} in _ALIKE:
        return None
    if {asked, given} == {"set", "sequence"} and any(_is_pair(text) for text in (ref, answer)):
        return None
    return False


def _is_pair(text: str) -> bool:
    sequence = sequences.parse_sequence(text)
    return sequence is not None and len(sequence.items) == 2


def _has_free_letter(text: str) -> bool:
    """Whether a text has a letter that is no constant, and that no sum, limit or integral binds."""
    letters = set(_LETTER.findall(_COMMAND.sub(" ", text))) - {"e", "i"}
    bound = {letter for pair in _BOUND.findall(text) for letter in pair}
    return bool(letters - bound - ({"d"} if any(pair[1] for pair in _BOUND.findall(text)) else set()))


def kind_of(text: str) -> Kind | None:
    """The kind of object that a canonical text spells; None for one that is not known."""
    if read(text) is not None:
        return "expression"
    if numbers.is_numeral(text):
        return "numeral"
    if texts.is_time(text):
        return "time"
    if real_sets.parse_set(text) is not None:
        return "set"
    if matrices.parse_matrix(text) is not None:
        return "matrix"
    sequence = sequences.parse_sequence(text)
    if sequence is not None and all(kind_of(item) is not None for item in sequence.items):
        return "sequence"
    sides = _RELATION.split(text)
    if 2 <= len(sides) <= _MAX_SIDES and all(read(side) is not None for side in sides):
        return "relation"
    return None
