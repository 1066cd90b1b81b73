"""An OpenAI-compatible server that misbehaves: real HTTP/1.1 on loopback, wrong in every way that servers are.

    python tests/engines/chaos_server.py [--port N] [--settings JSON]

It prints its port. It answers "What is A + B?" rightly as often as `pass_rate` says; prompt and seed decide the text,
so runs with and without misbehaviour can be compared sample by sample. A hash of prompt, seed and attempt decides
whether and how an attempt is misanswered. `GET /control` tells what was done, `POST /control` changes settings.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import re
import socket
import struct
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

KINDS = {
    "429": "rate_limited", "500": "status_500", "503": "overloaded", "hang": "timeout", "reset": "reset",
    "half_body": "cut_off", "half_chunk": "cut_off", "bad_json": "bad_json", "no_choices": "no_choices",
    "two_choices": "many_choices", "other_id": "other_reply", "drip": "timeout", "redirect": "redirect",
    "html": "bad_json",
}  # fmt: skip
"""Ways to misbehave -> the cause that the engine is to record."""

_HANG_S = 60.0
_DRIP_S = 0.2


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
    """Requests answered at a time; more wait."""
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


class Chaos:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.record = Record()
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
        name = f"{prompt}\0{asked['seed']}"
        record.attempts[name] += 1
        draw = random.Random(hashlib.sha256(f"{name}\0{record.attempts[name]}".encode()).digest())
        if settings.delay_s:
            await asyncio.sleep(settings.delay_s * draw.uniform(0.5, 1.5))
        reply = completion(call, asked, prompt, settings)
        if draw.random() < settings.share:
            kind = draw.choice(settings.kinds)
            record.injected[kind] += 1
            return await misbehave(kind, reply, writer)
        if asked.get("stream"):
            send_stream(writer, reply, is_chat="messages" in asked)
        else:
            send_json(writer, 200, reply)
        await writer.drain()
        return True


def completion(call: Call, asked: dict[str, Any], prompt: str, settings: Settings) -> dict[str, Any]:
    text, n_tokens = answer(prompt, asked["seed"], settings.pass_rate)
    most = asked.get("max_tokens", 10**6)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "length" if n_tokens > most else "stop"}
    if "prompt" in asked:
        choice |= {"text": text, "logprobs": {"token_logprobs": [-0.5, -0.25]} if asked.get("logprobs") else None}
    else:
        choice |= {"message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": min(n_tokens, most)}
    return {"id": f"cmpl-{call.headers.get('x-request-id', '0')}", "choices": [choice], "usage": usage}


async def misbehave(kind: str, reply: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
    whole = json.dumps(reply).encode()
    match kind:
        case "429" | "503":
            send_json(writer, int(kind), {"error": {"message": "too much"}}, **{"Retry-After": "0.02"})
        case "500":
            send_json(writer, 500, {"error": {"message": "inside"}})
        case "hang":
            await asyncio.sleep(_HANG_S)
        case "reset":
            linger = struct.pack("ii", 1, 0)  # closing sends a reset
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return False
        case "half_body":
            send(writer, 200, whole[: len(whole) // 2], length=len(whole))
            await writer.drain()
            return False
        case "half_chunk":
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(head + b"%x\r\n" % len(whole) + whole[:20])
            await writer.drain()
            return False
        case "bad_json":
            send(writer, 200, whole[:-20])
        case "no_choices":
            send_json(writer, 200, {**reply, "choices": []})
        case "two_choices":
            send_json(writer, 200, {**reply, "choices": reply["choices"] * 2})
        case "other_id":
            send_json(writer, 200, {**reply, "id": "cmpl-dartune-00000000-1"})
        case "drip":
            send(writer, 200, b"", length=len(whole))
            for at in range(len(whole)):
                writer.write(whole[at : at + 1])
                await writer.drain()
                await asyncio.sleep(_DRIP_S)
        case "redirect":
            send(writer, 307, b"", Location="http://127.0.0.1:9/elsewhere")
        case "html":
            send(writer, 200, b"<html><body>Bad gateway</body></html>", **{"Content-Type": "text/html"})
        case _:
            raise ValueError(kind)
    await writer.drain()
    return True


def send(writer: asyncio.StreamWriter, status: int, body: bytes, *, length: int | None = None, **headers: str) -> None:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in ({"Content-Type": "application/json"} | headers).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)


def send_json(writer: asyncio.StreamWriter, status: int, value: object, **headers: str) -> None:
    send(writer, status, json.dumps(value).encode(), **headers)


def send_stream(writer: asyncio.StreamWriter, reply: dict[str, Any], *, is_chat: bool) -> None:
    choice = reply["choices"][0]
    text = choice["message"]["content"] if is_chat else choice["text"]
    parts: list[dict[str, Any]] = [{"delta": {"content": c}} if is_chat else {"text": c} for c in text]
    events = [{"id": reply["id"], "choices": [part]} for part in parts]
    events[-1]["choices"][0]["finish_reason"] = choice["finish_reason"]
    events.append({"id": reply["id"], "choices": [], "usage": reply["usage"]})
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    send(writer, 200, body, **{"Content-Type": "text/event-stream"})


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
