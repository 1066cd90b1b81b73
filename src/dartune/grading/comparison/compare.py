r"""Whether an answer is the reference: the steps that need no symbolic algebra.

`STEPS` are tried in order; each says yes, no, or None for "not certain", and the first that is certain decides. What no
step decides is left to `symbolic`. The reference decides what is asked: a unit, percent sign or left side ("x =")
that it does not have is dropped from the answer; one that it has may be left out, but must not differ.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from dartune.grading.comparison import expressions, kinds, matrices, numbers, real_sets, sequences, texts
from dartune.grading.comparison.decision import Decision, Pair
from dartune.grading.spelling.normalize import Normal, normalize
from dartune.grading.spelling.units import split_letter, units_agree


class Step(NamedTuple):
    """A named way to compare."""

    name: str
    decide: Callable[[str, str], bool | None]


_NAMED = (
    r"(?:[a-zA-Z]|\\[a-z]{2,7}|\\(?:bar|hat|vec)\{[a-zA-Z]\})'{0,3}(?:_\w|_\{\w{1,9}\})?"
    r"(?:\^\{-1\})?(?:\([a-zA-Z](?:,[a-zA-Z]){0,2}\))?"
)
_LEFT_SIDE = re.compile(rf"{_NAMED}|\([a-zA-Z](?:,[a-zA-Z]){{1,4}}\)|\\frac\{{d\w?\}}\{{d\w\}}")
_FUNCTION = re.compile(r"[a-zA-Z]\([a-zA-Z]\)")
_EQUALS = re.compile(r"(?<![<>!:\\])=|\\approx|\\equiv|\\in(?![a-zA-Z])")
_MODULUS = re.compile(r"\(?\\p?mod\{?[^{}()]*[})]*")


def _same_text(ref: str, answer: str) -> bool | None:
    return True if ref == answer else None


def _equation(ref: str, answer: str) -> bool | None:
    return False if "=" not in ref and _is_zero_equation(answer) else None


def _is_zero_equation(text: str) -> bool:
    """Whether a text such as "x^2-11=0" is an equation to be solved, and no way to say "0"."""
    sides = _split_equation(text)
    return len(sides) == 2 and sides[1] == "0" and not _LEFT_SIDE.fullmatch(sides[0]) and "," not in text


def _split_equation(text: str) -> list[str]:
    r"""The sides of an equation; an equals sign in a subscript (`\sum_{k=1}`) parts none."""
    sides = []
    begin = 0
    for sign in _EQUALS.finditer(text):
        if text.count("{", begin, sign.start()) == text.count("}", begin, sign.start()):
            sides.append(text[begin : sign.start()])
            begin = sign.end()
    return [*sides, text[begin:]]


def same_part(ref: str, answer: str) -> bool | None:
    """Whether two canonical texts are equal, as the first step that is certain says; None where none is."""
    for step in STEPS:
        equal = step.decide(ref, answer)
        if equal is not None:
            return equal
    return None


STEPS = (
    Step("string", _same_text),
    Step("number", numbers.decide),
    Step("option", texts.decide_options),
    Step("interval", lambda ref, answer: real_sets.decide(ref, answer, same_part)),
    Step("matrix", lambda ref, answer: matrices.decide(ref, answer, same_part)),
    Step("sequence", lambda ref, answer: sequences.decide(ref, answer, same_part)),
    Step("equation", _equation),
    Step("text", texts.decide),
    Step("relation", expressions.decide_relation),
    Step("ratio", expressions.decide_ratio),
    Step("expression", expressions.decide),
    Step("kind", kinds.decide),
)
"""Steps in the order in which they are tried."""


def compare(ref_answer: str, answer: str) -> Decision:
    """Compare an answer with the reference as far as that needs no symbolic algebra."""
    if answer.strip() and ref_answer.strip() == answer.strip():
        return Decision(True, "string")
    sides = fit(ref_answer, answer)
    if sides is None:
        return Decision(None, "limit")
    ref, given = sides
    pair = Pair(ref.text, given.text)
    agree = units_agree(_unit(ref), _unit(given))
    for step in STEPS:
        equal = step.decide(*pair)
        if equal is not None:
            return Decision(equal, step.name) if agree or not equal else Decision(False, "unit")
    if not agree:
        return Decision(False, "unit")
    return Decision(None, "prose") if texts.is_prose(pair.ref) else Decision(None, "symbolic", pair)


def _unit(side: Normal) -> str:
    return "%" if side.text.endswith("%") else side.unit


class Sides(NamedTuple):
    """A reference and an answer in canonical spelling, with their units."""

    ref: Normal
    answer: Normal


def fit(ref_answer: str, answer: str) -> Sides | None:
    """Both sides in canonical spelling, what the reference does not ask for left out; None beyond the limits."""
    ref, given = normalize(ref_answer), normalize(answer)
    if ref is None or given is None or not ref.text:
        return None
    return _fit(_with_letter_unit(ref, given), _with_letter_unit(given, ref))


def _with_letter_unit(side: Normal, other: Normal) -> Normal:
    """The side without a last letter that the other side's unit shows to be one."""
    return Normal(*split_letter(side.text)) if other.unit and not side.unit else side


def _fit(ref: Normal, answer: Normal) -> Sides:
    """Both sides with the same kind of left side, words for numbers in digits."""
    left, right = texts.in_symbols(ref.text), texts.in_symbols(answer.text)
    if ("mod" in right) != ("mod" in left):
        left, right = _MODULUS.sub("", left), _MODULUS.sub("", right)
    ref_sides, answer_sides = _split_equation(left), _split_equation(right)
    if len(ref_sides) == 1 and len(answer_sides) > 1 and "," not in right:
        right = right if _is_zero_equation(right) else answer_sides[-1]
    elif (
        len(ref_sides) == 2
        and _LEFT_SIDE.fullmatch(ref_sides[0])
        and (answer_sides[0] in (right, ref_sides[0]) or _are_dependent(ref_sides[0], answer_sides[0]))
    ):
        left, right = ref_sides[-1], answer_sides[-1]
    return Sides(_renewed(ref, left), _renewed(answer, right))


def _are_dependent(left: str, right: str) -> bool:
    """Whether one side is y and the other f(x): two names of a function's value."""
    return any(y == "y" and _FUNCTION.fullmatch(f) is not None for y, f in ((left, right), (right, left)))


def _renewed(side: Normal, text: str) -> Normal:
    """The side with another text; what was cut off its left may bring a unit to light."""
    if text == side.text:
        return side
    found = normalize(text)
    return found._replace(unit=found.unit or side.unit) if found is not None else side
