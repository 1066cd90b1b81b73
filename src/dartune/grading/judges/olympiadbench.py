r"""OlympiadBench (He et al. 2024): tolerance per row, answers of a type, several answers in any order.

Rule: `error` is the absolute tolerance of a row's numbers (several are parted by commas, one for each answer); without
one, answers are exact. `answer_type` says what is compared, and `is_multiple_answer` that several answers are asked:

| type | equal if |
|---|---|
| Numerical, Expression | the same value or the same function; several of them in any order, in any brackets or none |
| Tuple | the same elements in the same order; several tuples in any order |
| Interval | the same set of numbers with the same brackets; what stands before the first bracket (`x \in`) is dropped |
| Equation | the same equation |

Source: OpenBMB/OlympiadBench ba5b26a, inference/code/math_judger.py (judge, is_equal) and inference/judge.py, where
`error` is read. DART-Math uses it for this benchmark (hkust-nlp/dart-math 219b324, dart_math/olympiadbench.py).

Where we differ: the authors take a number for a hundredth and for a hundredfold of the reference, with or without a
percent sign; here nothing is scaled without one. Their exact numbers may differ by 1e-8, whatever their size; here six
decimal places are needed, all of them right, before a decimal stands for an exact value. They accept equations of which
one is a whole multiple of the other; here any constant multiple will do. They drop degree and percent signs from both
sides; here a unit of the reference must not be contradicted.
"""

import math
import re
from collections.abc import Callable
from dataclasses import replace

from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.judges import default
from dartune.grading.judges.base import Judge
from dartune.grading.judges.reading import read_values

SLACK = 1.01
"""The authors' factor on a tolerance, so that 4.3 is within 0.1 of 4.2 in floating point, too."""

EXACT = 1e-8
"""The authors' tolerance of an answer without one, where others of the row have one."""

_MEMBER = re.compile(r"^[\s$]*[a-zA-Z]\s?(?:\\in)?\s?(?=(?:\\left\s?)?[(\[])")
"""A variable before an interval; the release has lost the sign of membership in places (`t(0,4]`)."""

_SIGNS = re.compile(r"\\(?:left|right)(?![a-zA-Z])|\^\s?(?:\{\s?\\circ\s?\}|\\circ)")


def decide(task: Task) -> Decision:
    """Compare within the row's tolerance where it has one, else exactly, by the type of the answer."""
    tolerances = read_tolerances(task.meta.get("error"))
    within = _same_within(task, tolerances) if tolerances else None
    if within is not None:
        return Decision(within, "tolerance")
    kind = task.meta.get("answer_type")
    if kind == "Interval":
        return default.decide(_rewritten(task, lambda text: _MEMBER.sub("", text, count=1)))
    if task.meta.get("is_multiple_answer") and kind in ("Numerical", "Expression"):
        return default.decide(_rewritten(task, _bare))
    return default.decide(task)


def _bare(text: str) -> str:
    """A list of answers without brackets around the whole, and without degree signs."""
    items = _SIGNS.sub("", text)
    inner = items.strip(" \n$.")
    is_bracketed = inner[:1] in ("(", "[") and inner[-1:] in (")", "]") and not set("()[]") & set(inner[1:-1])
    return inner[1:-1] if is_bracketed and "," in inner else items


def read_tolerances(error: object) -> tuple[float, ...]:
    """Absolute tolerances, one for each answer or one for all; 0 for an answer that is exact; empty for none.

    `error` is a row's field: a number, or text such as "1e-1" or "1e-1,,1e-2". What is no tolerance gives none.
    """
    parts = str(error if error is not None else "").split(",")
    if not any(part.strip() for part in parts):
        return ()
    try:
        tolerances = tuple(float(part.strip() or 0) for part in parts)
    except ValueError:
        return ()
    return tolerances if all(math.isfinite(value) and value >= 0 for value in tolerances) else ()


def _same_within(task: Task, tolerances: tuple[float, ...]) -> bool | None:
    """Whether each number of the reference has a number of the answer to itself; None where not all are numbers."""
    refs, given = read_values(task.ref_answer), read_values(task.answer)
    if refs is None or given is None or len(tolerances) not in (1, len(refs)):
        return None
    if len(refs) != len(given):
        return False
    rest = [reading.value for reading in given]
    for ref, tolerance in zip(refs, tolerances * (len(refs) // len(tolerances)), strict=True):
        near = min(rest, key=lambda value: abs(value - ref.value))
        if abs(near - ref.value) > max(tolerance * SLACK, EXACT):
            return False
        rest.remove(near)
    return True


def _rewritten(task: Task, rewrite: Callable[[str], str]) -> Task:
    return replace(task, ref_answer=rewrite(task.ref_answer), answer=rewrite(task.answer))


OLYMPIADBENCH = Judge(name="olympiadbench", decide=decide, reads=("error", "answer_type", "is_multiple_answer"))
"""Equality within the row's tolerance, by the type of the answer."""
