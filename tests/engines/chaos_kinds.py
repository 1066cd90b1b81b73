"""The ways in which the chaos server misbehaves, and what the engine is to make of each."""

import asyncio
import gzip
import json
import socket
import struct
from dataclasses import dataclass
from typing import Any

KINDS = {
    "429": "rate_limited", "500": "status_500", "503": "overloaded", "hang": "timeout", "reset": "reset",
    "closed": "reset", "half_body": "cut_off", "half_chunk": "cut_off", "bad_json": "bad_json",
    "no_choices": "no_choices", "two_choices": "many_choices", "other_id": "other_reply", "drip": "timeout",
    "redirect": "redirect", "html": "bad_json", "not_http": "bad_reply", "bad_gzip": "cut_off",
}  # fmt: skip
"""Ways to misbehave -> the cause that the engine is to record."""

STREAM_KINDS = KINDS | {"no_choices": "aborted", "html": "cut_off"}
"""The same for replies that come as streams: one without a choice is one that never ended."""

_HANG_S = 60.0
_DRIP_S = 0.2
_OTHER_ID = "cmpl-dartune-00000000-1"


@dataclass(frozen=True)
class Reply:
    """A right answer, and how it was asked for."""

    value: dict[str, Any]
    is_stream: bool
    is_chat: bool

    def body(self, **changes: object) -> bytes:
        """The answer, with some of its fields changed."""
        value = self.value | changes
        return stream_body(value, is_chat=self.is_chat) if self.is_stream else json.dumps(value).encode()

    def send(self, writer: asyncio.StreamWriter, body: bytes, *, length: int | None = None, **headers: str) -> None:
        content_type = "text/event-stream" if self.is_stream else "application/json"
        send(writer, 200, body, length=length, **({"Content-Type": content_type} | headers))


async def misbehave(kind: str, reply: Reply, writer: asyncio.StreamWriter, *, retry_after: str, redirect: str) -> bool:
    """Misanswer one request; whether the connection goes on."""
    match kind:
        case "429" | "503":
            send_json(writer, int(kind), {"error": {"message": "too much"}}, **{"Retry-After": retry_after})
        case "500":
            send_json(writer, 500, {"error": {"message": "inside"}})
        case "redirect":
            send(writer, 307, b"", Location=redirect)
        case "html":
            send(writer, 200, b"<html><body>Bad gateway</body></html>", **{"Content-Type": "text/html"})
        case "bad_json":
            reply.send(writer, reply.body().replace(b'"choices": [', b'"choices": [[', 1))
        case "no_choices":
            reply.send(writer, reply.body(choices=[]))
        case "two_choices":
            reply.send(writer, reply.body(choices=reply.value["choices"] * 2))
        case "other_id":
            reply.send(writer, reply.body(id=_OTHER_ID))
        case "bad_gzip":
            reply.send(writer, b"\0" + gzip.compress(reply.body()), **{"Content-Encoding": "gzip"})
        case _:
            return await _break(kind, reply, writer)
    await writer.drain()
    return True


async def _break(kind: str, reply: Reply, writer: asyncio.StreamWriter) -> bool:
    """Misbehave in a way that ends the connection."""
    whole = reply.body()
    match kind:
        case "hang":
            await asyncio.sleep(_HANG_S)
        case "closed":
            pass
        case "reset":
            linger = struct.pack("ii", 1, 0)  # closing sends a reset
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return False
        case "half_body":
            reply.send(writer, whole[: len(whole) // 2], length=len(whole))
        case "half_chunk":
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(head + b"%x\r\n" % len(whole) + whole[:20])
        case "drip":
            reply.send(writer, b"", length=len(whole))
            for at in range(len(whole)):
                writer.write(whole[at : at + 1])
                await writer.drain()
                await asyncio.sleep(_DRIP_S)
        case "not_http":
            writer.write(b"\x16\x03\x01 this is another protocol\r\n\r\n" + whole)
        case _:
            raise ValueError(kind)
    await writer.drain()
    return False


def send(writer: asyncio.StreamWriter, status: int, body: bytes, *, length: int | None = None, **headers: str) -> None:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in ({"Content-Type": "application/json"} | headers).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)


def send_json(writer: asyncio.StreamWriter, status: int, value: object, **headers: str) -> None:
    send(writer, status, json.dumps(value).encode(), **headers)


def stream_body(reply: dict[str, Any], *, is_chat: bool) -> bytes:
    """The events of an answer: one for each character of its text, then the counts."""
    events = []
    if reply["choices"]:
        choice = reply["choices"][0]
        text = choice["message"]["content"] if is_chat else choice["text"]
        parts: list[dict[str, Any]] = [{"delta": {"content": c}} if is_chat else {"text": c} for c in text]
        parts[-1]["finish_reason"] = choice["finish_reason"]
        events = [{"id": reply["id"], "choices": [part] * len(reply["choices"])} for part in parts]
    events.append({"id": reply["id"], "choices": [], "usage": reply["usage"]})
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
