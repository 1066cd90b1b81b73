"""Grading: is the final answer of a response the reference answer?

`grade` and `equivalent` need no set-up and share one grader with one worker; make a `Grader` for more.
"""

import atexit
import threading
from collections.abc import Mapping

from dartune.grading.batch import grade_many
from dartune.grading.case import Case
from dartune.grading.grader import NOTHING, Grader
from dartune.types import FinishReason, Grade

__all__ = ["Case", "Grader", "equivalent", "grade", "grade_many"]

_lock = threading.Lock()
_default: list[Grader] = []


def grade(
    *,
    ref_answer: str,
    response: str,
    query: str | None = None,
    finish_reason: FinishReason = "stop",
    judge: str = "default",
    meta: Mapping[str, object] = NOTHING,
) -> Grade:
    """Grade one response against the reference answer; any text gets a grade.

    Args:
        ref_answer: The known answer, as the data set writes it.
        response: The model's full text.
        query: The problem. Where it offers lettered options, an option's letter and its value count as the same.
        finish_reason: "length" for a response that was cut off: it counts only if its final answer is complete.
        judge: Whose rules decide: "default", or the name of a benchmark.
        meta: Fields of the query's row that the benchmark's judge reads, such as `answer_type`.

    Raises:
        InputError: If there is no such judge.
    """
    return _shared().grade(
        ref_answer=ref_answer, response=response, query=query, finish_reason=finish_reason, judge=judge, meta=meta
    )


def equivalent(*, ref_answer: str, answer: str) -> bool:
    """Whether a final answer is certainly the reference answer; False also where the grader could not tell."""
    return _shared().grade_answer(ref_answer=ref_answer, answer=answer).verdict == "correct"


def _shared() -> Grader:
    with _lock:
        if not _default:
            _default.append(Grader())
            atexit.register(_default[0].close)
        return _default[0]
