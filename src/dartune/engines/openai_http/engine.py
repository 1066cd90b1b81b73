"""A request's way: to the least loaded server, and again after a pause where that fails, until it was sent enough."""

import asyncio
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.util import find_spec

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http.checks import check, check_all, refused_key
from dartune.engines.openai_http.faults import Fault
from dartune.engines.openai_http.fleet import Fleet, Server
from dartune.engines.openai_http.limit import Limit
from dartune.engines.openai_http.transport import Transport, most_connections
from dartune.engines.openai_http.wire import MARK, Stream, Wire
from dartune.errors import ConfigError, EngineDown, EngineError, MissingExtra
from dartune.types import Request, Response

PATIENCE_S = 600.0
"""How long no server may answer before the run is stopped."""

_FIRST_PAUSE_S, _MOST_PAUSE_S = 0.25, 30.0
_REFUSED_REST_S = 0.5
"""How long the place of a refused request stays taken at least: the next would be refused as well."""

Sleep = Callable[[float], Awaitable[None]]


class OpenAIEngine:
    """Answers requests through OpenAI-compatible servers; see `dartune.engines.base.Engine`.

    A request is sent at most `config.max_attempts` times, then it fails with the cause of its last attempt. `faults`
    counts the causes of all attempts that failed, those that were made good included.
    """

    def __init__(
        self, config: OpenAIEngineConfig, *, patience_s: float = PATIENCE_S, sleep: Sleep = asyncio.sleep
    ) -> None:
        """Connect to nothing yet. Raises MissingExtra if aiohttp is not installed."""
        if find_spec("aiohttp") is None:
            raise MissingExtra("aiohttp", "http")
        self._config = config
        self._wire = Wire(config)
        self._patience_s = patience_s
        self._sleep = sleep
        self._run_id = uuid.uuid4().hex[:8]
        self._n_sent = self._n_resting = 0
        self.faults: Counter[str] = Counter()
        self._transport: Transport | None = None
        self._fleet: Fleet | None = None

    @property
    def n_places(self) -> int:
        """What all servers that are up take together, as far as is known by now."""
        return self._fleet.n_places(self._n_resting) if self._fleet is not None else 1

    @property
    def model(self) -> str:
        """The model's name, with a hash of what else decides its answers."""
        return self._wire.identity

    @property
    def limits(self) -> dict[str, int]:
        """Requests in flight that each server is given at most now."""
        return {server.url: server.limit.value for server in self._fleet.servers} if self._fleet is not None else {}

    async def start(self) -> None:
        """Check every server, in less than ten seconds.

        Raises ConfigError if none answers, or if the path, the key or the model is wrong.
        """
        config = self._config
        api_key = os.environ.get(config.api_key_env, "").strip()
        if not api_key.isprintable():
            raise ConfigError(
                f"engine.api_key_env: the environment variable {config.api_key_env} holds a line break or another "
                "control character, which no header can; set it to the key alone"
            )
        transport = Transport(config, api_key or None)
        self._transport = transport
        self._fleet = Fleet(
            urls=config.base_urls,
            urls_file=config.urls_file,
            make_limit=partial(Limit, config.max_in_flight, most_connections()),
            probe=partial(_probe, config=config, transport=transport),
            patience_s=self._patience_s,
        )
        refused = await check_all(self._fleet.listed(), config, transport)
        self._fleet.start(refused)

    async def generate(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            EngineError: Every attempt failed, or the request itself is at fault ("context_too_long", "bad_request").
            EngineDown: The key is refused, or no server has answered for a long time.
        """
        fleet = self._fleet
        if fleet is None:
            raise EngineDown("the engine has not been started")
        body = self._wire.body(request)
        draw = random.Random(request.seed)
        server: Server | None = None
        for attempt in range(1, self._config.max_attempts + 1):
            server = await fleet.place(avoid=server)
            try:
                return await self._attempt(fleet, server, body)
            except Fault as fault:
                self.faults[fault.cause] += 1
                fleet.failed(server, fault)
                if fault.ends == "run":
                    raise EngineDown(refused_key(server.url, self._config)) from None
                if fault.ends == "request" or attempt == self._config.max_attempts:
                    raise EngineError(fault.cause, f"{server.url}: {fault.detail}") from None
                pause_s = fault.retry_after_s + draw.uniform(0, min(_MOST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt))
            self._n_resting += 1
            try:
                await self._sleep(pause_s)
            finally:
                self._n_resting -= 1
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def aclose(self) -> None:
        """Close the connections; what is in flight is abandoned."""
        if self._fleet is not None:
            await self._fleet.aclose()
        if self._transport is not None:
            await self._transport.aclose()

    async def _attempt(self, fleet: Fleet, server: Server, body: bytes) -> Response:
        """Send a request to a server once. Its place is given back in any case; after a refusal it rests first."""
        assert self._transport is not None
        version, was_full = server.limit.started(), server.load > 0.9
        self._n_sent += 1
        request_id = f"{MARK}{self._run_id}-{self._n_sent}"
        stream = Stream(self._config) if self._config.first_token_timeout_s else None
        started_s, rest_s = time.monotonic(), 0.0
        try:
            with self._transport.secretly():
                reply = await self._transport.post(server.url + self._wire.path, body, request_id, stream)
                if stream is not None:
                    response = self._wire.read(stream.reply(), request_id)
                else:
                    response = self._wire.response(reply, request_id)
        except Fault as fault:
            if fault.is_refusal:
                rest_s = max(fault.retry_after_s, _REFUSED_REST_S)
                server.limit.refused(seconds=time.monotonic() - started_s + rest_s, version=version)
            raise
        else:
            fleet.succeeded(server)
            seconds = time.monotonic() - started_s
            server.limit.ended(n_tokens=response.n_tokens, seconds=seconds, version=version, was_full=was_full)
            return response
        finally:
            fleet.release(server, rest_s)


async def _probe(url: str, *, config: OpenAIEngineConfig, transport: Transport) -> None:
    """Whether a server that was down, or is new, can be asked now."""
    try:
        await check(url, config, transport)
    except ConfigError as error:
        raise Fault("unfit", str(error)) from None
