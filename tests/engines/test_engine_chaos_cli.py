"""`dartune sample` against servers that misbehave: exit codes, one line of error, keys that stay secret."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http import OpenAIEngine
from dartune.errors import ConfigError, DartuneError
from engines.chaos_process import ChaosProcess
from engines.chaos_runs import KEY, dartune, samples, wait_for, write_recipe
from engines.test_openai_transport import Answer, ask, reply, sends

N_SAMPLES = 40 * 8


def has_key(folder: Path) -> list[Path]:
    """Files that hold the key."""
    return [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_a_key_refused_in_mid_run_ends_it_at_once_and_what_was_graded_stays(tmp_path: Path) -> None:
    with ChaosProcess(key=KEY, delay_s=0.2, share=0.1, kinds=["429", "500", "html", "redirect"]) as server:
        recipe = write_recipe(tmp_path, server.url)
        arguments = ("sample", str(recipe), "--out", "run", "--quiet", "--set", "engine.max_in_flight=8")
        with dartune(tmp_path, *arguments) as first:
            wait_for(server, 60)
            server.change(key="another")
            start = time.monotonic()
            said = first.communicate(timeout=30)[0]
        assert time.monotonic() - start < 10
        assert first.returncode == 1
        assert "the environment variable CHAOS_KEY is set, but refused" in said
        assert len(said.strip().splitlines()) == 1
        n_first = len(samples(tmp_path / "run" / "pool"))
        assert 30 < n_first < N_SAMPLES
        server.change(key=KEY)
        with dartune(tmp_path, *arguments) as second:
            said += second.communicate(timeout=40)[0]
        assert second.returncode == 0, said
        assert server.record()["n_requests"] < N_SAMPLES * 2
    assert len(samples(tmp_path / "run" / "pool")) == N_SAMPLES
    assert has_key(tmp_path) == []
    assert KEY not in said


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/v1"


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_a_port_that_never_answers_is_bad_input(tmp_path: Path, silent_url: str) -> None:
    start = time.monotonic()
    with dartune(tmp_path, "sample", str(write_recipe(tmp_path, silent_url)), "--out", "run", "--quiet") as process:
        said = process.communicate(timeout=30)[0]
    assert time.monotonic() - start < 10
    assert process.returncode == 2
    assert "no reply within 3 s" in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "run" / "pool").exists()


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_one_server_that_answers_is_enough_to_start(tmp_path: Path, silent_url: str) -> None:
    with ChaosProcess() as server:
        recipe = write_recipe(tmp_path, f'{server.url}", "http://127.0.0.1:9/v1", "{silent_url}')
        with dartune(tmp_path, "sample", str(recipe), "--out", "run", "--quiet") as process:
            said = process.communicate(timeout=40)[0]
    assert process.returncode == 0, said
    assert len(samples(tmp_path / "run" / "pool")) == N_SAMPLES


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_a_key_that_no_header_can_hold_is_bad_input_and_not_told(tmp_path: Path) -> None:
    with ChaosProcess(key=KEY) as server:
        recipe = write_recipe(tmp_path, server.url)
        with dartune(tmp_path, "sample", str(recipe), "--out", "run", "--quiet", key=f"{KEY}\r\nX-Odd: 1") as process:
            said = process.communicate(timeout=30)[0]
    assert process.returncode == 2, said
    assert "CHAOS_KEY" in said
    assert len(said.strip().splitlines()) == 1
    assert KEY not in said


REPEATS = {
    "location": b"HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: http://a/?key=%b\r\n\r\n",
    "reason": b"HTTP/1.1 %b\r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\n%b\r\n\r\n",
    "page": reply(b"<html>%b"),
    "cut page": reply(b"x" * 70 + b"%b"),
    "finish_reason": reply(b'{"choices": [{"text": "a", "finish_reason": "%b"}]}'),
    "count": reply(b'{"choices": [{"text": "a", "finish_reason": "stop"}], "usage": {"prompt_tokens": "%b"}}'),
    "error": reply(b'{"error": {"message": "no quota for %b"}}', 400),
    "escaped error": reply(b'{"error": {"message": "no quota for %b"}}', 500),
    "event": b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {"error": {"message": "%b"}}\n\n',
}


def repeating(raw: bytes, key: str) -> Answer:
    head, _, body = raw.replace(b"%b", key.encode()).partition(b"\r\n\r\n")
    lines = [b"Content-Length: %d" % len(body) if b"Content-Length" in line else line for line in head.split(b"\r\n")]
    return sends(b"\r\n".join(lines) + b"\r\n\r\n" + body)


@pytest.mark.parametrize("where", REPEATS)
def test_a_key_that_is_repeated_anywhere_is_not_told(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    said = KEY.replace("-", "\\u002d") if where == "escaped error" else KEY
    with pytest.raises(DartuneError) as caught:
        ask(repeating(REPEATS[where], said), first_token_timeout_s=3.0 if where == "event" else None)
    assert KEY not in str(caught.value)
    assert KEY[:12] not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [REPEATS["location"], REPEATS["reason"], reply(b'{"error": {"message": "%b may not"}}', 404),
     reply(b'{"error": {"message": "%b may not"}}', 503)],
    ids=["location", "reason", "404", "503"],
)  # fmt: skip
def test_a_key_that_is_repeated_at_the_start_is_not_told(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(2**16):
                await repeating(raw, KEY)(b"", writer)
        writer.close()

    async def start() -> None:
        async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            engine = OpenAIEngine(OpenAIEngineConfig(model="m", base_urls=(url,)))
            try:
                await engine.start()
            finally:
                await engine.aclose()

    with pytest.raises(ConfigError, match=r"\*\*\*") as caught:
        asyncio.run(start())
    assert KEY[:12] not in str(caught.value)
