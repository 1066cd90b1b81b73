r"""One exact number from its canonical text: integers, decimals, fractions, mixed numbers, percents, powers, roots, pi.

Sizes are bounded before any arithmetic, so that no text costs more than microseconds.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

MAX_CHARS = 200
"""Longest text that is read as a number."""

MAX_BITS = 4096
"""Largest numerator or denominator that a power may make."""

_TOKEN = re.compile(
    r"\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+|[-+*/^{}()% ]|[eE](?=[-+]?\d)"
    r"|\\(?:frac|sqrt|pi|cdot|times)(?![a-zA-Z])"
)
_PLAIN_DECIMAL = re.compile(r"[-+]?\d*\.(\d+)")


class Number(NamedTuple):
    """The exact real number coefficient * sqrt(radicand) * pi^pi_power."""

    coefficient: Fraction
    radicand: int = 1
    """At least 1, and no perfect square but 1."""
    pi_power: int = 0
    places: int = 0
    """Decimal places, where it was written as one plain decimal."""
    percent: bool = False
    """Whether a percent sign was written; it is not in the coefficient."""

    def key(self) -> tuple[Fraction, int]:
        """What equal numbers share: the signed square of the algebraic part, and the power of pi."""
        square = self.coefficient * abs(self.coefficient) * self.radicand
        return square, self.pi_power if square else 0


class _NotANumber(Exception):
    """The text is no number of a kind that is read here."""


def parse_number(text: str) -> Number | None:
    """The number that a canonical text spells, or None where it spells none that is read here."""
    if len(text) > MAX_CHARS or not any(char.isdigit() or char == "\\" for char in text):
        return None
    tokens = _TOKEN.findall(text)
    if sum(map(len, tokens)) != len(text):
        return None
    reader = _Reader(tokens)
    try:
        number = reader.signed()
    except (_NotANumber, ZeroDivisionError, RecursionError):
        return None
    if reader.position != len(tokens):
        return None
    decimal = _PLAIN_DECIMAL.fullmatch(text)
    return number._replace(places=len(decimal[1]) if decimal else 0)


class _Reader:
    """Recursive descent over the tokens of one number; raises `_NotANumber` at anything else."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self.position = 0

    def signed(self) -> Number:
        sign = 1
        while self._peek() in ("-", "+"):
            sign = -sign if self._next() == "-" else sign
        number = self._product()
        return number._replace(coefficient=sign * number.coefficient)

    def _peek(self) -> str:
        return self._tokens[self.position] if self.position < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.position += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _NotANumber

    def _product(self) -> Number:
        whole = self._peek().isdigit()
        number = self._power()
        if whole and self._is_proper_fraction():
            part = self._mixed_part()
            number = number._replace(coefficient=number.coefficient + part)
        while True:
            token = self._peek()
            if token in ("\\cdot", "\\times", "*", "/"):
                self._next()
                number = _OPERATIONS[token](number, self._power())
            elif token and (token[0] == "\\" or token == "("):
                number = _times(number, self._power())
            elif token in ("e", "E"):
                self._next()
                number = _times(number, _raise(Number(Fraction(10)), self._exponent()))
            elif token == "%":
                self._next()
                if number.percent:
                    raise _NotANumber
                number = number._replace(percent=True)
            else:
                return number

    def _is_proper_fraction(self) -> bool:
        """Whether a fraction of two whole numbers follows: then a whole number before it makes a mixed number."""
        rest = self._tokens[self.position : self.position + 8]
        if len(rest) >= 7 and rest[0] == "\\frac" and (rest[1], rest[3], rest[4], rest[6]) == ("{", "}", "{", "}"):
            return rest[2].isdigit() and rest[5].isdigit() and int(rest[2]) < int(rest[5]) and rest[7:8] != ["^"]
        if len(rest) >= 4 and rest[0] == " " and rest[2] == "/":
            return rest[1].isdigit() and rest[3].isdigit() and int(rest[1]) < int(rest[3])
        return False

    def _mixed_part(self) -> Fraction:
        slash = self._next() == " "
        top, bottom = (0, 2) if slash else (1, 4)
        part = Fraction(int(self._tokens[self.position + top]), int(self._tokens[self.position + bottom]))
        self.position += 3 if slash else 6
        return part

    def _power(self) -> Number:
        number = self._atom()
        if self._peek() == "^":
            self._next()
            return _raise(number, self._exponent())
        return number

    def _exponent(self) -> int:
        braced = self._peek() == "{"
        if braced:
            self._next()
        sign = 1
        if self._peek() in ("-", "+"):
            sign = -1 if self._next() == "-" else 1
        digits = self._next()
        if not digits.isdigit() or len(digits) > 4:
            raise _NotANumber
        if braced:
            self._expect("}")
        elif len(digits) > 1 and sign == 1 and self._tokens[self.position - 2] == "^":
            raise _NotANumber  # LaTeX reads 2^10 as (2^1)0
        return sign * int(digits)

    def _atom(self) -> Number:
        token = self._next()
        if token[:1].isdigit() or token[:1] == ".":
            return Number(Fraction(token.replace(",", "").removesuffix(".")))
        if token == "\\pi":
            return Number(Fraction(1), pi_power=1)
        if token == "\\frac":
            return _over(self._group("{", "}"), self._group("{", "}"))
        if token == "\\sqrt":
            return _root(self._group("{", "}"))
        if token in ("(", "{"):
            self.position -= 1
            return self._group(token, ")" if token == "(" else "}")
        raise _NotANumber

    def _group(self, opening: str, closing: str) -> Number:
        self._expect(opening)
        number = self.signed()
        self._expect(closing)
        return number


def _times(left: Number, right: Number) -> Number:
    if left.percent or right.percent:
        raise _NotANumber
    coefficient, radicand = _fold(left.coefficient * right.coefficient, left.radicand * right.radicand)
    return Number(coefficient, radicand, left.pi_power + right.pi_power)


def _over(left: Number, right: Number) -> Number:
    inverse = Number(1 / (right.coefficient * right.radicand), right.radicand, -right.pi_power, percent=right.percent)
    return _times(left, inverse)


_OPERATIONS: dict[str, Callable[[Number, Number], Number]] = {
    "\\cdot": _times,
    "\\times": _times,
    "*": _times,
    "/": _over,
}


def _root(number: Number) -> Number:
    if number.coefficient < 0 or number.radicand != 1 or number.pi_power or number.percent:
        raise _NotANumber
    bottom = number.coefficient.denominator
    coefficient, radicand = _fold(Fraction(1, bottom), number.coefficient.numerator * bottom)
    return Number(coefficient, radicand)


def _fold(coefficient: Fraction, radicand: int) -> tuple[Fraction, int]:
    root = isqrt(radicand)
    return (coefficient * root, 1) if root * root == radicand else (coefficient, radicand)


def _raise(number: Number, exponent: int) -> Number:
    size = max(number.coefficient.numerator.bit_length(), number.coefficient.denominator.bit_length())
    if (size + number.radicand.bit_length()) * abs(exponent) > MAX_BITS or number.percent:
        raise _NotANumber
    half, odd = divmod(exponent, 2)
    coefficient = number.coefficient**exponent * Fraction(number.radicand) ** half
    return Number(coefficient, number.radicand if odd else 1, number.pi_power * exponent)
