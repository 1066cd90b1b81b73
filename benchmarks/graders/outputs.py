"""Real model outputs whose recorded verdict can be trusted, by rules that know nothing of any grader.

- math_qwen_cot_100: all, with the audited verdict where there is one.
- gsm8k_openai_samples, gsm8k_tora: all with a prediction, but for the row whose source accepts a percentage.
- math_mathcoder: those that people labelled (CL-34B), and of the others those whose prediction is the reference.
- math_train_nemo_skills_150: all with a prediction.
- math_l5_zeroeval_8models, deepmind_mathcoder: those whose reference and prediction are both plain numbers, so that the
  sources' lenient rules have nothing to be lenient about.
- theoremqa_tiger: none; its verdicts allow 4 % and come from crude predictions.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from graders.case import Case

_JUDGES = {"gsm8k_openai_samples": "gsm8k", "gsm8k_tora": "gsm8k", "deepmind_mathcoder": "deepmind-mathematics"}
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
Row = dict[str, Any]


def _plain(row: Row) -> bool:
    return all(_PLAIN.fullmatch(str(row[key])) for key in ("ref_answer", "pred"))


_TRUSTED: dict[str, Callable[[Row], bool]] = {
    "math_qwen_cot_100": lambda row: True,
    "gsm8k_openai_samples": lambda row: row["pred"] is not None,
    "gsm8k_tora": lambda row: row["pred"] is not None and "source_grader_accepts_percent" not in row["meta"],
    "math_mathcoder": lambda row: "CL" in row["model"] or row["pred"] == row["meta"]["source_ref"],
    "math_train_nemo_skills_150": lambda row: bool(row["pred"]),
    "math_l5_zeroeval_8models": _plain,
    "deepmind_mathcoder": _plain,
}


def recorded_cases(data: Path) -> Iterator[Case]:
    """The trusted rows of all files."""
    for name, is_trusted in _TRUSTED.items():
        with gzip.open(data / "outputs" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                right = row["meta"].get("audit_correct", row["correct"])
                if right is None or not is_trusted(row):
                    continue
                yield Case(
                    ref_answer=row["ref_answer"],
                    text=row["response"],
                    query=row["query"],
                    judge=_JUDGES.get(name, "math"),
                    right=right,
                    origin=name,
                )
