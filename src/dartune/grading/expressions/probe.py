"""Whether two expressions are equal, from their values at a few points.

Rational functions are compared exactly: their values modulo a prime of 61 bits agree at a random point with
probability below degree / 2^61 if they differ (Schwartz 1980, Zippel 1979). For all others floating point rejects, and
`DIGITS` digits accept. Variables stand for positive numbers first; then each in turn for a negative one, where
agreement is wanted as long as no branch of a root or logarithm has to be chosen.

The points are fixed, so that a verdict is the same on every machine.
"""

import cmath
import hashlib
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from dartune.grading.expressions.arithmetic import PRIME, ROOT_OF_MINUS_ONE, Analytic, Modular, NoValue, evaluate
from dartune.grading.expressions.tree import Apply, Expression, Symbol

DIGITS = 50
"""Decimal digits in which expressions are compared before they are called equal."""

MAX_SYMBOLS = 40
N_POINTS = 3

_CONSTANTS = frozenset(("pi", "e", "i"))
_REJECT = 1e-7
_CANCELLATION = 1e6
"""Sums this many times larger than the result leave too few digits of a float to reject by."""
_MODULAR = Modular()


class _Value(NamedTuple):
    """The value of an expression at one point."""

    value: complex
    largest: float
    met_negative: bool


def same_value(left: Expression, right: Expression) -> bool | None:
    """Whether two expressions are equal wherever both have values; None where that is not certain."""
    if left == right:
        return True
    symbols = symbols_of(left) | symbols_of(right)
    if len(symbols) > MAX_SYMBOLS:
        return None
    names = tuple(sorted(symbols))
    exact = _same_modulo_prime(left, right, names)
    return _same_in_floats(left, right, names) if exact is None else exact


def constant_ratio(left: Expression, right: Expression) -> float | None:
    """The constant r with left = r * right at random points; 0.0 where there is none, None where it is not certain."""
    variables = sorted(name for name in symbols_of(left) | symbols_of(right) if name not in _CONSTANTS)
    if not variables or len(variables) > MAX_SYMBOLS:
        return None
    ratios = []
    for index in range(N_POINTS):
        point = _float_point({name: _coordinate(name, index) for name in variables})
        a, b = _float_value(left, point), _float_value(right, point)
        if a is None or b is None or not b.value or not a.value:
            return None
        ratios.append(a.value / b.value)
    first = ratios[0]
    if any(abs(ratio - first) > _REJECT * abs(first) for ratio in ratios) or abs(first.imag) > _REJECT * abs(first):
        return 0.0
    return first.real


def constant_value(expression: Expression) -> complex | None:
    """The value of a constant expression in floating point; None where it has variables or no finite value."""
    if not symbols_of(expression) <= _CONSTANTS:
        return None
    found = _float_value(expression, {"pi": cmath.pi, "e": cmath.e, "i": 1j})
    return found.value if found is not None and cmath.isfinite(found.value) else None


def symbols_of(expression: Expression) -> set[str]:
    """Names of the symbols in an expression, the constants "pi", "e" and "i" among them."""
    found: set[str] = set()
    rest: list[Expression] = [expression]
    while rest:
        node = rest.pop()
        if isinstance(node, Symbol):
            found.add(node.name)
        elif isinstance(node, Apply):
            rest.extend(node.operands)
    return found


def _same_modulo_prime(left: Expression, right: Expression, names: tuple[str, ...]) -> bool | None:
    point = {name: _residue(name) for name in names}
    try:
        return evaluate(left, _MODULAR, point) == evaluate(right, _MODULAR, point)
    except NoValue:
        return None


@lru_cache(maxsize=256)
def _residue(name: str) -> int:
    """A fixed residue for a symbol; pi and e are transcendental, so that any residue does for them."""
    if name == "i":
        return ROOT_OF_MINUS_ONE
    return int.from_bytes(hashlib.blake2b(f"residue {name}".encode(), digest_size=8).digest(), "big") % PRIME


@lru_cache(maxsize=1024)
def _coordinate(name: str, index: int) -> Fraction:
    """A fixed number in (0.3, 2.3) for a symbol at one of the points."""
    digest = hashlib.blake2b(f"{index} {name}".encode(), digest_size=4).digest()
    return Fraction(3, 10) + 2 * Fraction(int.from_bytes(digest, "big"), 2**32)


@lru_cache(maxsize=1024)
def _whole_coordinate(name: str, index: int) -> Fraction:
    """A fixed whole number in 8..39 for a symbol: factorials have values there."""
    return Fraction(8 + _residue(f"{index} {name}") % 32)


def _points(variables: list[str]) -> Iterator[Mapping[str, Fraction]]:
    if not variables:
        yield {}
        return
    for coordinate in (_coordinate, _whole_coordinate):
        for index in range(N_POINTS):
            yield {name: coordinate(name, index) for name in variables}


def _same_in_floats(left: Expression, right: Expression, names: tuple[str, ...]) -> bool | None:
    variables = [name for name in names if name not in _CONSTANTS]
    for coordinate in (_coordinate, _whole_coordinate) if variables else (_coordinate,):
        points = [
            {name: coordinate(name, index) for name in variables} for index in range(N_POINTS if variables else 1)
        ]
        verdicts = [_same_at(left, right, point) for point in points]
        if False in verdicts:
            return False
        if True in verdicts:
            break
    else:
        return None
    for negative in variables:
        point = {name: _coordinate(name, N_POINTS) * (-1 if name == negative else 1) for name in variables}
        agreement = _same_where_negative(left, right, point)
        if agreement is not True:
            return agreement
    return True


def _same_at(left: Expression, right: Expression, point: Mapping[str, Fraction]) -> bool | None:
    """Whether two expressions agree at a point; None where one has no value there or it cannot be told."""
    floats = _float_point(point)
    a, b = _float_value(left, floats), _float_value(right, floats)
    if a is None or b is None:
        return None
    size = max(1e-300, abs(a.value), abs(b.value))
    if abs(a.value - b.value) > _REJECT * size and max(a.largest, b.largest) < _CANCELLATION * size:
        return False
    return _same_in_many_digits(left, right, point)


def _same_where_negative(left: Expression, right: Expression, point: Mapping[str, Fraction]) -> bool | None:
    """True also where there is nothing to be learned: no value, or a branch on both sides."""
    floats = _float_point(point)
    a, b = _float_value(left, floats), _float_value(right, floats)
    if a is None or b is None or (a.met_negative and b.met_negative):
        return True
    if a.met_negative or b.met_negative:
        return True if abs(a.value - b.value) <= _REJECT * max(abs(a.value), abs(b.value)) else None
    return _same_in_many_digits(left, right, point)


def _float_point(point: Mapping[str, Fraction]) -> dict[str, complex]:
    return {"pi": cmath.pi, "e": cmath.e, "i": 1j, **{name: complex(value) for name, value in point.items()}}


def _float_value(expression: Expression, point: Mapping[str, complex]) -> _Value | None:
    arithmetic = Analytic(cmath, complex)
    try:
        value = evaluate(expression, arithmetic, point)
    except (NoValue, ArithmeticError, ValueError):
        return None
    return _Value(value, arithmetic.largest, arithmetic.met_negative) if cmath.isfinite(value) else None


def _same_in_many_digits(left: Expression, right: Expression, point: Mapping[str, Fraction]) -> bool | None:
    """Whether two expressions that have finite values in floats agree to `DIGITS` digits."""
    context = _context()
    exact = {name: context.mpf(value.numerator) / value.denominator for name, value in point.items()}
    exact |= {"pi": +context.pi, "e": +context.e, "i": context.j}
    arithmetic = Analytic(context, lambda value: context.mpf(value.numerator) / value.denominator)
    try:
        a, b = (evaluate(side, arithmetic, exact) for side in (left, right))
    except (NoValue, ArithmeticError, ValueError):
        return None
    size = max(float(abs(a)), float(abs(b)), arithmetic.largest)
    if not math.isfinite(size):
        return None
    return bool(abs(a - b) <= context.mpf(10) ** (10 - DIGITS) * size)


@lru_cache(maxsize=1)
def _context() -> Any:  # mpmath has no types
    """A context of mpmath of our own: its default one is global and anybody's."""
    from mpmath.ctx_mp import MPContext

    context = MPContext()
    context.dps = DIGITS
    return context
