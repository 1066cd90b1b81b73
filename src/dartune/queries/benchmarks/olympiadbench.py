"""OlympiadBench (He et al. 2024), OE_TO_maths_en_COMP: open-ended, text only, mathematics, English, competition.

A row of the release: {"question": "...", "final_answer": ["$2^{1009}$"], "subfield": "Algebra", "solution": ["..."]}.
"""

from dataclasses import replace

from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, WebFile
from dartune.queries.columns import CANONICAL
from dartune.queries.hub import HubDataset
from dartune.queries.rows import Problem, RawRow

_JUDGED_BY = ("error", "answer_type", "is_multiple_answer")
"""What says how an answer is graded."""


def from_release(raw: RawRow) -> Problem:
    """A row of the release; several final answers are joined by ", "."""
    answers = raw["final_answer"]
    return Problem(
        text=raw["question"],
        ref_answer=", ".join(map(str, answers)) if isinstance(answers, (list, tuple)) else answers,
        domain=raw["subfield"],
        meta={name: raw[name] for name in _JUDGED_BY},
    )


OLYMPIADBENCH = Benchmark(
    name="olympiadbench/oe-to-maths-en-comp",
    description="OlympiadBench, open-ended English text-only competition mathematics",
    n_rows=675,
    n_domains=4,
    sources=(
        FolderFile(
            file="olympiadbench_oe_to_maths_en_comp.jsonl.gz",
            n_rows=675,
            sha256="5eeaa7d0c10ffa965a96d2fd717c2ad257d53cd8e200b84f1108053629de6d59",
            adapt=replace(CANONICAL, meta=_JUDGED_BY),
        ),
        WebFile(
            url="https://raw.githubusercontent.com/hkust-nlp/dart-math/219b32467b55f7c610195e148b56df3431e1a963"
            "/data/dsets/olympiadbench/OE_TO_maths_en_COMP.json",
            n_rows=675,
            sha256="3567c23130004c8936543aeb06739f094fcdcb1688cb2b655d0b18e7e1e3d4f9",
            adapt=from_release,
        ),
        # After the 675 rows that the paper scores: the authors' hub copy has one fewer.
        HubCopy(
            datasets=(
                HubDataset(
                    path="Hothan/OlympiadBench",
                    subset="OE_TO_maths_en_COMP",
                    revision="91184b52131e7fc9455fef848035173aea8cc01a",
                    split="train",
                ),
            ),
            n_rows=674,
            adapt=from_release,
        ),
    ),
)
