"""Several grading processes, each with a thread that waits for it.

What holds: a chunk that is given ends with exactly one grade for each of its cases, in order, however often processes
die; a case is called `ungradable` for a death only where it was alone with two processes that died. Processes start
when there is work for them and are gone when `close` returns.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

from dartune.grading.case import Case
from dartune.grading.parallel.process import Closed, Died, GradingProcess
from dartune.grading.parallel.wire import WORKER_DEATH, Settings
from dartune.types import Grade

_N_DEATHS_ALONE = 2


class _Order(NamedTuple):
    """A chunk and who waits for its grades."""

    cases: Sequence[Case]
    done: Future[list[Grade]]


class Crew:
    """Up to `n_workers` processes for chunks of cases. `settings` name a judge that exists."""

    def __init__(self, settings: Settings, n_workers: int) -> None:
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._processes = [GradingProcess(settings) for _ in range(n_workers)]
        for process in self._processes:
            # Daemons: a program that ends with chunks under way must not wait for them.
            threading.Thread(target=self._serve, args=(process,), daemon=True).start()

    @property
    def pids(self) -> list[int]:
        """Process ids of the processes that are alive."""
        return [pid for process in self._processes if (pid := process.pid) is not None]

    def submit(self, cases: Sequence[Case]) -> Future[list[Grade]]:
        """Grades of `cases`, to come; fails with DataError or DartuneError as `GradingProcess.ask` does."""
        done: Future[list[Grade]] = Future()
        self._orders.put(_Order(cases, done))
        return done

    def close(self) -> None:
        """End all processes; chunks under way are given up."""
        for process in self._processes:
            process.request_end()
        for process in self._processes:
            process.close()
            self._orders.put(None)

    def _serve(self, process: GradingProcess) -> None:
        while (order := self._orders.get()) is not None:
            try:
                grades = grade_all(process, order.cases)
            except Exception as error:  # whatever it is, it belongs to who asked, in another thread
                order.done.set_exception(error)
                if isinstance(error, Closed):
                    return
            else:
                order.done.set_result(grades)
        try:
            process.release()
        except Closed:
            return


def grade_all(process: GradingProcess, cases: Sequence[Case]) -> list[Grade]:
    """The grades of `cases`, whoever of them kills the process: halves are tried apart, down to the case alone."""
    if len(cases) > 1:
        try:
            return process.ask(cases)
        except Died:
            half = len(cases) // 2
            return grade_all(process, cases[:half]) + grade_all(process, cases[half:])
    for _ in range(_N_DEATHS_ALONE):
        try:
            return process.ask(cases)
        except Died:
            continue
    return [Grade(verdict="ungradable", answer=None, rule=WORKER_DEATH)]
