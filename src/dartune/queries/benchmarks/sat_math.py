"""SAT mathematics (Azerbayev et al. 2023, Llemma): 32 multiple-choice problems of May 2023.

A row of the file: {"id": "0", "question": "...", "options": "A) $f(-6)=0$ B) $f(6)=-6$ ...", "Answer": "A"}.
"""

from dartune.queries.benchmarks.qwen_files import qwen_sources
from dartune.queries.benchmarks.record import Benchmark
from dartune.queries.rows import Problem, RawRow


def from_file(raw: RawRow) -> Problem:
    """A row of the file; the options follow the question, so that a letter and its value are one answer."""
    return Problem(text=f"{raw['question']}\n{raw['options']}", ref_answer=raw["Answer"])


SAT_MATH = Benchmark(
    name="sat-math",
    description="SAT mathematics of May 2023, multiple choice",
    n_rows=32,
    judged_by="math",
    sources=qwen_sources(
        "sat_math",
        n_rows=32,
        sha256="96720a1dc496ea72f80db55250290cf9c48e95b657ac2183b7deb1dc4627351f",
        adapt=from_file,
    ),
)
