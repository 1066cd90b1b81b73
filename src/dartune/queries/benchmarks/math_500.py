"""MATH-500: the 500 test problems of MATH that PRM800K kept out of its training set (Lightman et al. 2023).

A row of the release: {"problem": "...", "answer": "2", "subject": "Algebra", "level": 3, "unique_id": "test/..."}.
"""

from collections.abc import Mapping

from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, WebFile
from dartune.queries.columns import Columns
from dartune.queries.hub import HubDataset
from dartune.queries.rows import RawRow

FROM_RELEASE = Columns(text="problem", ref_answer="answer", level="level", domain="subject")


def is_in_math_500(raw: RawRow) -> bool:
    """Whether a row of the data folder's MATH test set is one of the 500."""
    meta = raw["meta"]
    return isinstance(meta, Mapping) and bool(meta.get("in_math500"))


MATH_500 = Benchmark(
    name="math/500",
    description="MATH-500, the test problems of MATH that PRM800K does not train on",
    n_rows=500,
    levels=(1, 2, 3, 4, 5),
    n_domains=7,
    contamination="MATH's test solutions are public since 2021; these 500 are the ones outside PRM800K's training set "
    "(Lightman et al. 2023, arXiv:2305.20050)",
    sources=(
        FolderFile(
            file="math_test.jsonl.gz",
            n_rows=500,
            sha256="be21d0018a842f3a6f342bbe18786abb83f8ad4f086a11de0321922ca4322ca2",
            keep=is_in_math_500,
        ),
        WebFile(
            url="https://raw.githubusercontent.com/ZubinGou/math-evaluation-harness"
            "/db77bc6bb2a17c90ed2d63e88ebd8c40a82858c5/data/math_oai/test.jsonl",
            n_rows=500,
            sha256="35dc41080a3680858b27fa7e0533d2d547825316fc5dafe5d316f4ccc5a06132",
            adapt=FROM_RELEASE,
        ),
        HubCopy(datasets=(HubDataset(path="HuggingFaceH4/MATH-500", split="test"),), n_rows=500, adapt=FROM_RELEASE),
    ),
)
