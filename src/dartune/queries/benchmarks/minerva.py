r"""Minerva's OCWCourses (Lewkowycz et al. 2022): problems of nine courses of MIT OpenCourseWare.

A row of the file: {"problem": "...", "solution": "... \boxed{1.6} ...", "type": "Introduction to Astronomy ...", ...}.
The reference is what the last box holds, often a rounded number such as 4.5e33: the judge of MATH rounds nothing,
and is stricter than the authors', who leave numbers some room.
"""

from dartune.queries.benchmarks.math import last_boxed
from dartune.queries.benchmarks.qwen_files import qwen_sources
from dartune.queries.benchmarks.record import Benchmark
from dartune.queries.rows import Problem, RawRow


def from_file(raw: RawRow) -> Problem:
    """A row of the file; the domain is its course."""
    return Problem(text=raw["problem"], ref_answer=last_boxed(str(raw["solution"])), domain=raw["type"])


MINERVA = Benchmark(
    name="minerva",
    description="OCWCourses of Minerva, problems of nine courses of MIT",
    n_rows=272,
    n_domains=9,
    judged_by="math",
    contamination="the courses and their solutions are public, some since 2005",
    sources=qwen_sources(
        "minerva_math",
        n_rows=272,
        sha256="0e656b430d3a0a1dab6aa853f453ba3805e28e2cabe4fc72486a897cc09d8ba2",
        adapt=from_file,
    ),
)
