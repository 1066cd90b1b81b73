"""Why a verdict came out: every rule of extraction and every step of comparison with what it said.

The grade itself is the grader's; this tells what led to it, and decides nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dartune.grading.case import Case, grade_case
from dartune.grading.comparison.compare import STEPS
from dartune.grading.comparison.decision import Decision, Pair, Task
from dartune.grading.comparison.fitting import fit
from dartune.grading.extraction.extract import trace
from dartune.grading.grader import Grader, find_judge
from dartune.types import Grade
from dartune.visible import visible

_SHOWN_CHARS = 200

Said = Literal["yes", "no", "not certain"]
_SAID: Mapping[bool | None, Said] = {True: "yes", False: "no", None: "not certain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One rule of extraction and what it found in the response."""

    rule: str
    found: str | None
    """The answer as the rule found it; None where it found nothing."""
    is_complete: bool
    """Whether something after the answer closes it: in a response that was cut off only such an answer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One step of comparison and what it said of both sides in canonical spelling."""

    step: str
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What led to a grade."""

    case: Case
    judge: str
    grade: Grade
    rules: tuple[Tried, ...]
    """Every rule, in the order in which they are tried."""
    pair: Pair | None
    """Reference and answer in canonical spelling; None where there is no answer, or a side is over a limit."""
    steps: tuple[Compared, ...]
    """Every step of comparison up to the first that is certain; empty where there is no pair."""
    decision: Decision | None
    """What the judge said without symbolic algebra; None where there is no answer."""
    symbolic: str | None
    """The verdict that symbolic algebra came to; None where it was not asked."""


def explain(case: Case, *, grader: Grader, judge: str = "default", lenient: bool = False) -> Explanation:
    """Grade a case and tell why; `lenient` as the grader was made. Raises InputError if there is no such judge."""
    decide = find_judge(judge).decide
    grade = grade_case(grader, case, judge=judge)
    decision = pair = None
    steps: tuple[Compared, ...] = ()
    if grade.answer is not None:
        task = Task(ref_answer=case.ref_answer, answer=grade.answer, query=case.query, meta=case.meta)
        decision = decide(task)
        pair = decision.pair or _canonical(case.ref_answer, grade.answer)
        steps = tuple(_compare(pair)) if pair else ()
    return Explanation(
        case=case,
        judge=judge,
        grade=grade,
        rules=tuple(_extract(case, lenient=lenient)),
        pair=pair,
        steps=steps,
        decision=decision,
        symbolic=grade.verdict if decision is not None and decision.pair is not None else None,
    )


def _extract(case: Case, *, lenient: bool) -> Iterator[Tried]:
    for rule, found in trace(case.response, finish_reason=case.finish_reason, lenient=lenient).tried:
        yield Tried(
            rule=rule.name,
            found=None if found is None else found.answer,
            is_complete=found is not None and found.complete,
        )


def _canonical(ref_answer: str, answer: str) -> Pair | None:
    sides = fit(ref_answer, answer)
    return None if sides is None else Pair(sides.ref.text, sides.answer.text)


def _compare(pair: Pair) -> Iterator[Compared]:
    for step in STEPS:
        said = _SAID[step.decide(pair.ref, pair.answer)]
        yield Compared(step=step.name, said=said)
        if said != "not certain":
            return


def to_text(explanation: Explanation) -> str:
    """The explanation in lines for a terminal; nothing in it can steer one."""
    return "\n".join(visible(line) for line in _lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    case, grade, decision = explanation.case, explanation.grade, explanation.decision
    yield f"verdict     {grade.verdict}, by {grade.rule}"
    yield f"reference   {_short(case.ref_answer)}"
    yield f"answer      {'none' if grade.answer is None else _short(grade.answer)}"
    if case.finish_reason == "length":
        yield "cut off     only an answer that something closes counts"
    fired = grade.rule.partition("/")[0]
    yield "extraction"
    for tried in explanation.rules:
        found = "nothing" if tried.found is None else _short(tried.found) + ("" if tried.is_complete else "  (open)")
        yield f"  {'>' if tried.rule == fired else ' '} {tried.rule:16} {found}"
    if explanation.pair is not None:
        yield "canonical"
        yield f"    reference        {_short(explanation.pair.ref)}"
        yield f"    answer           {_short(explanation.pair.answer)}"
        yield "comparison"
    for compared in explanation.steps:
        yield f"    {compared.step:16} {compared.said}"
    if decision is not None:
        yield f"judge       {explanation.judge}: {_SAID[decision.equal]}, by {decision.rule}"
    if explanation.symbolic is not None:
        yield f"symbolic    {explanation.symbolic}"


def _short(text: str) -> str:
    """On one line, cut in the middle."""
    text = text.replace("\n", "\\n")
    half = _SHOWN_CHARS // 2
    return text if len(text) <= _SHOWN_CHARS else f"{text[:half]} ... {text[-half:]}"
