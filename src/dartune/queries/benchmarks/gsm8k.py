r"""GSM8K (Cobbe et al. 2021): grade-school word problems with worked solutions.

A row of the release: {"question": "...", "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips ...\n#### 72"}.
"""

from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, WebFile
from dartune.queries.hub import HubDataset
from dartune.queries.rows import Problem, RawRow

_RELEASE = (
    "https://raw.githubusercontent.com/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c"
    "/grade_school_math/data"
)


def from_release(raw: RawRow) -> Problem:
    """A row of the release; the reference is what follows the last #### of the answer, its thousands commas removed."""
    _, mark, reference = str(raw["answer"]).rpartition("####")
    return Problem(text=raw["question"], ref_answer=reference.strip().replace(",", "") if mark else None)


def _hub_copy(split: str, n_rows: int) -> HubCopy:
    return HubCopy(
        datasets=(
            HubDataset(
                path="openai/gsm8k", subset="main", revision="740312add88f781978c0658806c59bc2815b9866", split=split
            ),
        ),
        n_rows=n_rows,
        adapt=from_release,
    )


GSM8K_TRAIN = Benchmark(
    name="gsm8k/train",
    description="GSM8K, training problems",
    n_rows=7473,
    sources=(
        FolderFile(
            file="gsm8k_train.jsonl.gz",
            n_rows=7473,
            sha256="7be76ee231eeb28427963fd7ba55020c88e77c0fa7309b8b6063eaa8cd55874b",
        ),
        _hub_copy("train", 7473),
        WebFile(
            url=f"{_RELEASE}/train.jsonl",
            n_rows=7473,
            sha256="17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
            adapt=from_release,
        ),
    ),
)

GSM8K_TEST = Benchmark(
    name="gsm8k/test",
    description="GSM8K, test problems",
    n_rows=1319,
    contamination="some families of models score up to 8 points less on new problems of the same kind (GSM1k, Zhang et "
    "al. 2024, arXiv:2405.00332)",
    sources=(
        FolderFile(
            file="gsm8k_test.jsonl.gz",
            n_rows=1319,
            sha256="14b5e68bb85de34cc62e15e0cf51ff8144063c40ab9cafe08cd0050c68c236b6",
        ),
        _hub_copy("test", 1319),
        WebFile(
            url=f"{_RELEASE}/test.jsonl",
            n_rows=1319,
            sha256="3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
            adapt=from_release,
        ),
    ),
)
