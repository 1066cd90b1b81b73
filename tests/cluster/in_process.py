"""Hosts in this process, behind the same seam as actors, with deaths at will."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from dartune.cluster.host import Delivery, Host, Ready, Service
from dartune.cluster.replica import Lost
from dartune.errors import DartuneError

R = TypeVar("R")


class Echo:
    """Answers a text with itself; some texts do harm."""

    identity = "echo"

    def __init__(self, n_places: int = 4) -> None:
        self.n_places = n_places
        self.n_under_way = 0
        self.is_closed = False

    async def start(self) -> None:
        pass

    async def answer(self, request: str) -> str:
        self.n_under_way += 1
        try:
            if request == "hang":
                await asyncio.Event().wait()
            await asyncio.sleep(0)
            if request == "raise":
                raise ValueError("what is this?\nI cannot")
            return request
        finally:
            self.n_under_way -= 1

    async def aclose(self) -> None:
        self.is_closed = True


class InProcess:
    """A host in this event loop; `kill` and `die` end it as the end of its process would."""

    def __init__(self, make: Callable[[], Service[str, str]]) -> None:
        self.host: Host[str, str] = Host(make, "/nowhere", heartbeat_s=0.01)
        self.taken: list[str] = []
        self.is_killed = False
        self._died: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def die(self, why: str = "killed by a test") -> None:
        if not self._died.done():
            self._died.set_exception(Lost(why))
            self._died.exception()

    async def placed(self) -> DartuneError | None:
        await self._call(self.host.placed())
        return None

    async def start(self) -> Ready | DartuneError:
        return await self._call(self.host.start())

    async def take(self, requests: Sequence[tuple[int, str]], dropped: Sequence[int]) -> None:
        self.taken += [request for _, request in requests]
        if "kill" in self.taken:
            self.die()
        await self._call(self.host.take(requests, dropped))

    async def give(self) -> Delivery[str]:
        return await self._call(self.host.give())

    async def close(self) -> None:
        await self._call(self.host.close())

    def kill(self) -> None:
        self.is_killed = True
        self.die("killed by its fleet")

    async def _call(self, call: Coroutine[Any, Any, R]) -> R:
        task = asyncio.ensure_future(call)
        try:
            await asyncio.wait([task, self._died], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
        if self._died.done():
            self._died.result()
        return task.result()


class Maker:
    """Launches hosts, and remembers them; `services` are made in turn, the last one for ever."""

    def __init__(self, *services: Callable[[], Service[str, str]]) -> None:
        self._services = itertools.chain(services[:-1], itertools.repeat(services[-1]))
        self.made: list[InProcess] = []

    def __call__(self) -> InProcess:
        self.made.append(InProcess(next(self._services)))
        return self.made[-1]
