"""What the adapters share: a grade as a number."""

from dartune.types import Grade


def score(grade: Grade) -> float | None:
    """1.0 for a correct answer; None where the grader could not tell; 0.0 for all others."""
    if grade.verdict in ("ungradable", "timeout"):
        return None
    return float(grade.verdict == "correct")
