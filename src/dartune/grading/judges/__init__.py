"""Judges: how each benchmark decides, as its authors do; `JUDGES` has them by name."""

from dartune.grading.judges.base import Judge
from dartune.grading.judges.default import DEFAULT

__all__ = ["JUDGES", "Judge"]

JUDGES: dict[str, Judge] = {judge.name: judge for judge in (DEFAULT,)}
"""Name -> judge. A benchmark's judge has the name of the benchmark."""
