"""Whether the equations of a solution are true: a right answer can follow from false steps.

The text comes from a model and is hostile: it is parsed by hand within limits of length, depth and digits; nothing in
it is ever evaluated as code.
"""

from dataclasses import dataclass
from fractions import Fraction

MAX_WORDS = 4096
"""Words beyond these are not looked at."""
_MAX_CHARACTERS = 16 * MAX_WORDS
_MAX_DIGITS = 6
_MAX_EXPRESSION_WORDS = 64
_OPERATORS = frozenset("+-*/")
_ADDITIVE, _MULTIPLICATIVE = frozenset("+-"), frozenset("*/")


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionCheck:
    """Count of the equations of one solution."""

    n_equations: int
    n_false: int
    """Equations whose sides differ or that are malformed."""

    @property
    def all_true(self) -> bool:
        """Whether no equation is false; so too where there is none."""
        return self.n_false == 0


def check_solution(text: str) -> SolutionCheck:
    """Check every equation `expression = number` in space-separated text.

    An expression is the longest run of numbers, + - * / and parentheses before the equals sign. In `a = b = c` both
    equations count.
    """
    words = text[:_MAX_CHARACTERS].split()[:MAX_WORDS]
    signs = [i for i, word in enumerate(words) if word == "="]
    n_false = sum(not _holds(words, sign) for sign in signs)
    return SolutionCheck(n_equations=len(signs), n_false=n_false)


def _holds(words: list[str], sign: int) -> bool:
    """Whether the equation around the equals sign at index `sign` is well-formed and true."""
    start = sign
    while start > 0 and sign - start < _MAX_EXPRESSION_WORDS and _is_expression_word(words[start - 1]):
        start -= 1
    if sign + 1 >= len(words) or not _is_number(words[sign + 1]):
        return False
    try:
        value = _Parser(words[start:sign]).parse()
    except _Malformed:
        return False
    return value == int(words[sign + 1])


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _MAX_DIGITS


def _is_expression_word(word: str) -> bool:
    return word in _OPERATORS or word in ("(", ")") or _is_number(word)


class _Malformed(Exception):
    """Not an expression, or one that divides by zero."""


class _Parser:
    """Recursive descent over at most _MAX_EXPRESSION_WORDS words, which bounds depth and size of values."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._next = 0

    def parse(self) -> Fraction:
        value = self._sum()
        if self._next != len(self._words):
            raise _Malformed
        return value

    def _take(self, wanted: frozenset[str]) -> str | None:
        if self._next < len(self._words) and self._words[self._next] in wanted:
            self._next += 1
            return self._words[self._next - 1]
        return None

    def _sum(self) -> Fraction:
        value = self._product()
        while operator := self._take(_ADDITIVE):
            term = self._product()
            value = value + term if operator == "+" else value - term
        return value

    def _product(self) -> Fraction:
        value = self._atom()
        while operator := self._take(_MULTIPLICATIVE):
            factor = self._atom()
            if operator == "*":
                value *= factor
            elif factor == 0:
                raise _Malformed
            else:
                value /= factor
        return value

    def _atom(self) -> Fraction:
        if self._take(frozenset("(")):
            value = self._sum()
            if not self._take(frozenset(")")):
                raise _Malformed
            return value
        if self._next < len(self._words) and _is_number(self._words[self._next]):
            self._next += 1
            return Fraction(int(self._words[self._next - 1]))
        raise _Malformed
