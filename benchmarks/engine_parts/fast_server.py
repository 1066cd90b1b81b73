"""A completions server that answers at once, so that only the client is measured.

    python fast_server.py [--delay SECONDS]

Prints its port. It reads no more of HTTP than a benchmark's clients send: a head, and a body of Content-Length bytes.
"""

import argparse
import asyncio
import json

_REPLY = json.dumps(
    {
        "id": "cmpl-0",
        "object": "text_completion",
        "created": 0,
        "model": "fast",
        "choices": [{"index": 0, "text": "So the answer is \\boxed{42}. " * 20, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 80, "completion_tokens": 200, "total_tokens": 280},
    }
).encode()
_MODELS = json.dumps({"object": "list", "data": [{"id": "fast", "object": "model"}]}).encode()
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "


class FastServer(asyncio.Protocol):
    """One connection."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what replies are written to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request in what has come."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            body = _MODELS if head.startswith(b"get") else _REPLY
            reply = _HEAD + str(len(body)).encode() + b"\r\n\r\n" + body
            if self._delay_s and body is _REPLY:
                asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, reply)
            else:
                self._transport.write(reply)


async def serve(delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FastServer(delay_s), "127.0.0.1", 0, backlog=16_384)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0)
    asyncio.run(serve(parser.parse_args().delay))
