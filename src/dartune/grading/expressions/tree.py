"""What an expression is: numbers, symbols, and operators applied to expressions.

The constructors keep it small: sums, products and powers of plain numbers are computed on the way, as long as they
stay below `MAX_BITS`.
"""

from fractions import Fraction
from typing import NamedTuple

MAX_BITS = 4096
"""Largest numerator or denominator that folding may make."""


class Number(NamedTuple):
    """An exact rational number."""

    value: Fraction


class Symbol(NamedTuple):
    """A variable, or one of the constants "pi", "e" and "i"."""

    name: str


class Apply(NamedTuple):
    """An operator applied to its operands."""

    operator: str
    """One of the keys of `arithmetic.OPERATORS`."""
    operands: "tuple[Expression, ...]"


Expression = Number | Symbol | Apply

ONE = Number(Fraction(1))
HALF = Number(Fraction(1, 2))
PI = Symbol("pi")
EULER = Symbol("e")
IMAGINARY = Symbol("i")


def add(left: Expression, right: Expression) -> Expression:
    """Their sum."""
    if isinstance(left, Number) and isinstance(right, Number) and _is_small(left, right):
        return Number(left.value + right.value)
    return Apply("add", (left, right))


def multiply(left: Expression, right: Expression) -> Expression:
    """Their product."""
    if isinstance(left, Number) and isinstance(right, Number) and _is_small(left, right):
        return Number(left.value * right.value)
    return Apply("multiply", (left, right))


def negate(operand: Expression) -> Expression:
    """Its negative."""
    return Number(-operand.value) if isinstance(operand, Number) else Apply("negate", (operand,))


def divide(left: Expression, right: Expression) -> Expression:
    """Their quotient; of a number by 0 it stays unevaluated."""
    if isinstance(left, Number) and isinstance(right, Number) and right.value and _is_small(left, right):
        return Number(left.value / right.value)
    return Apply("divide", (left, right))


def power(base: Expression, exponent: Expression) -> Expression:
    """Base to the exponent; whole powers of numbers are computed where they stay small."""
    if isinstance(base, Number) and isinstance(exponent, Number) and exponent.value.denominator == 1:
        times = abs(int(exponent.value))
        if times * _bits(base) <= MAX_BITS and (base.value or exponent.value > 0):
            return Number(base.value ** int(exponent.value))
    return Apply("power", (base, exponent))


def _bits(number: Number) -> int:
    return max(number.value.numerator.bit_length(), number.value.denominator.bit_length())


def _is_small(left: Number, right: Number) -> bool:
    return _bits(left) + _bits(right) <= MAX_BITS
