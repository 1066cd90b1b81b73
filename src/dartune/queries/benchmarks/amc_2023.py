"""AMC 12 of 2023: the forty problems of papers A and B whose answer is a whole number, asked without the options.

A row of the file: {"id": 0, "problem": "...", "answer": 27.0, "url": "https://..."}.
"""

from dartune.queries.benchmarks.qwen_files import qwen_sources
from dartune.queries.benchmarks.record import Benchmark
from dartune.queries.rows import Problem, RawRow


def from_file(raw: RawRow) -> Problem:
    """A row of the file; the reference, which it writes as 27.0, is a whole number."""
    answer = raw["answer"]
    return Problem(
        text=raw["problem"],
        ref_answer=int(answer) if isinstance(answer, float) and answer.is_integer() else answer,
    )


AMC_2023 = Benchmark(
    name="amc/2023",
    description="AMC 12 of 2023, the forty problems with whole-number answers",
    n_rows=40,
    judged_by="math",
    contamination="problems and solutions are public since November 2023; for a model trained later they are not new",
    sources=qwen_sources(
        "amc23",
        n_rows=40,
        sha256="43707e1ca784602d8479de24ee8ce36609dbebc46dd152b0b12a46611aa898a4",
        adapt=from_file,
    ),
)
