"""A load generator that does nothing but ask: what a server reaches without dartune."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterable
from urllib.parse import urlsplit


async def bare_tokens_per_s(url: str, bodies: Iterable[bytes], n_in_flight: int) -> float:
    """Completion tokens per second of sending all `bodies`, `n_in_flight` at a time.

    One coroutine for each connection writes a request, reads the reply and counts its tokens.
    """
    waiting = deque(bodies)
    started_s = time.perf_counter()
    counts = await asyncio.gather(*(_connection(url, waiting) for _ in range(n_in_flight)))
    return sum(counts) / (time.perf_counter() - started_s)


async def _connection(url: str, waiting: deque[bytes]) -> int:
    """Take requests from `waiting` until none is left; the tokens of the replies."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    n_tokens = 0
    while waiting:
        body = waiting.popleft()
        head = (
            f"POST {parts.path}/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        status, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        assert " 200 " in status, status
        length = next(field for field in fields if field.startswith("content-length:")).partition(":")[2]
        reply = json.loads(await reader.readexactly(int(length)))
        n_tokens += reply["usage"]["completion_tokens"]
    writer.close()
    await writer.wait_closed()
    return n_tokens
