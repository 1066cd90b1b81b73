"""One attempt of the engine for servers, on small servers of our own: errors long, slow or cut, and clocks."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http import OpenAIEngine
from dartune.errors import EngineDown, EngineError, MissingExtra
from dartune.types import Key, Request, Response, SamplingParams

MODELS = b'{"data": [{"id": "m"}]}'
GOOD = b'{"choices": [{"text": "four", "finish_reason": "stop"}]}'
REQUEST = Request(key=Key("q", 0), prompt="2+2", seed=1, params=SamplingParams())
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]


def reply(body: bytes, status: int = 200, *, length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length or len(body)}\r\n\r\n"
    return head.encode() + body


def ask(answer: Answer, *, sleep: Sleep = asyncio.sleep, **settings: Any) -> Response:
    """What the engine makes of a server that answers requests so, and questions for its models well."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0][15:]) if lengths else 0)
                if head.startswith(b"GET"):
                    writer.write(reply(MODELS))
                else:
                    await answer(head, writer)
        writer.close()

    async def run() -> Response:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        config = OpenAIEngineConfig(**{"model": "m", "base_urls": (url,), "max_attempts": 1, **settings})
        engine = OpenAIEngine(config, sleep=sleep)
        try:
            await engine.start()
            return await engine.generate(REQUEST)
        finally:
            await engine.aclose()
            server.close()

    return asyncio.run(run())


def sends(*parts: bytes | float) -> Answer:
    """An answer in parts, with pauses in seconds between them."""

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)

    return answer


@pytest.mark.parametrize(
    "error", [reply(b"x" * 200_000, 500), reply(b"half", 500, length=100)], ids=["long", "never whole"]
)
def test_a_status_counts_though_its_text_is_long_or_never_comes(error: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dartune.engines.openai_http.transport._ERROR_BODY_S", 0.2)
    with pytest.raises(EngineError) as caught:
        ask(sends(error, 30.0))
    assert caught.value.cause == "status_500"
    assert len(str(caught.value)) < 500


def test_a_refused_key_ends_the_run_though_the_page_is_long() -> None:
    with pytest.raises(EngineDown, match="OPENAI_API_KEY is not set"):
        ask(sends(reply(b"x" * 200_000, 401)))


def test_a_key_that_a_server_repeats_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123\n")

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        assert b"Authorization: Bearer sk-secret-123\r\n" in head
        writer.write(reply(b'{"error": {"message": "no quota for sk-secret-123"}}', 400))

    with pytest.raises(EngineError, match=r"no quota for \*\*\*") as caught:
        ask(answer)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "parts",
    [(30.0,), (EVENTS, 30.0), (EVENTS, *(b": still here\n\n", 0.1) * 100),
     (EVENTS, b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n', 30.0)],
    ids=["no head", "no event", "comments", "a role"],
)  # fmt: skip
def test_only_a_token_stops_the_clock_for_the_first(parts: tuple[bytes | float, ...]) -> None:
    start = time.monotonic()
    with pytest.raises(EngineError) as caught:
        ask(sends(*parts), api="chat", first_token_timeout_s=0.3, timeout_s=30)
    assert caught.value.cause == "first_token_timeout"
    assert time.monotonic() - start < 3


def test_after_the_first_token_only_the_whole_is_timed() -> None:
    event = b'data: {"choices": [{"text": "a"}]}\n\n'
    end = b'data: {"choices": [{"text": "", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    answer = sends(EVENTS, event, 0.5, event, end)
    assert ask(answer, first_token_timeout_s=0.3, timeout_s=30).text == "aa"
    with pytest.raises(EngineError) as caught:
        ask(sends(EVENTS, event, 30.0), first_token_timeout_s=0.3, timeout_s=0.6)
    assert caught.value.cause == "timeout"


def test_a_reply_without_end_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dartune.engines.openai_http.transport.MOST_REPLY_BYTES", 100_000)
    with pytest.raises(EngineError) as caught:
        ask(sends(reply(b"x" * 500_000)))
    assert caught.value.cause == "too_big"


def test_a_good_reply_is_taken() -> None:
    assert ask(sends(reply(GOOD))).text == "four"


def test_the_client_library_is_asked_for_when_the_engine_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys, dartune.engines.openai_http; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    monkeypatch.setattr("dartune.engines.openai_http.engine.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"^aiohttp is not installed; mend it with: pip install 'dartune\[http\]'$"):
        OpenAIEngine(OpenAIEngineConfig(model="m", base_urls=("http://h/v1",)))


def test_retry_after_is_waited_for_with_jitter() -> None:
    pauses = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    body = b"HTTP/1.1 425 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(EngineError, match="status_425"):
        ask(sends(body), sleep=sleep, max_attempts=4)
    assert len(pauses) == 3
    assert all(7 < pause <= 7 + 0.25 * 2**n for n, pause in enumerate(pauses, start=1))
