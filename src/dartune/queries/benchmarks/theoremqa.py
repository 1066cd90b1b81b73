"""TheoremQA (Chen et al. 2023): university problems in mathematics, computing, physics and finance.

A row of the release: {"Question": "...", "Answer": 11760, "Answer_type": "integer", "field": "Math", "Picture": null}.
53 problems need a picture that no source here gives; DART-Math scores all 800, "theoremqa/text" the other 747.
"""

from collections.abc import Mapping
from dataclasses import replace

from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, WebFile
from dartune.queries.columns import CANONICAL
from dartune.queries.hub import HubDataset
from dartune.queries.rows import Problem, RawRow

_FILE = "theoremqa.jsonl.gz"
_SHA256 = "145c868f6f3783deb78ab5643b02bc7f5e4527b7b9474213050fdd21fdbc9faa"


def from_release(raw: RawRow) -> Problem:
    """A row of the release; the reference is the typed answer as text ("True", "[0, 5]"); the hub gives no field."""
    return Problem(
        text=raw["Question"],
        ref_answer=str(raw["Answer"]),
        domain=raw.get("field"),
        meta={"answer_type": raw["Answer_type"]},
    )


def needs_no_picture(raw: RawRow) -> bool:
    """Whether a row of the data folder can be answered from its text."""
    meta = raw["meta"]
    return isinstance(meta, Mapping) and not meta["has_picture"]


THEOREMQA = Benchmark(
    name="theoremqa",
    description="TheoremQA; 53 problems need a picture that is not included",
    n_rows=800,
    n_domains=4,
    sources=(
        FolderFile(
            file=_FILE,
            n_rows=800,
            sha256=_SHA256,
            adapt=replace(CANONICAL, meta=("answer_type",)),
        ),
        HubCopy(
            datasets=(
                HubDataset(
                    path="TIGER-Lab/TheoremQA", revision="a340b1782960a712843aae3ed25f1e013cc008a5", split="test"
                ),
            ),
            n_rows=800,
            adapt=from_release,
        ),
        WebFile(
            url="https://raw.githubusercontent.com/TIGER-AI-Lab/TheoremQA/acfc9686aa9b49f3c8f189364a9a9ee9c53da039"
            "/theoremqa_test.json",
            n_rows=800,
            sha256="4a3c8683534cd1866491d309d16e2e4d79e8110bd503c91b5c4fecaa0f3744c8",
            adapt=from_release,
        ),
    ),
)

THEOREMQA_TEXT = Benchmark(
    name="theoremqa/text",
    description="TheoremQA without the 53 problems that need a picture",
    n_rows=747,
    n_domains=4,
    remark="the hub's copy and the release's do not say in text which problems have a picture",
    sources=(
        FolderFile(
            file=_FILE,
            n_rows=747,
            sha256=_SHA256,
            adapt=replace(CANONICAL, meta=("answer_type",)),
            keep=needs_no_picture,
        ),
    ),
)
