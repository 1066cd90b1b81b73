"""What sampling needs of a grader."""

from collections.abc import Mapping
from typing import Protocol

from dartune.types import FinishReason, Grade


class Grades(Protocol):
    """Anything that grades responses without blocking the event loop: in this process, or on a cluster."""

    async def grade_async(
        self,
        *,
        ref_answer: str,
        response: str,
        query: str | None,
        finish_reason: FinishReason,
        judge: str,
        meta: Mapping[str, object],
    ) -> Grade:
        """Grade one response; see `dartune.grading.Grader.grade_async`."""
        ...
