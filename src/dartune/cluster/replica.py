"""One replica: how it is spoken to, and the parcels that go to it and come from it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, Never, Protocol, TypeVar

from dartune.cluster.host import Delivery, Ready
from dartune.errors import DartuneError

Q = TypeVar("Q")
A = TypeVar("A")
Q_contra = TypeVar("Q_contra", contravariant=True)


class Lost(Exception):
    """The replica is gone; the message says why."""


class Handle(Protocol[Q_contra, A]):
    """A `Host` elsewhere. Every method but `kill` raises Lost where the host is gone."""

    async def placed(self) -> DartuneError | None:
        """Return as soon as the host has its resources, or with the reason why it cannot run where it has them."""
        ...

    async def start(self) -> Ready | DartuneError:
        """Return when its service can answer, or with the reason why it cannot."""
        ...

    async def take(self, requests: Sequence[tuple[int, Q_contra]], dropped: Sequence[int]) -> None:
        """Hand over requests with their numbers, and numbers of requests that nobody waits for any more."""
        ...

    async def give(self) -> Delivery[A]:
        """Return when something has ended."""
        ...

    async def close(self) -> None:
        """Let the service release what it holds."""
        ...

    def kill(self) -> None:
        """End the host now."""
        ...


class Replica(Generic[Q, A]):
    """A host that has started, and what is to be handed to it next."""

    def __init__(self, handle: Handle[Q, A]) -> None:
        self._handle = handle
        self._requests: list[tuple[int, Q]] = []
        self._dropped: list[int] = []
        self._wake = asyncio.Event()
        self.has_answered = False
        """Whether a request has ended here."""

    def post(self, number: int, request: Q) -> None:
        """Hand over a request with the next parcel."""
        self._requests.append((number, request))
        self._wake.set()

    def drop(self, number: int) -> None:
        """Say with the next parcel that nobody waits for a request any more."""
        self._dropped.append(number)
        self._wake.set()

    async def serve(self, settle: Callable[[Delivery[A]], None], *, silence_s: float) -> Never:
        """Hand over and collect until the replica is gone, or gives no sign of life for `silence_s`: raises Lost."""
        ways = [asyncio.create_task(self._feed()), asyncio.create_task(self._drain(settle, silence_s))]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
            raise AssertionError("unreachable: both ways end by raising")
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def close(self) -> None:
        """Let the service release what it holds."""
        await self._handle.close()

    async def _feed(self) -> Never:
        while True:
            await self._wake.wait()
            self._wake.clear()
            requests, self._requests = self._requests, []
            dropped, self._dropped = self._dropped, []
            await self._handle.take(requests, dropped)

    async def _drain(self, settle: Callable[[Delivery[A]], None], silence_s: float) -> Never:
        while True:
            try:
                async with asyncio.timeout(silence_s):
                    delivery = await self._handle.give()
            except TimeoutError:
                raise Lost(f"it has given no sign of life for {silence_s:g} s") from None
            self.has_answered |= bool(delivery.ended)
            settle(delivery)
            if delivery.down is not None:
                raise Lost(delivery.down)
