"""Servers that fail while they tell their models: they get little until they answer; no request is burnt on them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http import OpenAIEngine
from dartune.errors import EngineDown
from dartune.types import Key, Request, SamplingParams

MODELS = b'{"data": [{"id": "m"}]}'
GOOD = b'{"choices": [{"text": "four", "finish_reason": "stop"}]}'


@dataclass
class Server:
    """Tells its models; answers requests with the status that `answer` gives for the number of the request."""

    answer: Callable[[int], int]
    url: str = ""
    asked_s: list[float] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            length = 0
            while (line := await reader.readline()) != b"\r\n":
                length = int(line[15:]) if line.lower().startswith(b"content-length:") else length
            await reader.readexactly(length)
            status, body = 200, MODELS
            if head.startswith(b"POST"):
                self.asked_s.append(time.monotonic())
                status, body = self.answer(len(self.asked_s)), GOOD
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        writer.close()


@asynccontextmanager
async def serving(answer: Callable[[int], int]) -> AsyncIterator[Server]:
    server = Server(answer)
    listener = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    async with listener:
        yield server


@asynccontextmanager
async def engine(*servers: Server, patience_s: float = 60.0, **settings: Any) -> AsyncIterator[OpenAIEngine]:
    urls = tuple(server.url for server in servers)
    made = OpenAIEngine(
        OpenAIEngineConfig(**{"model": "m", "base_urls": urls, "max_in_flight": 16, **settings}), patience_s=patience_s
    )
    try:
        await made.start()
        yield made
    finally:
        await made.aclose()


def request(number: int) -> Request:
    return Request(key=Key("q", number), prompt="2+2", seed=number, params=SamplingParams())


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_only_fails_is_asked_ever_more_rarely(status: int) -> None:
    async def run() -> int:
        async with serving(lambda n: status) as server, engine(server) as asking:
            tasks = [asyncio.create_task(asking.generate(request(n))) for n in range(200)]
            await asyncio.sleep(2)
            assert not [task for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return len(server.asked_s)

    # 16 places, then a few after each of 0.25, 0.5 and 1 s.
    assert 16 <= asyncio.run(run()) <= 16 + 3 * 8


def test_a_server_that_failed_again_and_again_is_full_again_after_its_first_answer() -> None:
    async def run() -> None:
        async with serving(lambda n: 500 if n <= 20 else 200) as server, engine(server) as asking:
            responses = await asyncio.gather(*(asking.generate(request(n)) for n in range(100)))
            assert {response.text for response in responses} == {"four"}
            assert asking.n_places == 16
            assert len(server.asked_s) == 120

    asyncio.run(run())


def test_patience_is_lost_with_servers_that_only_fail() -> None:
    async def run() -> None:
        async with serving(lambda n: 500) as server, engine(server, patience_s=2.0, max_attempts=100) as asking:
            with pytest.raises(EngineDown, match="no server has answered for 2 s"):
                await asyncio.gather(*(asking.generate(request(n)) for n in range(50)))

    asyncio.run(run())


def test_requests_that_are_refused_for_themselves_do_not_take_a_server_down() -> None:
    async def run() -> None:
        async with serving(lambda n: 400) as server, engine(server) as asking:
            outcomes = await asyncio.gather(*(asking.generate(request(n)) for n in range(100)), return_exceptions=True)
            assert {getattr(outcome, "cause", None) for outcome in outcomes} == {"bad_request"}
            assert asking.n_places == 16
            assert len(server.asked_s) == 100

    asyncio.run(run())


def test_the_other_server_is_asked_after_a_fault() -> None:
    async def run() -> None:
        async with serving(lambda n: 500) as bad, serving(lambda n: 200) as good, engine(bad, good) as asking:
            for n in range(50):
                await asking.generate(request(n))
            assert len(bad.asked_s) < 40
            assert len(good.asked_s) == 50

    asyncio.run(run())


def test_a_refused_place_rests() -> None:
    async def run() -> None:
        async with serving(lambda n: 429) as server, engine(server, max_in_flight=4) as asking:
            tasks = [asyncio.create_task(asking.generate(request(n))) for n in range(100)]
            await asyncio.sleep(1.8)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert 8 <= len(server.asked_s) <= 16  # 4 places, each once in half a second

    asyncio.run(run())


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_the_places_of_a_real_server_are_found() -> None:
    places, reply_s, seconds = 12, 0.06, 8
    n_now = most = n_answered = n_refused = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal n_now, most, n_answered, n_refused
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0][15:]) if lengths else 0)
                status, body = 200, MODELS
                if head.startswith(b"POST") and n_now >= places:
                    n_refused, status, body = n_refused + 1, 429, b""
                elif head.startswith(b"POST"):
                    n_now, body = n_now + 1, GOOD
                    most, n_answered = max(most, n_now), n_answered + 1
                    await asyncio.sleep(reply_s)
                    n_now -= 1
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def run() -> None:
        async with await asyncio.start_server(connected, "127.0.0.1", 0) as listener:
            url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
            async with engine(Server(lambda n: 200, url), max_in_flight=None, max_attempts=20) as asking:

                async def lane(index: int) -> None:
                    for trial in range(10_000):
                        await asking.generate(request(index * 10_000 + trial))

                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await asyncio.gather(*(lane(index) for index in range(60)))
            while len(asyncio.all_tasks()) > 1:  # connections that see their end
                await asyncio.sleep(0.01)

    asyncio.run(run())
    assert most == places
    assert n_answered > 0.6 * places * seconds / reply_s  # the search, and a busy machine, cost some
    assert n_refused < 0.25 * n_answered
