"""From a response to its grade: extract, compare, and ask a worker about what is left.

The grader is total: any text gets a grade. Its verdicts are never guesses about its own failures: what a worker could
not finish is `timeout`, what could not be understood is `ungradable`.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Generic, NamedTuple, Self, TypeVar

from dartune.errors import InputError
from dartune.grading.comparison.decision import Decision, Pair, Task
from dartune.grading.extraction.extract import extract
from dartune.grading.judges import JUDGES, Judge
from dartune.grading.symbolic.pool import Reply, WorkerPool
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


K = TypeVar("K")
V = TypeVar("V")

NOTHING: Final[Mapping[str, object]] = {}


class _Open(NamedTuple):
    """A comparison that waits for a worker."""

    rule: str
    pair: Pair


class _Outcome(NamedTuple):
    """What comparing two answers came to."""

    verdict: Verdict
    rule: str


class _Key(NamedTuple):
    """All that an outcome depends on."""

    judge: str
    ref_answer: str
    answer: str
    query: str | None
    meta: str


class Grader:
    """Grades responses; safe to share between threads. Close it, or use it as a context manager.

    Args:
        n_workers: Processes for symbolic algebra; they start when first needed, about 150 MB and half a second each.
        timeout_s: CPU seconds that one comparison may take in a worker.
        memory_mb: Megabytes that one comparison may take in a worker, above what the libraries need.
        lenient: Whether the last number of a response without any answer marker counts as its answer.
        memo_size: How many comparisons are remembered; the least recently used are forgotten.
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
        self._outcomes: _Memo[_Key, _Outcome] = _Memo(memo_size)
        self._replies: _Memo[Pair, Reply] = _Memo(memo_size)
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="dartune-grader")

    def grade(
        self,
        *,
        ref_answer: str,
        response: str,
        query: str | None = None,
        finish_reason: FinishReason = "stop",
        judge: str = "default",
        meta: Mapping[str, object] = NOTHING,
    ) -> Grade:
        """Grade one response. Waits for a worker where the comparison needs symbolic algebra.

        With the `query`, the letter of an option that it offers and the option's value count as the same answer.
        `judge` is the name of one of `JUDGES`; `meta` holds the fields of the query's row that it reads.

        Raises:
            InputError: If there is no such judge.
        """
        decides = find_judge(judge)
        found = extract(response, finish_reason=finish_reason, lenient=self._lenient)
        if found.answer is None:
            return Grade(verdict=found.missing or "no_answer", answer=None, rule=found.rule)
        task = Task(ref_answer=ref_answer, answer=found.answer, query=query, meta=meta)
        return _grade(found.answer, found.rule, self._compare(task, decides))

    async def grade_async(
        self,
        *,
        ref_answer: str,
        response: str,
        query: str | None = None,
        finish_reason: FinishReason = "stop",
        judge: str = "default",
        meta: Mapping[str, object] = NOTHING,
    ) -> Grade:
        """The same as `grade`, without blocking the event loop while a worker is busy."""
        decides = find_judge(judge)
        found = extract(response, finish_reason=finish_reason, lenient=self._lenient)
        if found.answer is None:
            return Grade(verdict=found.missing or "no_answer", answer=None, rule=found.rule)
        task = Task(ref_answer=ref_answer, answer=found.answer, query=query, meta=meta)
        key = _key(task, decides)
        state = self._begin(task, decides, key)
        if isinstance(state, _Open):
            loop = asyncio.get_running_loop()
            state = await loop.run_in_executor(self._threads, self._finish, key, state)
        return _grade(found.answer, found.rule, state)

    def grade_answer(
        self,
        *,
        ref_answer: str,
        answer: str,
        query: str | None = None,
        judge: str = "default",
        meta: Mapping[str, object] = NOTHING,
    ) -> Grade:
        """Grade a final answer that is given as such, without looking for it in a response."""
        task = Task(ref_answer=ref_answer, answer=answer, query=query, meta=meta)
        return _grade(answer, "given", self._compare(task, find_judge(judge)))

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

    def _compare(self, task: Task, judge: Judge) -> _Outcome:
        key = _key(task, judge)
        state = self._begin(task, judge, key)
        return self._finish(key, state) if isinstance(state, _Open) else state

    def _begin(self, task: Task, judge: Judge, key: _Key) -> _Outcome | _Open:
        known = self._outcomes.get(key)
        if known is not None:
            return known
        try:
            decision = judge.decide(task)
        except Exception:  # a fault of ours over hostile text must neither end a run nor be a verdict
            decision = Decision(None, "fault")
        if decision.pair is not None:
            return _Open(decision.rule, decision.pair)
        outcome = _Outcome(_said(decision.equal), decision.rule)
        self._outcomes.put(key, outcome)
        return outcome

    def _finish(self, key: _Key, state: _Open) -> _Outcome:
        reply = self._replies.get(state.pair) or self._pool.judge(state.pair)
        outcome = _Outcome(_VERDICTS[reply], state.rule)
        if reply != "failed":  # a death may be an accident of the machine: it is not remembered
            self._replies.put(state.pair, reply)
            self._outcomes.put(key, outcome)
        return outcome


def find_judge(name: str) -> Judge:
    """The judge of that name; raises InputError where there is none."""
    judge = JUDGES.get(name)
    if judge is None:
        raise InputError(f"judge {name!r}: expected one of {', '.join(sorted(JUDGES))}")
    return judge


class _Memo(Generic[K, V]):
    """What is known by what it depends on; bounded, the least recently used go first; safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._known.get(key)
            if value is not None:
                self._known.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._known[key] = value
            while len(self._known) > self._size:
                self._known.popitem(last=False)


def _key(task: Task, judge: Judge) -> _Key:
    meta = repr([task.meta.get(name) for name in judge.reads]) if judge.reads else ""
    return _Key(judge.name, task.ref_answer, task.answer, task.query, meta)


def _said(equal: bool | None) -> Verdict:
    return "ungradable" if equal is None else "correct" if equal else "incorrect"


def _grade(answer: str, rule: str, outcome: _Outcome) -> Grade:
    return Grade(verdict=outcome.verdict, answer=answer, rule=f"{rule}/{outcome.rule}")
