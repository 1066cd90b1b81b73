"""What a grading process must know, and how cases and grades travel to it and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from dartune.errors import DataError
from dartune.grading.case import Case
from dartune.grading.symbolic.worker import pack
from dartune.types import Grade

WORKER_DEATH = "worker_death"
"""Rule of the grade of a case that ended its process each time that it was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How every case of a batch is graded."""

    judge: str = "default"
    lenient: bool = False
    timeout_s: float = 2.0
    memory_mb: int = 512


def pack_cases(cases: Sequence[Case], reads: Sequence[str]) -> bytes:
    """One frame of cases; of their `meta` only the fields that the judge `reads`.

    Raises:
        DataError: If such a field is nothing that JSON has.
    """
    rows = [
        (
            case.ref_answer,
            case.response,
            case.query,
            case.finish_reason,
            {name: case.meta[name] for name in reads if name in case.meta},
        )
        for case in cases
    ]
    try:
        return pack({"cases": rows})
    except (TypeError, ValueError) as error:
        raise DataError(f"meta: expected values that JSON has in {', '.join(reads)}, got {error}") from error


def unpack_cases(body: bytes) -> list[Case]:
    """The cases in a frame's body."""
    return [
        Case(ref_answer=ref_answer, response=response, query=query, finish_reason=finish_reason, meta=meta)
        for ref_answer, response, query, finish_reason, meta in json.loads(body)["cases"]
    ]


def pack_grades(grades: Sequence[Grade]) -> bytes:
    """One frame of grades."""
    return pack({"grades": [(grade.verdict, grade.answer, grade.rule) for grade in grades]})


def unpack_grades(body: bytes) -> list[Grade]:
    """The grades in a frame's body."""
    return [Grade(verdict=verdict, answer=answer, rule=rule) for verdict, answer, rule in json.loads(body)["grades"]]
