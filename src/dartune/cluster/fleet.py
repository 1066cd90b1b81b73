"""Replicas that are kept alive, and requests that outlive them.

Every slot of the fleet holds one replica at a time: launched, started, served, and replaced when it is lost.
Invariants: a request that is asked ends exactly once, with an answer, an error, or its cancellation; whatever ends a
replica's life, its host is killed before another takes its place. The fleet lives in one event loop, and ends with it.
"""

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Literal, NamedTuple, TypeVar

from dartune.cluster.host import Delivery, Ready
from dartune.cluster.replica import Handle, Lost, Replica
from dartune.cluster.router import Router
from dartune.errors import ConfigError, DartuneError, EngineDown, EngineError, InputError

Q = TypeVar("Q")
A = TypeVar("A")

REPLICA_DIED = "replica_died"
"""Cause of a failure where every replica that a request was given to was lost."""

log = logging.getLogger("dartune.cluster")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When a fleet gives up."""

    placing_s: float = 60.0
    """How long the start may take until one replica has its resources."""
    outage_s: float = 600.0
    """How long there may be no replica at all, later."""
    n_lives: int = 5
    """Lives without a single answer, one after the other, until a slot is given up."""
    pause_s: float = 1.0
    """Pause after the first such life; it doubles."""
    silence_s: float = 300.0
    """How long a replica may give no sign of life: its process hangs, or something in it blocks the event loop."""
    closing_s: float = 30.0
    """How long replicas may take to release what they hold."""


PATIENT = Patience()
"""What a run takes, which may last a week."""


@dataclass(slots=True, kw_only=True)
class FleetStats:
    """What a fleet has gone through."""

    n_lost: int = 0
    """Replicas that were lost."""
    n_replaced: int = 0
    """Replicas that took the place of a lost one."""
    n_asked_again: int = 0
    """Times that a request had to be given to another replica, since the one that had it was lost."""
    longest_gap_s: float = 0.0
    """Longest time from the loss of a replica until another was in its place."""


class _Open(NamedTuple, Generic[Q, A]):
    request: Q
    future: asyncio.Future[A]


class _End(NamedTuple):
    """How the life of a replica ended."""

    why: DartuneError | Lost
    came_to: Literal["nothing", "place", "answers"]
    """A replica that came to nothing was on a node that went, or is not up yet: that says nothing about replicas."""


class Fleet(Generic[Q, A]):
    """`n_replicas` replicas that answer requests.

    Args:
        launch: Begins to make a replica.
        n_replicas: How many there are to be.
        max_attempts: Replicas that one request is given to before it fails with `REPLICA_DIED`.
        no_place: The error that says what the cluster lacks, for when no replica gets its resources.
        patience: When to give up.
        sleep: Waits between two lives.
    """

    def __init__(
        self,
        launch: Callable[[], Handle[Q, A]],
        *,
        n_replicas: int,
        max_attempts: int,
        no_place: Callable[[], DartuneError],
        patience: Patience = PATIENT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._launch = launch
        self._n_replicas = n_replicas
        self._max_attempts = max_attempts
        self._no_place = no_place
        self._patience = patience
        self._sleep = sleep
        self._router = Router(max_attempts)
        self._open: dict[int, _Open[Q, A]] = {}
        self._up: dict[int, Replica[Q, A]] = {}
        self._numbers, self._names = itertools.count(), itertools.count()
        self._slots: set[asyncio.Task[None]] = set()
        self._is_placed = asyncio.Event()
        self._is_decided = asyncio.Event()
        self._down: DartuneError | None = None
        self._outage: asyncio.TimerHandle | None = None
        self._lost_at_s: deque[float] = deque()
        self.identity: str | None = None
        """What all replicas say of themselves; None before one has started."""
        self.stats = FleetStats()

    @property
    def n_places(self) -> int:
        """Requests that the replicas that are up take together; 1 while there is none, so that somebody waits."""
        return max(1, self._router.n_places)

    async def start(self) -> None:
        """Launch all replicas and wait for the first: the others join when they are ready.

        Raises the InputError of a replica that cannot be had, EngineDown where none can be started, and what
        `no_place` says where none gets its resources.
        """
        self._slots = {asyncio.create_task(self._keep()) for _ in range(self._n_replicas)}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.placing_s):
                await self._is_placed.wait()
        if not self._is_placed.is_set():
            self._give_up(self._no_place())
        await self._is_decided.wait()
        if self._down is not None:
            raise self._down

    async def ask(self, request: Q) -> A:
        """The answer to `request`, by whichever replica.

        Raises what the replica's service raised, EngineError with the cause `REPLICA_DIED`, or EngineDown.
        """
        if self._down is not None:
            raise EngineDown(str(self._down))
        number = next(self._numbers)
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._open[number] = _Open(request, future)
        self._router.submit(number)
        self._assign()
        try:
            return await future
        finally:
            if number in self._open:
                self._abandon(number)
                self._assign()

    async def aclose(self) -> None:
        """Let the replicas release what they hold, and end them; requests in flight fail with EngineDown."""
        self._give_up(EngineDown("the engine is closed"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.closing_s):
                await asyncio.gather(*(replica.close() for replica in self._up.values()), return_exceptions=True)
        for slot in self._slots:
            slot.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)

    # A slot: one replica after the other.

    async def _keep(self) -> None:
        """Keep one replica alive, for as long as that makes sense."""
        n_idle = 0
        while True:
            why, came_to = await self._live()
            if self._down is not None:
                return
            n_idle = {"nothing": n_idle, "place": n_idle + 1, "answers": 0}[came_to]
            # What a service says before any has ever started, it will say again.
            is_hopeless = self.identity is None and not isinstance(why, Lost)
            if is_hopeless or n_idle == self._patience.n_lives:
                self._leave(why)
                return
            log.warning("a replica is replaced: %s", why)
            if came_to != "answers":
                await self._sleep(self._patience.pause_s * 2 ** max(0, n_idle - 1))

    async def _live(self) -> _End:
        """The life of one replica."""
        handle = self._launch()
        is_placed = False
        try:
            refusal = await handle.placed()
            is_placed = True
            if refusal is not None:
                return _End(refusal, "place")
            self._is_placed.set()
            ready = await handle.start()
            if isinstance(ready, DartuneError):
                return _End(ready, "place")
            stranger = self._compare(ready)
            return _End(stranger, "place") if stranger else await self._serve(Replica(handle), ready.n_places)
        except Lost as error:
            return _End(error, "place" if is_placed else "nothing")
        finally:
            handle.kill()

    def _compare(self, ready: Ready) -> DartuneError | None:
        """The error if a replica is not the same as those before it."""
        self.identity = self.identity or ready.identity
        if ready.identity == self.identity:
            return None
        return ConfigError(
            f"the cluster's nodes have different models: {self.identity} and {ready.identity}; "
            "put the same files on every node"
        )

    async def _serve(self, replica: Replica[Q, A], n_places: int) -> _End:
        name = next(self._names)
        self._join(name, replica, n_places)
        try:
            await replica.serve(partial(self._settle, name), silence_s=self._patience.silence_s)
        except Lost as error:
            return _End(error, "answers" if replica.has_answered else "place")
        finally:
            self._part(name)

    def _join(self, name: int, replica: Replica[Q, A], n_places: int) -> None:
        self._up[name] = replica
        self._router.join(name, n_places)
        if self._outage is not None:
            self._outage.cancel()
        if self._lost_at_s:
            self.stats.n_replaced += 1
            gap_s = time.monotonic() - self._lost_at_s.popleft()
            self.stats.longest_gap_s = max(self.stats.longest_gap_s, gap_s)
        self._is_decided.set()
        self._assign()

    def _part(self, name: int) -> None:
        del self._up[name]
        again, over = self._router.leave(name)
        if self._down is not None:
            return
        self._lost_at_s.append(time.monotonic())
        self.stats.n_lost += 1
        self.stats.n_asked_again += len(again)
        for number in over:
            self._end(number, EngineError(REPLICA_DIED, f"{self._max_attempts} replicas that were given it are lost"))
        if not self._up:
            why = EngineDown(f"no replica was up for {self._patience.outage_s:g} s")
            loop = asyncio.get_running_loop()
            self._outage = loop.call_later(self._patience.outage_s, self._give_up, why)
        self._assign()

    def _leave(self, why: DartuneError | Lost) -> None:
        """Give a slot up; the whole fleet, where it was the last one or the fault is the user's."""
        task = asyncio.current_task()
        assert task is not None
        self._slots.discard(task)
        error = EngineDown(f"replicas cannot be kept alive: {why}") if isinstance(why, Lost) else why
        if not self._slots or (self.identity is None and isinstance(error, InputError)):
            self._is_placed.set()
            self._give_up(error)
        else:
            log.warning("a replica is given up: %s", why)

    # Requests.

    def _assign(self) -> None:
        for number, name in self._router.assign():
            self._up[name].post(number, self._open[number].request)

    def _settle(self, name: int, delivery: Delivery[A]) -> None:
        self._router.resize(name, delivery.n_places)
        for number, outcome in delivery.ended:
            if number in self._open:
                self._router.end(number)
                self._end(number, outcome)
        self._assign()

    def _end(self, number: int, outcome: A | DartuneError) -> None:
        future = self._open.pop(number).future
        if future.done():
            return
        if isinstance(outcome, DartuneError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _abandon(self, number: int) -> None:
        """Forget a request that nobody waits for, and have its replica forget it."""
        del self._open[number]
        name = self._router.end(number)
        if name is not None:
            self._up[name].drop(number)

    def _give_up(self, why: DartuneError) -> None:
        """Answer nothing more."""
        if self._down is not None:
            return
        self._down = why
        self._is_decided.set()
        if self._outage is not None:
            self._outage.cancel()
        for number in list(self._open):
            future = self._open[number].future
            self._abandon(number)
            if not future.done():
                future.set_exception(EngineDown(str(why)))
