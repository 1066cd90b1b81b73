r"""What must hold of the grader for any text whatever.

Nothing raises; a verdict is one of the closed set; what is found in a response is not empty; a text is never an
incorrect answer to itself, however it is spelled; a spelling that keeps the meaning (math marks, spaces, `\left` and
`\right`) does not turn a verdict around; and no input takes longer than `MAX_MS`. Symbolic algebra is not asked by
`check`; `graded` asks the whole grader.
"""

import re
import time
from collections.abc import Callable
from typing import Final, NamedTuple, get_args

from dartune.grading import Grader
from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.extraction.extract import extract
from dartune.grading.judges import JUDGES
from dartune.grading.spelling.normalize import normalize
from dartune.types import FinishReason, Verdict
from graders.soup import Texts

MAX_MS: Final = 100.0
"""CPU milliseconds that one input may take: four extractions, one normalisation and four comparisons."""

_VERDICTS: Final = get_args(Verdict)
_META: Final = {"answer_type": "Numerical", "error": "1e-2", "is_multiple_answer": True, "answer": "0.5"}


class Finding(NamedTuple):
    """Something that does not hold."""

    what: str
    detail: str
    """What was seen: a verdict, an exception, milliseconds."""
    texts: Texts


_EXPRESSION: Final = re.compile(r"[-+*/^0-9a-z.\\{}()]+")
_MARKS: Final = ("$", "\\(", "\\)", "\\[", "\\]", "\\left", "\\right")
_EDGES: Final = set("\n`#*_'\"~:;,.!\\|/&")


def _is_bare(text: str) -> bool:
    """Whether marks around a text or its parentheses cannot change what it says."""
    return (
        bool(text.strip())
        and not (_EDGES & set(text[:1] + text[-1:]) - {"\\"})
        and text[-1] != "\\"
        and not any(mark in text for mark in _MARKS)
    )


def _is_balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char in "{(") - (char in "})")
        if depth < 0:
            return False
    return not depth


SPELLINGS: Final[dict[str, Callable[[str], str | None]]] = {
    "spaces": lambda text: f"  {text} ",
    "dollars": lambda text: f"${text}$",
    "display": lambda text: f"\\[{text}\\]",
    "braces": lambda text: f"{{{text}}}" if _EXPRESSION.fullmatch(text) and _is_balanced(text) else None,
    "display style": lambda text: "\\displaystyle " + text.replace("\\frac{", "\\dfrac{"),
    "minus": lambda text: text.replace("-", "−"),
    "full stop": lambda text: f"{text}.",
    "sized": lambda text: text.replace("(", "\\left(").replace(")", "\\right)"),
}
"""Other ways to write the same; None where a way does not apply."""


def check(texts: Texts) -> list[Finding]:
    """What does not hold for these texts, symbolic algebra not asked."""
    start = time.thread_time()
    try:
        found = [*_of_extraction(texts), *_of_comparison(texts)]
    except Exception as error:  # the boundary of what is under test: any exception is a finding
        return [Finding("raises", repr(error), texts)]
    took_ms = 1000 * (time.thread_time() - start)
    return [*found, Finding("slow", f"{took_ms:.1f} ms", texts)] if took_ms > MAX_MS else found


def graded(grader: Grader, texts: Texts) -> list[Finding]:
    """What does not hold for these texts with the whole grader, its workers too."""
    grades = {
        "response": grader.grade(ref_answer=texts.ref, response=texts.response),
        "answer": grader.grade_answer(ref_answer=texts.ref, answer=texts.answer),
        "itself": grader.grade_answer(ref_answer=texts.ref, answer=f" {texts.ref} "),
    }
    found = [
        Finding("verdict", f"{name}: {grade.verdict} {grade.rule}", texts)
        for name, grade in grades.items()
        if grade.verdict not in _VERDICTS or grade.rule.endswith("fault")
    ]
    wrong = bool(texts.ref.strip()) and grades["itself"].verdict == "incorrect"
    return [*found, Finding("not itself", grades["itself"].rule, texts)] if wrong else found


def _of_extraction(texts: Texts) -> list[Finding]:
    found = []
    reasons: tuple[FinishReason, ...] = ("stop", "length")
    for reason in reasons:
        for lenient in (False, True):
            got = extract(texts.response, finish_reason=reason, lenient=lenient)
            if (got.answer is None) == (got.missing is None) or (got.answer is not None and not got.answer.strip()):
                found.append(Finding("extraction", repr(got), texts))
    normalize(texts.response)
    return found


def _of_comparison(texts: Texts) -> list[Finding]:
    found = []
    judge = list(JUDGES.values())[texts.pick % len(JUDGES)]
    judge.decide(Task(ref_answer=texts.ref, answer=texts.answer, query=texts.response, meta=_META))
    decide = JUDGES["default"].decide
    plain = decide(Task(ref_answer=texts.ref, answer=texts.answer))
    name, respell = list(SPELLINGS.items())[texts.pick % len(SPELLINGS)]
    itself = respell(texts.ref) if _is_bare(texts.ref) else None
    if itself is not None and (said := decide(Task(ref_answer=texts.ref, answer=itself))).equal is False:
        found.append(Finding(f"not itself by {name}", said.rule, texts))
    other = respell(texts.answer) if _is_bare(texts.answer) else None
    if other is not None and _flips(plain, said := decide(Task(ref_answer=texts.ref, answer=other))):
        found.append(Finding(f"turned by {name}", f"{plain.equal} {plain.rule} -> {said.rule}", texts))
    return found


def _flips(first: Decision, second: Decision) -> bool:
    return first.equal is not None and second.equal is not None and first.equal is not second.equal
