"""AIME 2024, both papers: thirty problems of the American Invitational, whose answers are whole numbers up to 999.

A row of the file: {"id": 60, "problem": "...", "solution": "...", "answer": "204", "url": "https://..."}.
"""

from dartune.queries.benchmarks.qwen_files import qwen_sources
from dartune.queries.benchmarks.record import Benchmark
from dartune.queries.rows import Problem, RawRow


def from_file(raw: RawRow) -> Problem:
    """A row of the file; the reference is without leading zeros ("025")."""
    answer = str(raw["answer"])
    return Problem(text=raw["problem"], ref_answer=answer.lstrip("0") or "0")


AIME_2024 = Benchmark(
    name="aime/2024",
    description="AIME 2024, papers I and II",
    n_rows=30,
    judged_by="math",
    contamination="problems and solutions are public since February 2024; for a model trained later they are not new",
    sources=qwen_sources(
        "aime24",
        n_rows=30,
        sha256="af2b8bd2aa911b6333ad0df32f3ca05c7ae8ed10f1731f4372c8ae26990bf7ac",
        adapt=from_file,
    ),
)
