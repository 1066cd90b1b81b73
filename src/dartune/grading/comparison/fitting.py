r"""Both sides of a comparison in canonical spelling, what the reference does not ask for left out.

A left side ("x =", "(x,y) ="), an approximation beside the exact value, a condition after it ("x \ne 0"), what follows
"yes" in a sentence, a modulus: the reference decides whether they are part of the answer.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from dartune.grading.comparison import numbers, sequences, texts
from dartune.grading.expressions import constant_value, read
from dartune.grading.spelling.normalize import Normal, normalize
from dartune.grading.spelling.units import split_letter

_NAMED = (
    r"(?:[a-zA-Z]|\\[a-z]{2,7}|\\(?:bar|hat|vec)\{[a-zA-Z]\})'{0,3}(?:_\w|_\{\w{1,9}\})?"
    r"(?:\^\{-1\})?(?:\([a-zA-Z](?:,[a-zA-Z]){0,2}\))?"
)
_LEFT_SIDE = re.compile(rf"{_NAMED}|\([a-zA-Z](?:,[a-zA-Z]){{1,4}}\)|\\frac\{{d\w?\}}\{{d\w\}}")
_FUNCTION = re.compile(r"[a-zA-Z]\([a-zA-Z]\)")
_EQUALS = re.compile(r"(?<![<>!:\\])=|\\equiv|\\in(?![a-zA-Z])")
_MODULUS = re.compile(r"\(?\\p?mod\{?[^{}()]*[})]*")
_CONDITION = re.compile(r"\(?[a-zA-Z](?:,[a-zA-Z])*(?:\\ne|\\in\\mathbb\{[A-Z]\}).*")
_INTEGER = re.compile(r",\(?([a-zA-Z])\\in\\mathbb\{Z\}\)?$")
_YES_OR_NO = re.compile(r"(yes|no|true|false)[,.;:]", re.I)
_INTERVALS = re.compile(r"[(\[][^()\[\]]+,[^()\[\]]+[)\]](?:,[(\[][^()\[\]]+,[^()\[\]]+[)\]])+")
_BETWEEN_INTERVALS = re.compile(r"(?<=[)\]]),(?=[(\[])")
_DECIMAL = re.compile(r"-?\d*\.(\d+)")


def is_zero_equation(text: str) -> bool:
    """Whether a text such as "x^2-11=0" is an equation to be solved, and no way to say "0"."""
    sides = split_equation(text)
    return len(sides) == 2 and sides[1] == "0" and not _LEFT_SIDE.fullmatch(sides[0]) and "," not in text


def split_equation(text: str) -> list[str]:
    r"""The sides of an equation; an equals sign in a subscript (`\sum_{k=1}`) parts none."""
    sides = []
    begin = 0
    for sign in _EQUALS.finditer(text):
        if text.count("{", begin, sign.start()) == text.count("}", begin, sign.start()):
            sides.append(text[begin : sign.start()])
            begin = sign.end()
    return [*sides, text[begin:]]


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
    if left == right:
        return Sides(_renewed(ref, left), _renewed(answer, right))
    right = _asked(left, right)
    left, right = _with_one_parameter(left), _with_one_parameter(right)
    if ("mod" in right) != ("mod" in left):
        left, right = _MODULUS.sub("", left), _MODULUS.sub("", right)
    ref_sides, answer_sides = split_equation(left), split_equation(right)
    if len(ref_sides) == 1 and len(answer_sides) > 1 and _is_one(right):
        right = right if is_zero_equation(right) else _last_exact(ref_sides[0], answer_sides)
    elif (
        len(ref_sides) == 2
        and _LEFT_SIDE.fullmatch(ref_sides[0])
        and (answer_sides[0] in (right, ref_sides[0]) or _are_dependent(ref_sides[0], answer_sides[0]))
    ):
        left, right = ref_sides[-1], answer_sides[-1] if _is_one(right) else right
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


def _is_one(text: str) -> bool:
    """Whether a text is no list: a comma inside brackets parts nothing."""
    if "," not in text:
        return True
    return len(sequences.split(text.replace("\\langle", "(").replace("\\rangle", ")")) or ()) == 1


def _asked(ref: str, answer: str) -> str:
    """The answer without what the reference does not ask for."""
    if "\\approx" in answer and "\\approx" not in ref:
        answer = _exact_or_rounded(ref, answer)
    said = _YES_OR_NO.match(answer)
    if said is not None and texts.is_yes_or_no(ref):
        return said[1]
    if "," not in answer:
        return answer
    if "\\cup" in ref and _INTERVALS.fullmatch(answer):
        return _BETWEEN_INTERVALS.sub(r"\\cup", answer)
    if "\\ne" not in ref and "\\in" not in ref:
        items = sequences.split(answer) or [answer]
        while len(items) > 1 and _CONDITION.fullmatch(items[-1]):
            items.pop()
        return ",".join(items)
    return answer


def _exact_or_rounded(ref: str, answer: str) -> str:
    r"""Of "exact \approx rounded" the exact value, or the rounded one where the reference is just that decimal."""
    exact, _, rounded = answer.partition("\\approx")
    exact, rounded = exact.strip(), rounded.strip()
    if not exact:
        return rounded
    is_asked = _DECIMAL.fullmatch(ref) is not None and numbers.decide(ref, rounded) is True
    return rounded if is_asked and _rounds_to(split_equation(exact)[-1], rounded) is not False else exact


def _last_exact(ref: str, sides: list[str]) -> str:
    """The last side of "x = exact = rounded" that does not just round the one before, unless that is asked for."""
    while (
        len(sides) > 1
        and _DECIMAL.fullmatch(sides[-1])
        and _DECIMAL.fullmatch(ref) is None
        and read(sides[-2]) is not None
        and _rounds_to(sides[-2], sides[-1])
    ):
        sides = sides[:-1]
    return sides[-1]


def _rounds_to(exact: str, rounded: str) -> bool | None:
    """Whether a value rounds to a decimal at its last place; None where either is not a number."""
    decimal, expression = _DECIMAL.fullmatch(rounded), read(exact)
    value = constant_value(expression) if expression is not None else None
    if decimal is None or value is None:
        return None
    return abs(Fraction(value.real) - Fraction(rounded)) <= Fraction(1, 10 ** len(decimal[1]))


def _with_one_parameter(text: str) -> str:
    r"""Any integer that a family runs over is called k: `n\pi,n\in\mathbb{Z}` is `k\pi`."""
    family = _INTEGER.search(text)
    if family is None:
        return text
    return re.sub(rf"(?<![a-zA-Z\\]){family[1]}(?![a-zA-Z])", "k", text[: family.start()])
