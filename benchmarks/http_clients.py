"""Requests per second and core of HTTP clients, at 2,000 requests in flight against a server that answers at once.

    python benchmarks/http_clients.py [--json] [--quick]

Each client runs in its own process, pinned to one core; the server has another. A client that is not installed is left
out. The last line is one JSON object: client -> requests per CPU second.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

PARTS = Path(__file__).parent / "engine_parts"
N_IN_FLIGHT = 2_000
BODY = {"model": "fast", "prompt": "What is 6 times 7? " * 16, "max_tokens": 2048, "temperature": 1.6, "seed": 1}
Ask = Callable[[], Awaitable[int]]


async def with_aiohttp(url: str, work: Callable[[Ask], Awaitable[None]]) -> None:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> int:
            async with session.post(f"{url}/completions", json=BODY) as reply:
                return int(json.loads(await reply.read())["usage"]["completion_tokens"])

        await work(ask)


async def with_httpx2(url: str, work: Callable[[Ask], Awaitable[None]]) -> None:
    import httpx2

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=600) as client:

        async def ask() -> int:
            reply = await client.post(f"{url}/completions", json=BODY)
            return int(reply.json()["usage"]["completion_tokens"])

        await work(ask)


async def with_openai(url: str, work: Callable[[Ask], Awaitable[None]]) -> None:
    import openai  # type: ignore[import-not-found,unused-ignore]

    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=600) as client:

        async def ask() -> int:
            reply = await client.completions.create(**BODY)
            return int(reply.usage.completion_tokens)

        await work(ask)


CLIENTS = {"aiohttp": with_aiohttp, "httpx2": with_httpx2, "openai": with_openai}


async def measure(name: str, url: str, n_requests: int) -> float:
    """Requests per CPU second of this process."""
    rate = 0.0

    async def work(ask: Ask) -> None:
        nonlocal rate

        async def lane(n: int) -> None:
            for _ in range(n):
                await ask()

        await asyncio.gather(*(lane(1) for _ in range(N_IN_FLIGHT)))
        start = time.process_time()
        await asyncio.gather(*(lane(n_requests // N_IN_FLIGHT) for _ in range(N_IN_FLIGHT)))
        rate = n_requests / (time.process_time() - start)

    await CLIENTS[name](url, work)
    return round(rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the last line is always JSON")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--client", choices=list(CLIENTS), help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    n_requests = 4_000 if options.quick else 20_000
    if options.client:
        os.sched_setaffinity(0, {0})
        print(asyncio.run(measure(options.client, options.url, n_requests)))
        return
    rates = {}
    for name in CLIENTS:
        if find_spec(name) is None:
            print(f"{name}: not installed")
            continue
        with subprocess.Popen([sys.executable, PARTS / "fast_server.py"], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
            command = [sys.executable, __file__, "--client", name, "--url", url, *(["--quick"] * options.quick)]
            rates[name] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            server.terminate()
        print(f"{name}: {rates[name]:,.0f} requests per CPU second")
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
