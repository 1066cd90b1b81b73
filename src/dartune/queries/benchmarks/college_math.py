"""CollegeMath (Tang et al. 2024, MathScale): problems from open college textbooks, seven topics.

A row of the release: {"question": "...", "answer": "$10-4 n$", "data_topic": "college_math.algebra", "license": "..."}.
Rows carry their own licences, 809 of them CC BY-NC-SA.
"""

from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, WebFile
from dartune.queries.hub import HubDataset
from dartune.queries.rows import Problem, RawRow


def from_release(raw: RawRow) -> Problem:
    """A row of the release; the domain is its topic without the prefix."""
    return Problem(
        text=raw["question"],
        ref_answer=raw["answer"],
        domain=str(raw["data_topic"]).removeprefix("college_math."),
    )


COLLEGE_MATH_TEST = Benchmark(
    name="college-math/test",
    description="CollegeMath, test problems; 809 rows are CC BY-NC-SA",
    n_rows=2818,
    n_domains=7,
    sources=(
        FolderFile(
            file="college_math_test.jsonl.gz",
            n_rows=2818,
            sha256="e1add30c40a2a3381e2df0811d15e8154421e23374b4f5d6f1edbefb69812524",
        ),
        HubCopy(datasets=(HubDataset(path="qq8933/College_Math_Test", split="test"),), n_rows=2818, adapt=from_release),
        WebFile(
            url="https://raw.githubusercontent.com/QwenLM/Qwen2.5-Math/a45202bd16f1ec06f433442dc1152d0074773465"
            "/evaluation/data/college_math/test.jsonl",
            n_rows=2818,
            sha256="91131bc4a355b884fc63ef7c4f048c35adb030004a4cb07b1475698f120aa4a6",
            adapt=from_release,
        ),
    ),
)
