"""What the adapters share: references as data sets write them, batches of grades, and a grade as a number."""

import atexit
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from dartune.errors import DataError
from dartune.grading import Case, Grader
from dartune.grading.batch import n_cores
from dartune.grading.case import grade_case
from dartune.grading.grader import find_judge
from dartune.queries.benchmarks.math import last_boxed
from dartune.queries.rows import as_text
from dartune.types import Grade

_MOST_WORKERS = 4
_graders: dict[int, Grader] = {}


def read_reference(reference: object) -> str:
    r"""The final answer of a reference, which may be a worked solution.

    It is what follows the last `####` (GSM8K), else what the last `\boxed{}` holds (MATH), else the whole text; a
    list (OlympiadBench) is joined by commas.

    Raises:
        DataError: Neither text nor a number nor a list of them, or nothing at all.
    """
    items = reference if isinstance(reference, list | tuple) else [reference]
    try:
        text = ", ".join(as_text(item) for item in items).strip()
    except ValueError as error:
        raise DataError(f"reference: {error}") from None
    _, mark, after = text.rpartition("####")
    answer = after.strip() if mark else (last_boxed(text) or text)
    if not answer:
        raise DataError("reference: expected the known answer, got nothing; drop such rows from the data set")
    return answer


def read_meta(row: Mapping[str, object], judge: str) -> dict[str, object]:
    """The fields of a row that a judge reads. Raises InputError if there is no such judge."""
    return {name: row[name] for name in find_judge(judge).reads if name in row}


def text_of(value: object) -> str | None:
    """A query, which is text or is not known."""
    return value if isinstance(value, str) else None


def grade_all(cases: Sequence[Case], *, judge: str) -> list[Grade]:
    """The grades of a batch, in order; comparisons that need symbolic algebra wait for it side by side.

    Raises:
        InputError: There is no such judge.
    """
    grade = partial(grade_case, _grader(), judge=judge)
    if len(cases) <= 1:
        return [grade(case) for case in cases]
    with ThreadPoolExecutor(min(_MOST_WORKERS, n_cores())) as threads:
        return list(threads.map(grade, cases))


def score(grade: Grade) -> float | None:
    """1.0 for a correct answer; None where the grader could not tell; 0.0 for all others."""
    if grade.verdict in ("ungradable", "timeout"):
        return None
    return float(grade.verdict == "correct")


def _grader() -> Grader:
    """The grader of this process: a fork must not share the pipes of its parent's workers."""
    pid = os.getpid()
    if pid not in _graders:
        _graders.setdefault(pid, Grader(n_workers=min(_MOST_WORKERS, n_cores())))
    return _graders[pid]


@atexit.register
def _close() -> None:
    grader = _graders.pop(os.getpid(), None)
    if grader is not None:
        grader.close()
