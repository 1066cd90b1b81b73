"""Many responses at once, on all cores.

    from dartune.grading.batch import Case, grade_many

    for grade in grade_many(Case(ref_answer=row["answer"], response=row["text"]) for row in rows):
        ...

Grades come in the order of the cases, and cases are taken as they are needed: memory does not grow with their number.
It works with no set-up in scripts, notebooks and threads, and needs no `if __name__ == "__main__"`.
"""

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing

from dartune.errors import ConfigError
from dartune.grading.case import Case, grade_case
from dartune.grading.grader import Grader, find_judge
from dartune.grading.parallel.crew import Crew
from dartune.grading.parallel.wire import Settings
from dartune.types import Grade

__all__ = ["Case", "grade_many", "n_cores"]

_CHUNK_CASES = 128
_CHUNK_CHARS = 1 << 20
_CHUNKS_PER_WORKER = 4
"""So many chunks are under way for each worker: while one is slow, the others have work."""


def grade_many(
    cases: Iterable[Case],
    *,
    n_workers: int | None = None,
    judge: str = "default",
    lenient: bool = False,
    timeout_s: float = 2.0,
    memory_mb: int = 512,
) -> Generator[Grade, None, None]:
    """The grade of every case, in order, by one process for each core.

    Closing or dropping the iterator ends the processes, as does the end of this process, however it comes. A process
    that dies is replaced and its cases are graded again; a case that is alone with two processes that die is
    `ungradable` by the rule `worker_death`.

    Args:
        cases: Taken as grades are asked for, up to some hundred for each worker ahead.
        n_workers: Processes; None for one for each core, 1 for none: this very process then grades.
        judge: Whose rules decide: "default", or the name of a benchmark.
        lenient: Whether the last number of a response without any answer marker counts as its answer.
        timeout_s: CPU seconds that one comparison may take in symbolic algebra.
        memory_mb: Megabytes that one comparison may take there.

    Raises:
        InputError: If there is no such judge, or not at least one worker.
        DataError: While iterating, if `meta` holds what JSON has not.
        DartuneError: While iterating, if the system starts no processes.
    """
    find_judge(judge)
    n = n_cores() if n_workers is None else n_workers
    if n < 1:
        raise ConfigError(f"n_workers: expected a whole number from 1, got {n}")
    settings = Settings(judge=judge, lenient=lenient, timeout_s=timeout_s, memory_mb=memory_mb)
    return _grade_here(cases, settings) if n == 1 else _grade_apart(cases, settings, n)


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _grade_here(cases: Iterable[Case], settings: Settings) -> Generator[Grade, None, None]:
    with Grader(lenient=settings.lenient, timeout_s=settings.timeout_s, memory_mb=settings.memory_mb) as grader:
        for case in cases:
            yield grade_case(grader, case, judge=settings.judge)


def _grade_apart(cases: Iterable[Case], settings: Settings, n_workers: int) -> Generator[Grade, None, None]:
    pending: deque[Future[list[Grade]]] = deque()
    with closing(Crew(settings, n_workers)) as crew:
        for chunk in _chunks(cases):
            pending.append(crew.submit(chunk))
            while pending and (pending[0].done() or len(pending) >= n_workers * _CHUNKS_PER_WORKER):
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _chunks(cases: Iterable[Case]) -> Iterator[list[Case]]:
    chunk: list[Case] = []
    n_chars = 0
    for case in cases:
        chunk.append(case)
        n_chars += len(case.response)
        if len(chunk) == _CHUNK_CASES or n_chars >= _CHUNK_CHARS:
            yield chunk
            chunk, n_chars = [], 0
    if chunk:
        yield chunk
