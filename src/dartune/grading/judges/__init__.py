"""Judges: how each benchmark decides, as its authors do; `JUDGES` has them by name."""

from dartune.grading.judges.base import Judge
from dartune.grading.judges.college_math import COLLEGE_MATH
from dartune.grading.judges.deepmind_mathematics import DEEPMIND_MATHEMATICS
from dartune.grading.judges.default import DEFAULT
from dartune.grading.judges.gsm8k import GSM8K
from dartune.grading.judges.math import MATH
from dartune.grading.judges.olympiadbench import OLYMPIADBENCH
from dartune.grading.judges.theoremqa import THEOREMQA

__all__ = ["JUDGES", "Judge"]

JUDGES: dict[str, Judge] = {
    judge.name: judge for judge in (DEFAULT, MATH, GSM8K, COLLEGE_MATH, DEEPMIND_MATHEMATICS, OLYMPIADBENCH, THEOREMQA)
}
"""Name -> judge. A benchmark's judge has the name of the benchmark, without its split."""
