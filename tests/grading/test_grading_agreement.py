"""Agreement with the recorded verdicts of real model outputs, each file judged as its benchmark is.

docs/grading-disagreements.md tells of the rows that differ.
"""

import gzip
import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from dartune.grading import Grader

DATA = Path(os.environ.get("DARTUNE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "outputs"


class Floor(NamedTuple):
    """What grading one file must come to."""

    judge: str
    share: float
    """Smallest share of rows that agree with the record."""
    most_alone: int
    """Most rows that the grader calls correct and the record does not: all of them are read, and right."""


FLOORS = {
    "math_qwen_cot_100": Floor("math", 1.0, 0),
    "gsm8k_openai_samples": Floor("gsm8k", 1.0, 0),
    "gsm8k_tora": Floor("gsm8k", 0.996, 0),
    "math_train_nemo_skills_150": Floor("math", 0.93, 6),
    "math_mathcoder": Floor("math", 0.945, 2),
    "math_l5_zeroeval_8models": Floor("math", 0.994, 2),
    "deepmind_mathcoder": Floor("deepmind-mathematics", 0.976, 51),
    "theoremqa_tiger": Floor("theoremqa", 0.91, 117),
}


@pytest.mark.data
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", FLOORS)
def test_agreement(grader: Grader, name: str) -> None:
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is absent: set DARTUNE_DATA to the benchmark data folder")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["correct"] is not None]
    floor = FLOORS[name]
    n_agree = accepted_alone = 0
    for row in rows:
        grade = grader.grade(
            ref_answer=row["ref_answer"],
            response=row["response"],
            query=row["query"],
            judge=floor.judge,
            meta=row["meta"],
        )
        accepted = grade.verdict == "correct"
        recorded = row["meta"].get("audit_correct", row["correct"])
        n_agree += accepted == recorded
        accepted_alone += accepted and not recorded
    assert n_agree / len(rows) >= floor.share
    assert accepted_alone <= floor.most_alone
