"""An OpenAI-compatible server that misbehaves: real HTTP/1.1 on loopback, wrong in every way that servers are.

    cd tests && python -m engines.chaos_server [--port N] [--settings JSON]

It prints its port. It answers "What is A + B?" rightly as often as `pass_rate` says; prompt and seed decide the text,
so runs with and without misbehaviour can be compared sample by sample. A hash of prompt, seed and attempt decides
whether and how an attempt is misanswered, so what is to become of a request can be foretold (`fate`). `GET /control`
tells what was done, `POST /control` changes settings.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from engines.chaos_kinds import KINDS, Reply, misbehave, send_json


@dataclass(frozen=True)
class Settings:
    share: float = 0.0
    kinds: tuple[str, ...] = tuple(KINDS)
    key: str = ""
    model: str = "chaos"
    context: int = 10_000
    """Longest prompt, in characters."""
    delay_s: float = 0.0
    pass_rate: float = 0.6
    capacity: int = 100_000
    """Requests answered at a time; more wait ..."""
    refuse_above: int = 100_000
    """... and beyond this many they are refused with 503."""
    per_s: float = 0.0
    """Requests begun in a second; more are refused with 429. 0: any."""
    retry_after: str = "0.02"
    redirect: str = "http://127.0.0.1:9/elsewhere"
    tail: str = ""
    """Further text of every answer."""
    again_after_s: float | None = None
    """Sends every answer once more after so long, which nobody asked for."""
    echo_id: bool = True
    """Whether replies tell which request they answer."""
    has_list: bool = True
    """Whether it tells its models."""
    prefix: str = "/v1"


@dataclass
class Record:
    """What was done."""

    n_requests: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    """By prompt and seed."""
    retried: Counter[str] = field(default_factory=Counter)
    """Misanswered attempts that another followed, by kind ..."""
    lost_s: Counter[str] = field(default_factory=Counter)
    """... and the seconds from the one to the other."""
    refused: int = 0
    """Requests refused because there were too many."""
    aborted: int = 0
    """Requests whose client went away before the answer."""
    n_now: int = 0
    most_at_once: int = 0


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def answer(prompt: str, seed: int, pass_rate: float) -> tuple[str, int]:
    """Text and tokens: a function of prompt and seed."""
    draw = random.Random(f"{prompt}\0{seed}")
    numbers = [int(n) for n in re.findall(r"\d+", prompt)]
    right = sum(numbers)
    said = right if draw.random() < pass_rate else right + draw.randint(1, 9)
    n_tokens = 20 + round(draw.lognormvariate(0, 0.5) * 60)
    return f"Try {draw.randrange(10**6)}: {'+'.join(map(str, numbers))}. The answer is \\boxed{{{said}}}.", n_tokens


def misdeed(prompt: str, seed: int, attempt: int, settings: Settings) -> str | None:
    """How an attempt, counted from 1, is misanswered; None where it is answered."""
    draw = random.Random(hashlib.sha256(f"{prompt}\0{seed}\0{attempt}".encode()).digest())
    return draw.choice(settings.kinds) if draw.random() < settings.share else None


class Fate(NamedTuple):
    """What a request comes to that is tried up to so many times."""

    n_attempts: int
    cause: str | None
    """Of the failure; None where it is answered."""


def fate(prompt: str, seed: int, settings: Settings, max_attempts: int) -> Fate:
    """What becomes of a request."""
    for attempt in range(1, max_attempts + 1):
        kind = misdeed(prompt, seed, attempt, settings)
        if kind is None:
            return Fate(attempt, None)
    return Fate(max_attempts, KINDS[str(kind)])


class Misanswered(NamedTuple):
    """The last attempt of a request that failed."""

    kind: str
    at_s: float


class Chaos:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.record = Record()
        self.last: dict[str, Misanswered] = {}
        self.begun_s: list[float] = []
        self.places = asyncio.Semaphore(settings.capacity)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            first = b""
            while (call := await read_call(reader, first)) is not None:
                work = asyncio.create_task(self.answer(call, writer))
                gone = asyncio.create_task(reader.read(1))  # clients do not pipeline: before the answer, an end
                await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    self.record.aborted += 1
                    work.cancel()
                    await asyncio.gather(work, return_exceptions=True)
                    break
                if work.exception() is not None or not work.result():
                    gone.cancel()
                    break
                first = await gone  # of the next call; nothing where the client has left
        writer.close()

    async def answer(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Answer a call; whether the connection goes on."""
        settings = self.settings
        if call.path == "/control":
            if call.method == "POST":
                self.settings = replace(settings, **json.loads(call.body))
            send_json(writer, 200, vars(self.record))
        elif settings.key and call.headers.get("authorization") != f"Bearer {settings.key}":
            send_json(writer, 401, {"error": {"message": "Incorrect API key provided", "type": "auth"}})
        elif call.path == f"{settings.prefix}/models" and settings.has_list:
            send_json(writer, 200, {"object": "list", "data": [{"id": settings.model, "object": "model"}]})
        elif call.path in (f"{settings.prefix}/completions", f"{settings.prefix}/chat/completions"):
            self.record.n_now += 1
            self.record.most_at_once = max(self.record.most_at_once, self.record.n_now)
            try:
                if (status := self.refusal()) is not None:
                    self.record.refused += 1
                    refused = {"error": {"message": "too much"}}
                    send_json(writer, status, refused, **{"Retry-After": settings.retry_after})
                    return True
                async with self.places:
                    return await self.complete(call, json.loads(call.body), writer)
            finally:
                self.record.n_now -= 1
        else:
            send_json(writer, 404, {"detail": "Not Found"})
        await writer.drain()
        return True

    async def complete(self, call: Call, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        settings, record = self.settings, self.record
        record.n_requests += 1
        prompt = asked["prompt"] if "prompt" in asked else asked["messages"][-1]["content"]
        if asked["model"] != settings.model:
            send_json(writer, 404, {"error": {"message": f"The model `{asked['model']}` does not exist."}})
            return True
        if len(prompt) > settings.context:
            said = f"This model's maximum context length is {settings.context} tokens."
            send_json(writer, 400, {"error": {"message": said, "code": "context_length_exceeded"}})
            return True
        kind = self.misdeed(prompt, asked["seed"])
        if settings.delay_s:
            draw = random.Random(f"{prompt}\0{asked['seed']}\0{record.n_requests}")
            await asyncio.sleep(settings.delay_s * draw.uniform(0.5, 1.5))
        reply = Reply(completion(call, asked, prompt, settings), bool(asked.get("stream")), "messages" in asked)
        if kind is not None:
            return await misbehave(kind, reply, writer, retry_after=settings.retry_after, redirect=settings.redirect)
        reply.send(writer, reply.body())
        if settings.again_after_s is not None:
            asyncio.get_running_loop().call_later(settings.again_after_s, reply.send, writer, reply.body())
        await writer.drain()
        return True

    def misdeed(self, prompt: str, seed: int) -> str | None:
        """How this attempt is misanswered, which is written down."""
        record, name, now_s = self.record, f"{prompt}\0{seed}", time.monotonic()
        record.attempts[name] += 1
        if name in self.last:
            before = self.last.pop(name)
            record.retried[before.kind] += 1
            record.lost_s[before.kind] += now_s - before.at_s
        kind = misdeed(prompt, seed, record.attempts[name], self.settings)
        if kind is not None:
            record.injected[kind] += 1
            self.last[name] = Misanswered(kind, now_s)
        return kind

    def refusal(self) -> int | None:
        """The status by which one more request is refused."""
        settings, now_s = self.settings, time.monotonic()
        if self.record.n_now > settings.refuse_above:
            return 503
        self.begun_s = [begun_s for begun_s in self.begun_s if now_s - begun_s < 1]
        if settings.per_s and len(self.begun_s) >= settings.per_s:
            return 429
        self.begun_s.append(now_s)
        return None


def completion(call: Call, asked: dict[str, Any], prompt: str, settings: Settings) -> dict[str, Any]:
    text, n_tokens = answer(prompt, asked["seed"], settings.pass_rate)
    text += settings.tail
    most = asked.get("max_tokens", 10**6)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "length" if n_tokens > most else "stop"}
    if "prompt" in asked:
        choice |= {"text": text, "logprobs": {"token_logprobs": [-0.5, -0.25]} if asked.get("logprobs") else None}
    else:
        choice |= {"message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": min(n_tokens, most)}
    request_id = call.headers.get("x-request-id", "0") if settings.echo_id else "0"
    return {"id": f"cmpl-{request_id}", "choices": [choice], "usage": usage}


async def read_call(reader: asyncio.StreamReader, begun: bytes) -> Call | None:
    if reader.at_eof():
        return None
    head = begun + await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode().rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(method, path, headers, body)


async def serve(settings: Settings, port: int = 0) -> None:
    chaos = Chaos(settings)
    server = await asyncio.start_server(chaos.connected, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--settings", type=json.loads, default={}, help="fields of Settings, as JSON")
    options = parser.parse_args()
    asyncio.run(serve(Settings(**options.settings), options.port))


if __name__ == "__main__":
    main()
