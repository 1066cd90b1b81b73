"""Keeps an engine full: asks what the ledger says, grades, stores, counts.

Invariants:
- every key that the ledger issues ends as exactly one sample or recorded failure in the pool, unless the run is
  interrupted first: then it is in neither, and a later run issues it again;
- samples reach the pool in the order in which the ledger counted them, so what a crash leaves on the disk is a state
  that the ledger was in. That is why a place may be freed before its sample is synced: waiting for the disk would idle
  the engine and make nothing safer, since a lost sample is asked again with the same key and seed;
- the dispatcher decides nothing: which key, the ledger; which verdict, the grader.
"""

import asyncio
import contextlib
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from dartune.engines.base import Engine
from dartune.errors import DartuneError, EngineDown, EngineError
from dartune.pool import PoolWriter
from dartune.sampling.budget import Budget
from dartune.sampling.ledger import Ledger
from dartune.sampling.progress import Meter, Progress
from dartune.types import Grade, Key, Request, Response, Sample, Spending

FLUSH_EVERY_S = 2.0
"""Most seconds of finished work that a crash can cost."""
REPORT_EVERY_S = 1.0
"""Least seconds between two reports; with very many queries, where a report takes long, there are more."""
MOST_REPORTING = 0.02
"""Share of the time that reports may take."""


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """One continuous run of a ledger through an engine into a pool."""

    ledger: Ledger
    engine: Engine
    ask: Callable[[Key], Request]
    grade: Callable[[Key, Response], Awaitable[Grade]]
    pool: PoolWriter
    meter: Meter
    watch: Callable[[Progress], None] | None = None
    budget: Budget | None = None
    started_s: float
    """When the run began, by `clock`."""
    clock: Callable[[], float] = time.monotonic
    is_interrupted: bool = field(default=False, init=False)
    is_spent: bool = field(default=False, init=False)
    """Whether the budget kept the run from asking more."""
    _ended: deque[Sample | BaseException] = field(default_factory=deque, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _running: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Sample until the ledger has nothing left to ask, or Ctrl-C.

        After Ctrl-C everything graded is durable and `is_interrupted` is set. Raises EngineDown if the engine gives
        up, WriteError if the disk does; what was durable stays so.
        """
        last_flush = self.clock()
        next_report = last_flush + REPORT_EVERY_S
        with self._interruptible():
            try:
                while self._fill_places() and not self.is_interrupted:
                    await self._outcome()
                    self._settle()
                    now = self.clock()
                    if now - last_flush >= FLUSH_EVERY_S:
                        self.pool.flush()
                        last_flush = self.clock()
                    if now >= next_report:
                        self._report()
                        next_report = now + max(REPORT_EVERY_S, (self.clock() - now) / MOST_REPORTING)
            finally:
                await self._abandon()
                self._settle_quietly()
                self.pool.flush()
        self._report()

    async def _outcome(self) -> None:
        """Wait until something has ended, or it is time to write."""
        # Several times as fast as asyncio.timeout, which counts at thousands of samples a second.
        alarm = asyncio.get_running_loop().call_later(FLUSH_EVERY_S, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            alarm.cancel()

    def _fill_places(self) -> bool:
        """Give every free place to a key; whether anything is in flight now."""
        while len(self._running) < self.engine.n_places and self._fits() and (key := self.ledger.next()) is not None:
            self._running.add(asyncio.create_task(self._answer(key)))
        return bool(self._running or self._ended)

    def _fits(self) -> bool:
        """Whether the budget allows one more request."""
        if self.budget is None:
            return True
        fits = self.budget.allows(
            self._spent(), n_samples=self.meter.n_samples, n_in_flight=len(self._running) + len(self._ended)
        )
        self.is_spent = not fits
        return fits

    def _spent(self) -> Spending:
        """By this call."""
        meter = self.meter
        return Spending(
            n_prompt_tokens=meter.n_prompt_tokens, n_tokens=meter.n_tokens, seconds=self.clock() - self.started_s
        )

    async def _answer(self, key: Key) -> None:
        """Carry one key from request to sample."""
        try:
            request = self.ask(key)
            response = await self._generate(request)
            grade = await self.grade(key, response)
        except EngineError as error:
            self._end(Sample(key=key, seed=request.seed, response=None, grade=None, failure=error.cause))
        except Exception as error:  # a task that died in silence would keep its place for ever
            self._end(error)
        else:
            self._end(Sample(key=key, seed=request.seed, response=response, grade=grade))

    async def _generate(self, request: Request) -> Response:
        """The engine's answer. The boundary for whatever an engine may raise."""
        try:
            return await self.engine.generate(request)
        except DartuneError:
            raise
        except Exception as error:
            raise EngineDown(f"{type(self.engine).__name__} raised {type(error).__name__}: {error}") from error

    def _end(self, outcome: Sample | BaseException) -> None:
        # The place is free before the run wakes up: a done callback of the task would come too late for that.
        if (task := asyncio.current_task()) is not None:
            self._running.discard(task)
        self._ended.append(outcome)
        self._wake.set()

    def _settle(self) -> None:
        """Store and count what has ended; raise what an engine raised."""
        self._wake.clear()
        while self._ended:
            outcome = self._ended.popleft()
            if isinstance(outcome, BaseException):
                raise outcome
            self.pool.append(outcome)
            is_correct = None if outcome.failure is not None else outcome.is_correct
            n_tokens = 0 if outcome.response is None else outcome.response.n_tokens
            self.ledger.record(outcome.key, is_correct=is_correct, n_tokens=n_tokens)
            self.meter.count(outcome)

    def _settle_quietly(self) -> None:
        """Keep the samples that ended while the run was being stopped for another reason."""
        self._ended = deque(outcome for outcome in self._ended if isinstance(outcome, Sample))
        self._settle()

    async def _abandon(self) -> None:
        """Cancel what is in flight and wait until every place is free."""
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Turn Ctrl-C and SIGTERM into a clean stop while the block runs; a second Ctrl-C interrupts at once."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)

        def stop() -> None:
            self.is_interrupted = True
            self._wake.set()
            for number in signals:
                loop.remove_signal_handler(number)

        try:
            for number in signals:
                loop.add_signal_handler(number, stop)
        except (ValueError, RuntimeError):  # not in the main thread: the caller's own handlers stay
            yield
            return
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def _report(self) -> None:
        if self.watch is None:
            return
        totals = self.ledger.totals()
        self.watch(
            Progress(
                elapsed_s=self.clock() - self.started_s,
                n_samples=self.meter.n_samples,
                n_correct=self.meter.n_correct,
                n_failures=self.meter.n_failures,
                n_tokens=self.meter.n_tokens,
                cost=self.meter.cost,
                n_durable=self.pool.n_durable,
                n_in_flight=totals.n_in_flight,
                expected_tries=totals.expected_tries,
                fill=self.meter.fill(),
                budget_left=None if self.budget is None else self.budget.left(self._spent()),
            )
        )
