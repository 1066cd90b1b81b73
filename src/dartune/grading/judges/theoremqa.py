r"""TheoremQA (Chen et al. 2023): every answer has a type, and the type says when two answers are equal.

| type | equal if |
|---|---|
| bool | both say true (yes) or both say false (no) |
| option | the answer names the option's letter, or says its value |
| integer | a decimal rounds to it; anything else equals it |
| float | within 4 % of the reference |
| list of integer, list of float | as many numbers, equal one by one as their types say |

The order of a list counts, except where the query asks for a set: roots, eigenvalues, all possible values. Where the
query asks for yes or no and the reference is a number, 1 is yes and 0 is no.

Source: TIGER-AI-Lab/TheoremQA acfc968, utils.py (compare_answer_with_groundtruth) and number_utils.py (within_eps,
compare_two_numbers, compare_two_list). The type is the row's `answer_type`; where there is none, the reference's
spelling tells it, which it does for all 800 rows.

Where we differ: the authors find booleans by looking for "no" anywhere in the response, so that "not", "know" and
"cannot" are False, and take False for the integer 0; here an answer is what it says. Their percent sign always divides
by 100; here `10.92%` answers 10.92 as well as 0.1092. They round whatever they can evaluate; here 1/4 is not the
integer 0, nor is 2\pi/3 the integer 2, for an exact value rounds nothing. They read a list in parentheses only, and
sort both lists; here any brackets or none will do, and the order counts unless the query asks for a set, for most ask
for a path, for coordinates, or for the answers to several questions.
"""

import math
import re
from collections.abc import Callable, Mapping

from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.judges import default
from dartune.grading.judges.base import Judge
from dartune.grading.judges.reading import Reading, read_value, read_values

TOLERANCE = 0.04
"""Share of a float reference by which an answer may differ."""

_NOISE = 1e-9
_MAX_ROUNDED = 1e15
"""Integers beyond are left to exact comparison: a float does not hold them."""

_WORD = re.compile(r"[a-z]+")
_SAYS: Mapping[str, bool] = {"true": True, "yes": True, "t": True, "false": False, "no": False, "f": False}
_LETTER = re.compile(r"\(([a-z])\)")
_WHOLE = re.compile(r"-?[\d,]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_ASKS_SET = re.compile(
    r"eigen ?values?|\broots?\b|\bgenerators?\b|\bpossible\b|\bvertex cover\b|\bwhat is the value of [a-z]\?",
    re.IGNORECASE,
)

_ASKS_YES_OR_NO = re.compile(r"\b(?:Is|Are|Does|Do|Can|Will|Has|Have)\b[^.?]*\?[^?]*$|\b1 for yes\b")


def decide(task: Task) -> Decision:
    """Decide by the type of the answer; what is not of that type goes to the default judge."""
    kind = str(task.meta.get("answer_type") or type_of(task.ref_answer))
    decide_typed = _TYPES.get(kind)
    equal = decide_typed(task.ref_answer.strip(), task.answer, task.query) if decide_typed is not None else None
    return Decision(equal, kind.replace(" ", "_")) if equal is not None else default.decide(task)


def type_of(ref_answer: str) -> str:
    """The type that the spelling of a reference tells: `True`, `(a)`, `11`, `1.0`, `[0, 5]`, `[0.333, 0.25]`."""
    text = ref_answer.strip()
    if text.lower() in _SAYS:
        return "bool"
    if _LETTER.fullmatch(text.lower()):
        return "option"
    number = "float" if "." in text or "e" in text.lower() else "integer"
    return f"list of {number}" if text.startswith("[") else number


def _same_bool(ref: str, answer: str, query: str | None) -> bool | None:
    words = _WORD.findall(answer.lower())
    said = {_SAYS[word] for word in words if word in _SAYS}
    if len(said) != 1 or "not" in words or "if" in words:
        return None
    return said == {_SAYS.get(ref.lower())}


def _same_option(ref: str, answer: str, query: str | None) -> bool | None:
    letters = set(_LETTER.findall(answer.lower()))
    return letters == set(_LETTER.findall(ref.lower())) if letters else None


def _same_number(ref: str, answer: str, query: str | None) -> bool | None:
    left, right = read_value(ref), read_value(answer)
    if left is not None and right is None and query is not None and _ASKS_YES_OR_NO.search(query):
        return _same_bool(str(bool(left.value)), answer, query) if left.value in (0, 1) else None
    return None if left is None or right is None else _are_close(ref, left.value, right)


def _same_list(ref: str, answer: str, query: str | None) -> bool | None:
    refs = [item.strip() for item in ref.strip("[]").split(",")]
    given = read_values(answer)
    if given is None or not all(_NUMBER.fullmatch(item) for item in refs):
        return None
    if len(refs) != len(given):
        return False
    if query is None or _ASKS_SET.search(query):
        refs.sort(key=float)
        given.sort(key=lambda reading: reading.value)
    return all(_are_close(item, float(item), reading) for item, reading in zip(refs, given, strict=True))


def _are_close(spelling: str, ref: float, given: Reading) -> bool | None:
    """Whether a number is the reference, which is an integer if it is spelt as one."""
    if not _WHOLE.fullmatch(spelling):
        margin = max(_NOISE, TOLERANCE * abs(ref))
        values = (given.value, given.value / 100) if given.percent else (given.value,)
        return any(abs(value - ref) <= margin for value in values)
    if abs(ref) > _MAX_ROUNDED or not math.isfinite(given.value):
        return None
    return round(given.value) == ref if given.rounded else abs(given.value - ref) <= _NOISE * max(1.0, abs(ref))


_TYPES: Mapping[str, Callable[[str, str, str | None], bool | None]] = {
    "bool": _same_bool,
    "option": _same_option,
    "integer": _same_number,
    "float": _same_number,
    "list of integer": _same_list,
    "list of float": _same_list,
}

THEOREMQA = Judge(name="theoremqa", decide=decide, reads=("answer_type",))
"""Equality by the type of the answer."""
