"""Whether the engine for servers finds the number of requests in flight at which a server does best."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http import OpenAIEngine
from dartune.errors import EngineError
from dartune.types import Key, Request, SamplingParams

KINDS = {"queue": (1.0, 2.0), "thrash": (0.8, 1.0, 1.25), "refuse": (1.0, 1.1)}
"""What a server does beyond its best number -> multiples of that number which are tried as fixed settings."""
BEST = 48


class Found(NamedTuple):
    """Of one kind of server."""

    over_best_fixed: float
    limit: int
    """Requests in flight at the end."""
    best_fixed: int


class _Rate(NamedTuple):
    tokens_per_s: float
    limit: int


def over_best_fixed(*, quick: bool) -> dict[str, Found]:
    """Tokens per second of a search that has settled, over those of the best fixed setting, by kind of server."""
    seconds, warm_s = (3.0, 15.0) if quick else (10.0, 40.0)
    found = {}
    for kind, multiples in KINDS.items():
        with _server(kind) as url:
            fixed = {n: asyncio.run(_rate(url, n, seconds, 1.0)) for n in (round(BEST * m) for m in multiples)}
            best = max(fixed, key=lambda n: fixed[n].tokens_per_s)
            searched = asyncio.run(_rate(url, None, 2 * seconds, warm_s))
            found[kind] = Found(searched.tokens_per_s / fixed[best].tokens_per_s, searched.limit, best)
    return found


@contextmanager
def _server(kind: str) -> Iterator[str]:
    command = [sys.executable, str(Path(__file__).parent / "limited_server.py"), kind, str(BEST)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        finally:
            server.terminate()


async def _rate(url: str, max_in_flight: int | None, seconds: float, warm_s: float) -> _Rate:
    """Tokens per second after `warm_s`, with as many requests as the engine wants."""
    engine = OpenAIEngine(OpenAIEngineConfig(model="limited", base_urls=(url,), max_in_flight=max_in_flight))
    await engine.start()
    start_s = time.perf_counter() + warm_s
    n_tokens = n_asked = 0
    tasks: set[asyncio.Task[None]] = set()

    async def ask(number: int) -> None:
        nonlocal n_tokens
        request = Request(key=Key("q", number), prompt="What is 6 times 7?", seed=number, params=SamplingParams())
        try:
            response = await engine.generate(request)
        except EngineError:
            return
        n_tokens += response.n_tokens if time.perf_counter() > start_s else 0

    def fill(done: asyncio.Task[None] | None = None) -> None:
        nonlocal n_asked
        if done is not None:
            tasks.discard(done)
        while len(tasks) < engine.n_places and time.perf_counter() < start_s + seconds:
            n_asked += 1
            task = asyncio.create_task(ask(n_asked))
            tasks.add(task)
            task.add_done_callback(fill)

    fill()
    await asyncio.sleep(warm_s + seconds)
    rate = n_tokens / (time.perf_counter() - start_s)
    (limit,) = engine.limits.values()
    await asyncio.gather(*tasks)
    await engine.aclose()
    return _Rate(rate, limit)


if __name__ == "__main__":
    for kind, found in over_best_fixed(quick="--quick" in sys.argv).items():
        print(f"{kind}: {found.over_best_fixed:.3f} of the best fixed setting ({found.best_fixed}), at {found.limit}")
