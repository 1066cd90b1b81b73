"""From a response to its grade: extract, compare, and ask a worker about what is left.

The grader is total: any text gets a grade. Its verdicts are never guesses about its own failures: what a worker could
not finish is `timeout`, what could not be understood is `ungradable`.
"""

import asyncio
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import NamedTuple, Self

from dartune.grading.choices import Sides, resolve
from dartune.grading.compare import Pair, compare
from dartune.grading.extract import extract
from dartune.grading.workers import Reply, WorkerPool
from dartune.types import FinishReason, Grade, Verdict

_VERDICTS: dict[Reply, Verdict] = {
    "equal": "correct",
    "unequal": "incorrect",
    "unknown_answer": "incorrect",
    "unknown_reference": "ungradable",
    "too_big": "ungradable",
    "failed": "ungradable",
    "timeout": "timeout",
}


class _Open(NamedTuple):
    """A grade that waits for a worker."""

    answer: str
    rule: str
    pair: Pair


class Grader:
    """Grades responses; safe to share between threads. Close it, or use it as a context manager.

    Args:
        n_workers: Processes for symbolic algebra; they start when first needed, about 150 MB and half a second each.
        timeout_s: CPU seconds that one comparison may take in a worker.
        memory_mb: Megabytes that one comparison may take in a worker, above what the libraries need.
        lenient: Whether the last number of a response without any answer marker counts as its answer.
        memo_size: How many symbolic comparisons are remembered; the least recently used are forgotten.
    """

    def __init__(
        self,
        *,
        n_workers: int = 1,
        timeout_s: float = 2.0,
        memory_mb: int = 512,
        lenient: bool = False,
        memo_size: int = 65_536,
    ) -> None:
        self._pool = WorkerPool(n_workers, timeout_s=timeout_s, memory_mb=memory_mb)
        self._lenient = lenient
        self._memo = _Memo(memo_size)
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="dartune-grader")

    def grade(
        self, *, ref_answer: str, response: str, query: str | None = None, finish_reason: FinishReason = "stop"
    ) -> Grade:
        """Grade one response. Waits for a worker where the comparison needs symbolic algebra.

        With the `query`, the letter of an option that it offers and the option's value count as the same answer.
        """
        state = self._begin(ref_answer, response, query, finish_reason)
        return state if isinstance(state, Grade) else self._finish(state, self._judge(state.pair))

    async def grade_async(
        self, *, ref_answer: str, response: str, query: str | None = None, finish_reason: FinishReason = "stop"
    ) -> Grade:
        """The same as `grade`, without blocking the event loop while a worker is busy."""
        state = self._begin(ref_answer, response, query, finish_reason)
        if isinstance(state, Grade):
            return state
        known = self._memo.get(state.pair)
        if known is not None:
            return self._finish(state, known)
        loop = asyncio.get_running_loop()
        return self._finish(state, await loop.run_in_executor(self._threads, self._judge, state.pair))

    def grade_answer(self, *, ref_answer: str, answer: str) -> Grade:
        """Grade a final answer that is given as such, without looking for it in a response."""
        state = _compare(ref_answer, answer, "given")
        return state if isinstance(state, Grade) else self._finish(state, self._judge(state.pair))

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that are alive."""
        return self._pool.pids

    def close(self) -> None:
        """End the workers."""
        self._pool.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, ref_answer: str, response: str, query: str | None, finish_reason: FinishReason) -> Grade | _Open:
        extraction = extract(response, finish_reason=finish_reason, lenient=self._lenient)
        if extraction.answer is None:
            return Grade(verdict=extraction.missing or "no_answer", answer=None, rule=extraction.rule)
        sides = Sides(ref_answer, extraction.answer)
        if query is not None:
            sides = resolve(query, *sides)
        state = _compare(*sides, extraction.rule)
        return replace(state, answer=extraction.answer) if isinstance(state, Grade) else state

    def _judge(self, pair: Pair) -> Reply:
        reply = self._memo.get(pair)
        if reply is None:
            reply = self._pool.judge(pair)
            if reply != "failed":  # a death may be an accident of the machine: it is not remembered
                self._memo.put(pair, reply)
        return reply

    def _finish(self, state: _Open, reply: Reply) -> Grade:
        return Grade(verdict=_VERDICTS[reply], answer=state.answer, rule=f"{state.rule}/symbolic")


class _Memo:
    """Replies of workers by what was asked; bounded, the least recently used go first; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._replies: OrderedDict[Pair, Reply] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, pair: Pair) -> Reply | None:
        with self._lock:
            reply = self._replies.get(pair)
            if reply is not None:
                self._replies.move_to_end(pair)
            return reply

    def put(self, pair: Pair, reply: Reply) -> None:
        with self._lock:
            self._replies[pair] = reply
            while len(self._replies) > self._size:
                self._replies.popitem(last=False)


def _compare(ref_answer: str, answer: str, rule: str) -> Grade | _Open:
    decision = compare(ref_answer, answer)
    if decision.pair is not None:
        return _Open(answer, rule, decision.pair)
    verdict: Verdict = "ungradable" if decision.equal is None else "correct" if decision.equal else "incorrect"
    return Grade(verdict=verdict, answer=answer, rule=f"{rule}/{decision.rule}")
