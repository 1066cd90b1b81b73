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

QUERY_FIELDS = ("query", "question", "Question", "problem")
"""Fields of a row that may hold the problem, the first that is there."""

_MOST_WORKERS = 4
_graders: dict[int, Grader] = {}


def read_reference(reference: object) -> str:
    r"""The final answer of a reference, which may be a worked solution.

    It is what follows the last `####` (GSM8K), else what the last `\boxed{}` holds (MATH), else the whole text; a
    list (OlympiadBench: one problem, several answers) is joined by commas. Arrays and numbers of numpy, as tables are
    read, are lists and numbers.

    Raises:
        DataError: Neither text nor a number nor a list of them, or nothing at all.
    """
    plain = reference.tolist() if hasattr(reference, "tolist") else reference
    answers = [_final(item) for item in plain] if isinstance(plain, list | tuple) else [_final(plain)]
    if not all(answers) or not answers:
        raise DataError("reference: expected the known answer, got nothing; drop such rows from the data set")
    return ", ".join(answers)


def read_meta(row: Mapping[str, object], judge: str) -> dict[str, object]:
    """The fields of a row that a judge reads. Raises InputError if there is no such judge."""
    return {name: row[name] for name in find_judge(judge).reads if name in row}


def read_query(row: Mapping[str, object]) -> str | None:
    """The problem of a row, by `QUERY_FIELDS`; None where it has none."""
    return next((value for name in QUERY_FIELDS if isinstance(value := row.get(name), str)), None)


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


def _final(item: object) -> str:
    try:
        text = as_text(item).strip()
    except ValueError as error:
        raise DataError(f"reference: {error}") from None
    _, mark, after = text.rpartition("####")
    return after.strip() if mark else (last_boxed(text) or text)


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
