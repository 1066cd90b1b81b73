"""A completions server with a best number of requests in flight, to see whether a client finds it.

    python limited_server.py KIND BEST

Prints its port. KIND says what happens to requests beyond BEST: `queue`, they wait their turn; `thrash`, they slow each
other down; `refuse`, status 429. A token takes a millisecond, a response about a hundred of them.
"""

import asyncio
import json
import random
import sys
from collections import deque

TOKEN_S = 0.001
_MODELS = json.dumps({"object": "list", "data": [{"id": "limited", "object": "model"}]}).encode()


class Work:
    """What all connections share."""

    def __init__(self, kind: str, best: int) -> None:
        self.kind = kind
        self.best = best
        self.n_running = 0
        self.queue: deque[asyncio.Future[None]] = deque()
        self.draw = random.Random(0)

    async def complete(self) -> tuple[int, bytes]:
        """Status and body of one more completion."""
        if self.n_running >= self.best and self.kind == "refuse":
            return 429, b'{"error": {"message": "too many requests"}}'
        if self.n_running >= self.best and self.kind == "queue":
            turn = asyncio.get_running_loop().create_future()
            self.queue.append(turn)
            await turn
        self.n_running += 1
        n_tokens = max(1, round(self.draw.lognormvariate(4.5, 0.5)))
        slower = max(1.0, (self.n_running / self.best) ** 1.6)
        await asyncio.sleep(n_tokens * TOKEN_S * slower)
        self.n_running -= 1
        if self.queue:
            self.queue.popleft().set_result(None)
        choice = {"index": 0, "text": "So it is 42.", "finish_reason": "stop"}
        usage = {"prompt_tokens": 80, "completion_tokens": n_tokens}
        return 200, json.dumps({"id": "cmpl-0", "choices": [choice], "usage": usage}).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes over one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0][15:]) if lengths else 0)
                status, body = await self.complete() if head.startswith(b"POST") else (200, _MODELS)
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()


async def main(kind: str, best: int) -> None:
    work = Work(kind, best)
    server = await asyncio.start_server(work.serve, "127.0.0.1", 0, backlog=16_384)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
