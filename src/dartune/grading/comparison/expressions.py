r"""Expressions by their values, equations and inequalities by what separates their sides, decimals by their places."""

import re
from fractions import Fraction

from dartune.grading.comparison.numbers import MIN_APPROXIMATE_PLACES
from dartune.grading.comparison.sequences import is_readable
from dartune.grading.comparison.texts import is_words
from dartune.grading.expressions import constant_ratio, constant_value, read, same_value
from dartune.grading.expressions.tree import Apply, Expression, Number, add, divide, multiply, negate

_RELATION = re.compile(r"\\(?:le|ge|ne)(?![a-zA-Z])|[<>=]")
_FLIPPED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "=": "=", "\\ne": "\\ne"}
_DECIMAL = re.compile(r"-?\d*\.(\d+)")
_INFINITE = {"\\infty": 1, "+\\infty": 1, "-\\infty": -1, "\\pm\\infty": 0}
_MAX_IMAGINARY = 1e-9
_MAX_RATIO = 8


def decide(ref: str, answer: str) -> bool | None:
    """Whether two canonical texts are the same expression; None where that is not certain."""
    if is_words(ref):
        return None
    if ref in _INFINITE or answer in _INFINITE:
        return _decide_infinite(ref, answer)
    left, right = read(ref), read(answer)
    if left is None or right is None:
        return None
    rounded = _decide_rounded(left, answer)
    if rounded is None:
        rounded = _decide_rounded(right, ref)
    return same_value(left, right) if rounded is None else rounded


def _decide_infinite(ref: str, answer: str) -> bool | None:
    if ref in _INFINITE and answer in _INFINITE:
        return _INFINITE[ref] == _INFINITE[answer]
    return False if is_readable(ref) or is_readable(answer) else None


def decide_relation(ref: str, answer: str) -> bool | None:
    """Whether two equations or two inequalities say the same: their sides differ by a constant factor."""
    left, right = _RELATION.findall(ref), _RELATION.findall(answer)
    if len(left) == 1 and not right and is_readable(answer) and _residual(ref) is not None:
        return False
    if len(left) != 1 or len(right) != 1:
        return None
    a, b = _residual(ref), _residual(answer)
    if a is None or b is None:
        return None
    ratio = constant_ratio(a, b)
    if ratio is None:
        return None
    if not ratio:
        return None if _divides(a) or _divides(b) else False
    return bool(left[0] == (right[0] if ratio > 0 else _FLIPPED[right[0]]))


def decide_ratio(ref: str, answer: str) -> bool | None:
    """Whether two ratios are in proportion; `3:2` is also the fraction that it makes."""
    left, right = ref.split(":"), answer.split(":")
    if len(left) == len(right) == 1 or max(len(left), len(right)) > _MAX_RATIO:
        return None
    sides = [[read(part) for part in parts] for parts in (left, right)]
    a, b = ([side for side in parts if side is not None] for parts in sides)
    if len(a) != len(left) or len(b) != len(right):
        return None
    if len(a) == 1 or len(b) == 1:
        return same_value(_quotient(a), _quotient(b)) if len(a) + len(b) == 3 else False
    if len(a) != len(b):
        return False
    verdicts = [same_value(multiply(x, b[0]), multiply(y, a[0])) for x, y in zip(a[1:], b[1:], strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def _quotient(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else divide(parts[0], parts[1])


def _residual(text: str) -> Expression | None:
    first, second = _RELATION.split(text)
    left, right = read(first), read(second)
    return add(left, negate(right)) if left is not None and right is not None else None


def _divides(expression: Expression) -> bool:
    """Whether something is divided by a variable, or a root is taken: then an equation has forms of other factors."""
    if not isinstance(expression, Apply):
        return False
    if expression.operator == "divide" and not isinstance(expression.operands[1], Number):
        return True
    if expression.operator not in ("add", "multiply", "negate", "divide", "power"):
        return True
    if expression.operator == "power":
        exponent = expression.operands[1]
        if not isinstance(exponent, Number) or exponent.value.denominator != 1 or exponent.value < 0:
            return True
    return any(_divides(operand) for operand in expression.operands)


def _decide_rounded(exact: Expression, written: str) -> bool | None:
    """A decimal with many places against the irrational number that it rounds or cuts; None for any other text."""
    decimal = _DECIMAL.fullmatch(written)
    if decimal is None or isinstance(exact, Number) or len(decimal[1]) < MIN_APPROXIMATE_PLACES:
        return None
    value = constant_value(exact)
    if value is None or abs(value.imag) > _MAX_IMAGINARY:
        return None
    places = min(len(decimal[1]), 12)
    return abs(Fraction(written) - Fraction(value.real)) < Fraction(1, 10**places)
