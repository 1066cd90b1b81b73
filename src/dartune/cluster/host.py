"""The inside of an actor: a service, a mailbox in front of it, and what is under way.

Requests come and answers go in parcels of whatever has gathered: a call of Ray's for each request would be what limits
a run, at 1,000 calls a second. Invariants: a request that was taken and not dropped is given back exactly once; nothing
that a service raises leaves this module as an exception.
"""

import asyncio
import contextlib
import os
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from dartune.errors import DartuneError, EngineDown, EngineError, InputError

Q = TypeVar("Q")
A = TypeVar("A")
Q_contra = TypeVar("Q_contra", contravariant=True)
A_co = TypeVar("A_co", covariant=True)

HEARTBEAT_S = 10.0
RAISED = "engine_raised"
"""Cause of a failure where a service raised what it should not have."""


class Service(Protocol[Q_contra, A_co]):
    """What an actor holds; it lives in the actor's event loop."""

    @property
    def n_places(self) -> int:
        """How many requests it wants at a time; may change."""
        ...

    @property
    def identity(self) -> str:
        """What decides its answers: the same for all replicas. Read after `start`."""
        ...

    async def start(self) -> None:
        """Get ready, or raise DartuneError."""
        ...

    async def answer(self, request: Q_contra) -> A_co:
        """Answer one request; EngineDown means that no other will be answered either."""
        ...

    async def aclose(self) -> None:
        """Release what `start` took."""
        ...


class Ready(NamedTuple):
    """A service has started."""

    n_places: int
    identity: str


class Delivery(NamedTuple, Generic[A]):
    """What has ended in an actor since the last delivery."""

    ended: list[tuple[int, A | DartuneError]]
    """Number of a request and its outcome."""
    n_places: int
    down: str | None
    """Why nothing more will be answered; None where all is well."""


class Host(Generic[Q, A]):
    """Runs one service for one driver."""

    def __init__(self, make: Callable[[], Service[Q, A]], folder: str, heartbeat_s: float = HEARTBEAT_S) -> None:
        """Hold what makes the service. In `folder`, where this machine has it, paths and modules are looked for."""
        if Path(folder).is_dir():
            os.chdir(folder)
        self._make = make
        self._heartbeat_s = heartbeat_s
        self._service: Service[Q, A]
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._ended: list[tuple[int, A | DartuneError]] = []
        self._down: str | None = None
        self._wake = asyncio.Event()

    async def placed(self) -> int:
        """The process id: the actor has its resources."""
        return os.getpid()

    async def start(self) -> Ready | DartuneError:
        """Make and start the service."""
        # The boundary for whatever an engine may raise: here it would arrive as an error of Ray's.
        try:
            self._service = self._make()
            await self._service.start()
            return Ready(self._service.n_places, self._service.identity)
        except DartuneError as error:
            return portable(error)
        except Exception as error:
            return EngineDown(f"it could not be started: {_one_line(error)}")

    async def take(self, requests: Sequence[tuple[int, Q]], dropped: Sequence[int]) -> None:
        """Begin `requests`, each with its number; abandon those with a number in `dropped`."""
        for number, request in requests:
            task = asyncio.create_task(self._answer(number, request))
            self._under_way[number] = task
            task.add_done_callback(partial(self._forget, number))
        for number in dropped:
            if number in self._under_way:
                self._under_way[number].cancel()

    async def give(self) -> Delivery[A]:
        """Wait until something has ended, and give all that has; nothing after `heartbeat_s`, as a sign of life."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat_s):
                await self._wake.wait()
        self._wake.clear()
        ended, self._ended = self._ended, []
        return Delivery(ended, self._service.n_places, self._down)

    async def close(self) -> None:
        """End the service."""
        await self._service.aclose()

    async def _answer(self, number: int, request: Q) -> None:
        # The other boundary: one request that an engine cannot bear must not end those beside it.
        outcome: A | DartuneError
        try:
            outcome = await self._service.answer(request)
        except EngineDown as error:
            self._down = str(error)
            self._wake.set()
            return
        except DartuneError as error:
            outcome = portable(error)
        except Exception as error:
            outcome = EngineError(RAISED, _one_line(error))
        self._ended.append((number, outcome))
        self._wake.set()

    def _forget(self, number: int, _: asyncio.Task[None]) -> None:
        del self._under_way[number]


def portable(error: DartuneError) -> DartuneError:
    """`error`, if another process can have it; otherwise one that says the same."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        back = pickle.loads(pickle.dumps(error))  # our own error, in our own process
    except Exception:  # a user's class may take arguments that its base does not keep
        back = None
    if type(back) is type(error) and str(back) == str(error):
        return error
    if isinstance(error, EngineError):
        return EngineError(error.cause, error.detail)
    return InputError(str(error)) if isinstance(error, InputError) else EngineDown(str(error))


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]
