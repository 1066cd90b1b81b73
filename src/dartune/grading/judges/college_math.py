r"""CollegeMath (Tang et al. 2024): exact equality with what a textbook's answer says.

Rule: as the default judge, nothing rounded. References are copied from textbooks, so that one may say more than its
value. An answer is also right if it equals

| what | reference | answer |
|---|---|---|
| either side of a chain of equations | `$t=\frac{\ln(1/18)}{-0.1}=10 \ln (18)$` | `10\ln 18` |
| the formula that a sentence holds, if it holds one | `Solution is: $[x=2 t+1, y=4 t, z=t]$` | `x=2t+1, y=4t, z=t` |
| the number that a sentence holds, if it holds one | `This time, 7 diners chose the deluxe buffet.` | `7` |
| the same function, whatever the constant's letter | `$x^{4} / 4-\ln x+k$` | `\frac{x^4}{4}-\ln x+C` |
| a number that rounds to a reference that says it is rounded | `$t \approx 28.9$` | `10\ln 18` |

Prose that no rule reads is `ungradable` where the words differ, never `incorrect`.

Source: the authors of MathScale publish no grader that is in use; DART-Math compares by EvaluatorMath
(hkust-nlp/dart-math 219b324, dart_math/eval.py), with a relative tolerance of 1e-9, which rounds nothing.

Where we differ: DART-Math calls prose wrong that it cannot read, of a chain of equations it compares nothing, and it
takes 0.5 for 50.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.judges import default
from dartune.grading.judges.base import Judge
from dartune.grading.judges.reading import read_value

_MAX_CHARS = 2_000
_MAX_SIDES = 6
_MATH = re.compile(r"(?<!\\)\$\$?([^$]*(?:\\\$[^$]*)*)(?<!\\)\$\$?")
_WORD = re.compile(r"(?<![\\a-zA-Z])[A-Za-z]{2,}")
_LISTING = frozenset(("or", "and"))
_NUMBER = re.compile(r"(?<![\w.,])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w,]|\.\d)")
_EQUALS = re.compile(r"(?<![<>!\\])=|\\approx(?![a-zA-Z])")
_CONSTANT = re.compile(r"\+\s?([CcKk])(?=[\s$.]*$)")
_ROUNDED = re.compile(r"\\approx[\s{}]*(?:\\\$)?\s*(-?\s?\d+(?:\.(\d+))?)(?![\d,.]*\d)")


def decide(task: Task) -> Decision:
    """The default judge's decision, or yes where one reading of the reference is what the answer says."""
    decision = default.decide(task)
    if decision.equal or len(task.ref_answer) > _MAX_CHARS:
        return decision
    if _is_rounded(task.ref_answer, task.answer):
        return Decision(True, "rounded")
    for name, ref in _readings(task.ref_answer.strip(), task.answer):
        if default.decide(replace(task, ref_answer=ref)).equal:
            return Decision(True, name)
    return decision


def _readings(ref: str, answer: str) -> Iterator[tuple[str, str]]:
    """What else the reference says, each with the name of the rule that reads it so."""
    formula = _only_formula(ref)
    if formula is not None:
        yield "formula", formula
    yield from (("chain", side) for side in _later_sides(formula or ref))
    number = _only_number(ref)
    if number is not None:
        yield "only_number", number
    theirs, ours = _CONSTANT.search(answer), _CONSTANT.search(ref)
    if theirs and ours:
        yield "constant", ref[: ours.start(1)] + theirs[1] + ref[ours.end(1) :]


def _only_formula(ref: str) -> str | None:
    """The formula in a sentence that holds just one."""
    formulas = _MATH.findall(ref)
    words = {word.lower() for word in _WORD.findall(_MATH.sub(" ", ref))}
    return formulas[0].strip() if len(formulas) == 1 and words - _LISTING else None


def _only_number(ref: str) -> str | None:
    """The number in a sentence without formulas that holds just one."""
    if "$" in ref.replace("\\$", "") or len(_WORD.findall(ref)) < 2:
        return None
    numbers = _NUMBER.findall(ref)
    return numbers[0] if len(numbers) == 1 else None


def _later_sides(formula: str) -> list[str]:
    """What a formula or a chain of equations says that its left side is."""
    text = formula.strip(" $.")
    signs = [
        sign for sign in _EQUALS.finditer(text) if text.count("{", 0, sign.start()) == text.count("}", 0, sign.start())
    ]
    if not signs or len(signs) > _MAX_SIDES or "," in text:
        return []
    ends = [sign.start() for sign in signs[1:]] + [len(text)]
    return [text[sign.end() : end].strip() for sign, end in zip(signs, ends, strict=True)]


def _is_rounded(ref: str, answer: str) -> bool:
    """Whether the reference ends in a rounded number, and the answer is a number that rounds to it."""
    rounded = _ROUNDED.findall(ref)
    given = read_value(answer) if len(rounded) == 1 else None
    if given is None:
        return False
    number, places = map(str, rounded[0])
    margin = 0.5 * 10.0 ** -len(places) * (1 + 1e-6)
    return abs(given.value - float(number.replace(" ", ""))) <= margin


COLLEGE_MATH = Judge(name="college-math", decide=decide)
"""Exact equality with one of the readings of a textbook's answer."""
