"""One response to be graded, as the batch API takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from dartune.errors import DataError
from dartune.grading.grader import Grader
from dartune.types import FinishReason, Grade

_FINISH_REASONS = get_args(FinishReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One response and the reference that it is held against.

    Raises DataError at once where a field is not of its type, so that the fault is named where the case is made.
    """

    ref_answer: str
    """The known answer, as the data set writes it."""
    response: str
    """The model's full text."""
    query: str | None = None
    """The problem. Where it offers lettered options, an option's letter and its value count as the same."""
    finish_reason: FinishReason = "stop"
    """"length" for a response that was cut off."""
    meta: Mapping[str, object] = field(default_factory=dict)
    """Fields of the query's row that the benchmark's judge reads, such as `answer_type`: values that JSON has."""

    def __post_init__(self) -> None:
        for name, value in (("ref_answer", self.ref_answer), ("response", self.response), ("query", self.query or "")):
            if not isinstance(value, str):
                raise DataError(f"{name}: expected text, got {type(value).__name__}")
        if self.finish_reason not in _FINISH_REASONS:
            raise DataError(
                f"finish_reason: expected {' or '.join(_FINISH_REASONS)}, got {str(self.finish_reason)[:60]!r}"
            )


def grade_case(grader: Grader, case: Case, *, judge: str) -> Grade:
    """Grade one case. Raises InputError if there is no such judge."""
    return grader.grade(
        ref_answer=case.ref_answer,
        response=case.response,
        query=case.query,
        finish_reason=case.finish_reason,
        judge=judge,
        meta=case.meta,
    )
