"""The servers: which of them is asked next, which is down, and which came back, appeared or vanished.

A request waits where no server has room for it. A server that cannot be reached, or fails again and again, gets nothing
more until it answers `/models` again; it is asked after pauses that double until it has answered a request. One that
failed again and again gets only `TRIAL_PLACES` requests until then: many a broken server still tells its models.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dartune.config import check_url
from dartune.engines.openai_http.faults import Fault
from dartune.engines.openai_http.limit import Limit
from dartune.errors import EngineDown

MOST_FAULTS = 12
"""Faults in a row after which a server is taken for down."""
TRIAL_PLACES = 4
_FIRST_PAUSE_S, _MOST_PAUSE_S = 0.25, 15.0
_TICK_S = 0.1
_READ_FILE_EVERY_S = 2.0

Probe = Callable[[str], Awaitable[None]]
"""Raises Fault where the server at a URL cannot be asked."""


@dataclass(slots=True, eq=False, kw_only=True)
class Server:
    """One server, and how it does."""

    url: str
    limit: Limit
    is_up: bool = True
    is_on_trial: bool = False
    """Whether it failed again and again, and has answered no request since."""
    n_in_flight: int = 0
    n_faults: int = 0
    """In a row."""
    why_down: str = ""
    pause_s: float = _FIRST_PAUSE_S
    probe_at_s: float = 0.0
    probing: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def has_room(self) -> bool:
        """Whether it may be given one more request."""
        return self.is_up and self.n_in_flight < self.n_places

    @property
    def n_places(self) -> int:
        """Requests that it is given at most now, if it is up."""
        return min(self.limit.value, TRIAL_PLACES) if self.is_on_trial else self.limit.value

    @property
    def load(self) -> float:
        """Requests in flight over its places."""
        return self.n_in_flight / self.n_places


@dataclass(slots=True, kw_only=True)
class Fleet:
    """All servers of one engine; lives in one event loop."""

    urls: Sequence[str]
    urls_file: Path | None
    make_limit: Callable[[], Limit]
    probe: Probe
    patience_s: float
    """How long no server may answer before the run is stopped."""
    servers: list[Server] = field(default_factory=list, init=False)
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque, init=False)
    _watcher: asyncio.Task[None] | None = field(default=None, init=False)
    _probes: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    """Of servers that are named no more, too."""
    _alive_at_s: float = field(default_factory=time.monotonic, init=False)
    _down: EngineDown | None = field(default=None, init=False)

    def start(self, down: Sequence[tuple[str, str]]) -> None:
        """Take requests from now on; `down` are URLs that do not answer yet, and why."""
        self._join(self.listed())
        reasons = dict(down)
        for server in self.servers:
            if server.url in reasons:
                self._take_down(server, reasons[server.url])
        self._alive_at_s = time.monotonic()
        self._watcher = asyncio.create_task(self._watch())

    def n_places(self, n_resting: int) -> int:
        """Requests that all servers together may be given; those that rest or wait after a failure take no place."""
        room = sum(server.n_places for server in self.servers if server.is_up)
        return max(1, room + min(room, n_resting + len(self._waiting)))

    async def place(self, avoid: Server | None) -> Server:
        """The least loaded server that has room, another than `avoid` where there is one; its place is taken.

        Raises EngineDown after `patience_s` in which no server was up.
        """
        while True:
            if self._down is not None:
                raise EngineDown(str(self._down))
            server = self._free(avoid)
            if server is not None:
                server.n_in_flight += 1
                return server
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake()  # its turn passes on
                raise

    def release(self, server: Server, rest_s: float = 0.0) -> None:
        """Give a place back, after `rest_s`."""
        if rest_s:
            asyncio.get_running_loop().call_later(rest_s, self.release, server)
            return
        server.n_in_flight -= 1
        self._wake()

    def succeeded(self, server: Server) -> None:
        """It answered."""
        server.n_faults, server.is_on_trial, server.pause_s = 0, False, _FIRST_PAUSE_S

    def failed(self, server: Server, fault: Fault) -> None:
        """It did not; those that cannot go on are taken down."""
        if fault.ends == "request":  # it understood, and said no
            self.succeeded(server)
        elif fault.cause != "rate_limited":
            server.n_faults += 1
            if server.is_up and (fault.cause == "connect" or fault.ends == "server" or server.n_faults >= MOST_FAULTS):
                server.is_on_trial = server.n_faults >= MOST_FAULTS
                self._take_down(server, str(fault))

    async def aclose(self) -> None:
        """Stop watching."""
        tasks = [*([self._watcher] if self._watcher is not None else []), *self._probes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _free(self, avoid: Server | None) -> Server | None:
        free = [server for server in self.servers if server.has_room]
        others = [server for server in free if server is not avoid]
        return min(others or free, key=lambda server: server.load, default=None)

    def _wake(self) -> None:
        """Let as many go on as there is room for."""
        room = sum(server.n_places - server.n_in_flight for server in self.servers if server.has_room)
        while room > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1

    def _take_down(self, server: Server, why: str) -> None:
        server.is_up, server.why_down = False, why
        server.probe_at_s = time.monotonic() + server.pause_s
        server.pause_s = min(_MOST_PAUSE_S, server.pause_s * 2)

    async def _watch(self) -> None:
        """Probe what is down, read the file of URLs, and lose patience."""
        read_at_s = time.monotonic() + _READ_FILE_EVERY_S
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            if self.urls_file is not None and now >= read_at_s:
                self._join(self.listed())
                read_at_s = now + _READ_FILE_EVERY_S
            for server in self.servers:
                if not server.is_up and server.probing is None and now >= server.probe_at_s:
                    server.probing = asyncio.create_task(self._try(server))
                    self._probes.add(server.probing)
                    server.probing.add_done_callback(self._probes.discard)
            if any(server.is_up and not server.is_on_trial for server in self.servers):
                self._alive_at_s = now
            elif now - self._alive_at_s > self.patience_s:
                self._give_up()

    async def _try(self, server: Server) -> None:
        """Ask a server whether it is back."""
        try:
            await self.probe(server.url)
        except Fault as fault:
            self._take_down(server, str(fault))
        else:
            server.is_up, server.n_faults = True, MOST_FAULTS - TRIAL_PLACES if server.is_on_trial else 0
            self._wake()
        finally:
            server.probing = None

    def listed(self) -> list[str]:
        """The URLs that the configuration and its file name now; a line that is none is passed over."""
        found = list(self.urls)
        if self.urls_file is not None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                for line in self.urls_file.read_text(encoding="utf-8").splitlines():
                    with contextlib.suppress(ValueError):
                        found.append(check_url(line.partition("#")[0]))
        return list(dict.fromkeys(found))

    def _join(self, urls: Sequence[str]) -> None:
        """Keep the servers that are still named, and add the new ones, which are probed first once the run goes on."""
        known = {server.url: server for server in self.servers}
        is_running = self._watcher is not None
        self.servers = [
            known.get(url) or Server(url=url, limit=self.make_limit(), is_up=not is_running) for url in urls
        ]

    def _give_up(self) -> None:
        whys = "; ".join(f"{server.url}: {server.why_down}" for server in self.servers)
        self._down = EngineDown(
            f"no server has answered for {self.patience_s:.0f} s ({whys or 'none is named'}); "
            "run the same command again when one does"
        )
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
