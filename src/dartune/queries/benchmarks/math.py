r"""MATH (Hendrycks et al. 2021): competition problems of levels 1-5 in seven subjects.

A row of the release: {"problem": "...", "level": "Level 3", "type": "Algebra", "solution": "... $\boxed{2}$ ..."}.
Its first addresses are withdrawn (hendrycks/competition_math on the hub, MATH.tar at Berkeley); copies are tried.
nlile/hendrycks-MATH-benchmark is not among them: its split is PRM800K's 12,000 / 500, not the release's 7,500 / 5,000.
"""

from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, WebFile
from dartune.queries.hub import HubDataset
from dartune.queries.rows import Problem, RawRow

_SUBJECTS = (
    "algebra",
    "counting_and_probability",
    "geometry",
    "intermediate_algebra",
    "number_theory",
    "prealgebra",
    "precalculus",
)
_REMARK = "MATH's old address hendrycks/competition_math is withdrawn"


def from_release(raw: RawRow) -> Problem:
    """A row of the release; the reference is what the last box of the solution holds."""
    level = raw["level"]
    return Problem(
        text=raw["problem"],
        ref_answer=last_boxed(str(raw["solution"])),
        level=None if level == "Level ?" else level,  # two training problems have no level
        domain=raw["type"],
    )


def from_rllm(raw: RawRow) -> Problem:
    """A row of the training problems as rllm keeps them, answers taken out; difficulty 0.0 is "Level ?"."""
    return Problem(text=raw["problem"], ref_answer=raw["answer"], level=raw["difficulty"] or None, domain=raw["type"])


def last_boxed(solution: str) -> str | None:
    r"""Content of the last \boxed{...} (or \fbox{...}, or \boxed 5), braces balanced; None where there is none."""
    start = max(solution.rfind(r"\boxed"), solution.rfind(r"\fbox"))
    if start < 0:
        return None
    rest = solution[start:].removeprefix(r"\boxed").removeprefix(r"\fbox").lstrip(" ")
    if not rest.startswith("{"):
        words = rest.split("$")[0].split()
        return words[0] if words else None
    depth = 0
    for i, character in enumerate(rest):
        if character in "{}" and (i == 0 or rest[i - 1] != "\\"):
            depth += 1 if character == "{" else -1
            if depth == 0:
                return rest[1:i]
    return None


def _hub_copies(split: str, n_rows: int) -> tuple[HubCopy, HubCopy]:
    return (
        HubCopy(
            datasets=tuple(
                HubDataset(
                    path="EleutherAI/hendrycks_math",
                    subset=subject,
                    revision="21a5633873b6a120296cce3e2df9d5550074f4a3",
                    split=split,
                )
                for subject in _SUBJECTS
            ),
            n_rows=n_rows,
            adapt=from_release,
        ),
        HubCopy(
            datasets=(
                HubDataset(
                    path="DigitalLearningGmbH/MATH-lighteval",
                    subset="default",
                    revision="0530c78699ea5e8eb5530600900e1f328b48acad",
                    split=split,
                ),
            ),
            n_rows=n_rows,
            adapt=from_release,
        ),
    )


MATH_TRAIN = Benchmark(
    name="math/train",
    description="MATH, training problems; 7,472 of 7,500 in the data folder",
    n_rows=7472,
    levels=(1, 2, 3, 4, 5),
    n_domains=7,
    remark=_REMARK,
    sources=(
        FolderFile(
            file="math_train.jsonl.gz",
            n_rows=7472,
            sha256="8d6605d05a96d0f8ecf65fe8e75fa58f0a57301773ede1b671ff4817c4cabd14",
        ),
        *_hub_copies("train", 7500),
        WebFile(
            url="https://raw.githubusercontent.com/rllm-org/rllm/874daa4acb7f451dc2a4b2b6e8ce28f5aa88d1f5"
            "/rllm/data/train/math/math.json",
            n_rows=7474,
            sha256="569230b362fd501e1a33d8f29aae3b4b989d32e2b91b07c3f48493528c3bf6d2",
            adapt=from_rllm,
        ),
    ),
)

MATH_TEST = Benchmark(
    name="math/test",
    description="MATH, all 5,000 test problems",
    n_rows=5000,
    levels=(1, 2, 3, 4, 5),
    n_domains=7,
    remark=_REMARK,
    contamination="MATH's test solutions are public since 2021; 4,500 of its 5,000 test problems are in the training "
    "set of PRM800K (Lightman et al. 2023, arXiv:2305.20050), and so of models that were tuned on it",
    sources=(
        FolderFile(
            file="math_test.jsonl.gz",
            n_rows=5000,
            sha256="be21d0018a842f3a6f342bbe18786abb83f8ad4f086a11de0321922ca4322ca2",
        ),
        *_hub_copies("test", 5000),
        WebFile(
            url="https://raw.githubusercontent.com/microsoft/ToRA/213c1c995038c73fab10343814df7a42f990f026"
            "/src/data/math/test.jsonl",
            n_rows=5000,
            sha256="3371949f33dd702d04b43fddd7d53a028de0aaca0e76abb1b875a050297b3aa4",
            adapt=from_release,
        ),
    ),
)
