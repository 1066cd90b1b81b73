r"""Whether two canonical texts are equal as mathematics, by Math-Verify 0.9.0. To be called in a killable process only.

Math-Verify guards itself with `signal.alarm`, which works in main threads alone and not against one long integer
operation; its guards are off here and the worker's parent holds the clock. Only its LaTeX reader is used: its reader
of plain expressions calls Python's `eval`. What would make numbers of astronomic size is refused before it is
evaluated.
"""

import logging
import math
import re
from typing import Literal

Judgement = Literal["equal", "unequal", "unknown_reference", "unknown_answer", "too_big"]
"""What comparing two texts came to; `unknown_...`: that side could not be read."""

MAX_DIGITS = 10_000
"""A number that would have more decimal digits than this is not evaluated."""

_TOO_BIG = float("inf")
_MAX_EXPONENT_DIGITS = 6
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)")
_COMMAND_OR_I = re.compile(r"(\\[a-zA-Z]+)|i")
_INDICES = "kjmpqu"
_DEGREES = re.compile(r"(\d+(?:\.\d+)?)\^\\circ")


def judge(ref: str, answer: str) -> Judgement:
    """Compare two canonical texts as LaTeX mathematics; may take any time and memory."""
    import math_verify
    from latex2sympy2_extended.latex2sympy2 import NormalizationConfig
    from math_verify.parser import LatexExtractionConfig

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    # Its table of units holds "t", "m" and "d": it would make 4t equal to 4. Ours has been through the text before.
    normalization = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
    )
    config = [LatexExtractionConfig(boxed_match_priority=-1, normalization_config=normalization)]
    sides = []
    for text in (ref, answer):
        latex = _in_radians(_with_real_index(text))
        sides.append(math_verify.parse(f"${latex}$", config, fallback_mode="no_fallback", parsing_timeout=None))
    if not sides[0]:
        return "unknown_reference"
    if not sides[1]:
        return "unknown_answer"
    if any(_log10_bound(side[0]) > MAX_DIGITS for side in sides):
        return "too_big"
    if math_verify.verify(sides[0], sides[1], timeout_seconds=None, raise_on_error=False):
        return "equal"
    return "equal" if _equal_when_done(sides[0][0], sides[1][0]) else "unequal"


def _equal_when_done(ref: object, answer: object) -> bool:
    """Whether two expressions are equal once their sums, products, integrals and limits are evaluated."""
    import sympy

    pending = (sympy.Sum, sympy.Product, sympy.Integral, sympy.Limit)
    sides = [side for side in (ref, answer) if isinstance(side, sympy.Expr)]
    if len(sides) < 2 or not any(side.has(*pending) for side in sides):
        return False
    left, right = (side.doit() for side in sides)
    return bool(sympy.simplify(left - right) == 0)


def _with_real_index(text: str) -> str:
    r"""The text with another letter for an index `i` (`\sum_{i=1}^n i`), which is read as the imaginary unit."""
    letter = next((letter for letter in _INDICES if letter not in text), None)
    if "_{i=" not in text or letter is None:
        return text
    return _COMMAND_OR_I.sub(lambda match: match[1] or letter, text)


def _in_radians(text: str) -> str:
    """The text with degrees under a trigonometric function as multiples of pi / 180."""
    return _DEGREES.sub(r"{(\\frac{\1\\pi}{180})}", text) if _TRIGONOMETRIC.search(text) else text


def _log10_bound(expression: object) -> float:
    """Upper bound on log10 of the absolute value of any number that evaluating `expression` makes; inf for none known.

    Symbols count as 1: they are not evaluated, but their numeric coefficients and exponents are.
    """
    import sympy

    if isinstance(expression, sympy.MatrixBase):
        return max((_log10_bound(item) for item in expression.flat()), default=0.0)
    if not isinstance(expression, sympy.Basic):
        return 0.0
    if isinstance(expression, sympy.Rational):
        return max(_digits(expression.p), _digits(expression.q))
    if isinstance(expression, sympy.Float):
        return max(0.0, float(expression._mpf_[2] + expression._mpf_[3]) * math.log10(2))
    bounds = [_log10_bound(argument) for argument in expression.args]
    if not bounds:
        return 0.0
    if isinstance(expression, sympy.Pow):
        return _power_bound(expression, bounds)
    if isinstance(expression, sympy.factorial | sympy.binomial | sympy.gamma | sympy.factorial2):
        return _growing_bound(bounds)
    if isinstance(expression, sympy.Mul):
        return sum(bounds)
    return max(bounds) + math.log10(len(bounds))


def _digits(integer: int) -> float:
    return float(abs(integer).bit_length()) * math.log10(2)


def _power_bound(expression: object, bounds: list[float]) -> float:
    """Size of base^exponent: the exponent's value times the base's digits."""
    import sympy

    base, exponent = bounds
    if exponent > _MAX_EXPONENT_DIGITS:
        return _TOO_BIG
    power = expression.args[1] if isinstance(expression, sympy.Pow) else None
    times = abs(float(power)) if isinstance(power, sympy.Number) else 10**exponent
    return max(base, 0.31) * max(1.0, times)


def _growing_bound(bounds: list[float]) -> float:
    """Size of n! and its kin: about n log n digits."""
    largest = max(bounds)
    return _TOO_BIG if largest > 5 else 10**largest * max(largest, 1.0)
