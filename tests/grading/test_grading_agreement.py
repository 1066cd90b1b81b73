"""Agreement with the recorded verdicts of real model outputs; docs/grading.md tells of the rows that differ."""

import gzip
import json
import os
from pathlib import Path

import pytest

from dartune.grading import Grader

DATA = Path(os.environ.get("DARTUNE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "outputs"

FLOORS = {"math_qwen_cot_100": (1.0, 0), "gsm8k_openai_samples": (1.0, 0), "gsm8k_tora": (0.996, 0)}
"""File -> smallest share of rows that agree, and most rows that the grader alone calls correct."""


@pytest.mark.data
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", FLOORS)
def test_agreement(grader: Grader, name: str) -> None:
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is absent: set DARTUNE_DATA to the benchmark data folder")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    n_agree = accepted_alone = 0
    for row in rows:
        accepted = grader.grade(ref_answer=row["ref_answer"], response=row["response"]).verdict == "correct"
        recorded = row["meta"].get("audit_correct", row["correct"])
        n_agree += accepted == recorded
        accepted_alone += accepted and not recorded
    share, most_alone = FLOORS[name]
    assert n_agree / len(rows) >= share
    assert accepted_alone <= most_alone
