r"""Whether an answer is the reference: the steps that need no symbolic algebra.

`STEPS` are tried in order; each says yes, no, or None for "not certain", and the first that is certain decides. What no
step decides is left to `symbolic`. The reference decides what is asked: a unit, percent sign or left side ("x =")
that it does not have is dropped from the answer; one that it has may be left out, but must not differ.
"""

from collections.abc import Callable
from typing import NamedTuple

from dartune.grading.comparison import expressions, kinds, matrices, numbers, real_sets, sequences, texts
from dartune.grading.comparison.decision import Decision, Pair
from dartune.grading.comparison.fitting import fit, is_zero_equation
from dartune.grading.spelling.normalize import Normal
from dartune.grading.spelling.units import units_agree


class Step(NamedTuple):
    """A named way to compare."""

    name: str
    decide: Callable[[str, str], bool | None]


def _same_text(ref: str, answer: str) -> bool | None:
    return True if ref == answer else None


def _equation(ref: str, answer: str) -> bool | None:
    return False if "=" not in ref and is_zero_equation(answer) else None


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
