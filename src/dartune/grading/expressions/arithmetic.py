"""Two arithmetics to evaluate an expression in: modulo a prime, and in complex floating point of any number of digits.

Each is total in this sense: what has no value raises `NoValue` or ArithmeticError, and no operation takes more than
microseconds. Numbers of astronomic size overflow: `Analytic(cmath)` is to be tried before many digits are spent.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import ModuleType
from typing import Protocol, TypeVar

from dartune.grading.expressions.tree import Apply, Expression, Number, Symbol

T = TypeVar("T")

PRIME = 2305843009213693921
"""The largest prime below 2^61 that is 1 modulo 4, so that -1 has a square root modulo it."""

ROOT_OF_MINUS_ONE = 583529827753931384
"""Its square is -1 modulo `PRIME`."""

_MAX_FACTORIAL = 170
_TINY = 1e-13


class NoValue(Exception):
    """The expression has no value here, or none that this arithmetic can give."""


class Arithmetic(Protocol[T]):
    """How numbers, symbols and operators are evaluated."""

    @property
    def operators(self) -> Mapping[str, Callable[..., T]]:
        """What each operator but "power" does."""
        ...

    def number(self, value: Fraction) -> T:
        """The value of an exact number."""
        ...

    def power(self, base: T, exponent: T, exact: Fraction | None) -> T:
        """Base to the exponent; `exact` is the exponent where it is a plain number."""
        ...


def evaluate(expression: Expression, arithmetic: Arithmetic[T], point: Mapping[str, T]) -> T:
    """The value of an expression where its symbols have the values in `point`."""
    if isinstance(expression, Number):
        return arithmetic.number(expression.value)
    if isinstance(expression, Symbol):
        return point[expression.name]
    operands = [evaluate(operand, arithmetic, point) for operand in expression.operands]
    if expression.operator == "power":
        base, exponent = operands
        exact = expression.operands[1]
        return arithmetic.power(base, exponent, exact.value if isinstance(exact, Number) else None)
    operator = arithmetic.operators.get(expression.operator)
    if operator is None:
        raise NoValue
    return operator(*operands)


def symbols_of(expression: Expression) -> set[str]:
    """Names of the symbols in an expression, constants among them."""
    found: set[str] = set()
    rest: list[Expression] = [expression]
    while rest:
        node = rest.pop()
        if isinstance(node, Symbol):
            found.add(node.name)
        elif isinstance(node, Apply):
            rest.extend(node.operands)
    return found


class Modular:
    """Arithmetic modulo `PRIME`: exact for rational functions, and silent on all others."""

    def __init__(self) -> None:
        self.operators: Mapping[str, Callable[..., int]] = {
            "add": lambda a, b: (a + b) % PRIME,
            "multiply": lambda a, b: a * b % PRIME,
            "negate": lambda a: -a % PRIME,
            "divide": lambda a, b: a * _inverse(b) % PRIME,
        }

    def number(self, value: Fraction) -> int:
        """The value of an exact number."""
        return value.numerator * _inverse(value.denominator) % PRIME

    def power(self, base: int, exponent: int, exact: Fraction | None) -> int:
        """Base to a whole exponent, of any size."""
        if exact is None or exact.denominator != 1 or (not base and exact <= 0):
            raise NoValue
        return pow(base, int(exact), PRIME)


def _inverse(value: int) -> int:
    if not value % PRIME:
        raise NoValue
    return pow(value, -1, PRIME)


class Analytic:
    """Complex floating point; odd roots of negative numbers are real, as schools have it.

    Args:
        functions: The module `cmath`, or a context of mpmath, which has the same names.
        number: Makes the value of an exact number.
    """

    def __init__(self, functions: ModuleType, number: Callable[[Fraction], complex]) -> None:
        self.number = number
        """The value of an exact number."""
        self.largest = 0.0
        """Largest absolute value in a sum so far: what rounding errors are to be measured against."""
        self.met_negative = False
        """Whether an even root or a logarithm of a negative number was met, whose branch is a choice."""
        self._log: Callable[[complex], complex] = functions.log
        self.operators: Mapping[str, Callable[..., complex]] = {
            "add": self._add,
            "multiply": lambda a, b: a * b,
            "negate": lambda a: -a,
            "divide": _divide,
            "abs": lambda a: number(Fraction(1)) * abs(a),
            "sin": functions.sin,
            "cos": functions.cos,
            "tan": functions.tan,
            "cot": lambda a: _divide(functions.cos(a), functions.sin(a)),
            "sec": lambda a: _divide(1, functions.cos(a)),
            "csc": lambda a: _divide(1, functions.sin(a)),
            "arcsin": functions.asin,
            "arccos": functions.acos,
            "arctan": functions.atan,
            "arccot": lambda a: functions.atan(_divide(1, a)),
            "arcsec": lambda a: functions.acos(_divide(1, a)),
            "arccsc": lambda a: functions.asin(_divide(1, a)),
            "sinh": functions.sinh,
            "cosh": functions.cosh,
            "tanh": functions.tanh,
            "ln": self._ln,
            "log": lambda a, base: _divide(self._ln(a), self._ln(base)),
            "factorial": lambda a: number(Fraction(math.factorial(_whole(a)))),
            "binomial": lambda n, k: number(Fraction(math.comb(_whole(n), _whole(k)))),
            "floor": lambda a: number(Fraction(math.floor(_real(a)))),
            "ceiling": lambda a: number(Fraction(math.ceil(_real(a)))),
        }

    def power(self, base: complex, exponent: complex, exact: Fraction | None) -> complex:
        """Base to the exponent; an odd root of a negative number is negative."""
        if not abs(base):
            if exact is None or exact <= 0:
                raise NoValue
            return base
        if not _is_negative(base):
            return base**exponent
        if exact is not None and exact.denominator % 2:
            root = (-base) ** exponent
            return -root if exact.numerator % 2 else root
        self.met_negative = True
        return base**exponent

    def _add(self, left: complex, right: complex) -> complex:
        self.largest = max(self.largest, float(abs(left)), float(abs(right)))
        return left + right

    def _ln(self, operand: complex) -> complex:
        if not abs(operand):
            raise NoValue
        if _is_negative(operand):
            self.met_negative = True
        return self._log(operand)


def _is_negative(value: complex) -> bool:
    return value.real < 0 and abs(value.imag) <= _TINY * abs(value)


def _divide(left: complex, right: complex) -> complex:
    if abs(right) < _TINY:
        raise NoValue
    return left / right


def _real(value: complex) -> float:
    """The value as a real number, as a whole one where it is within rounding of it."""
    if abs(value.imag) > _TINY * max(1, abs(value)):
        raise NoValue
    real = float(value.real)
    if not math.isfinite(real):
        raise NoValue
    return round(real) if abs(real - round(real)) < 1e-9 else real


def _whole(value: complex) -> int:
    real = _real(value)
    if not 0 <= real <= _MAX_FACTORIAL or real != int(real):
        raise NoValue
    return int(real)
