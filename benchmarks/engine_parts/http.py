"""What the engine for servers costs on one core, against a server that answers at once, or after a while."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http import OpenAIEngine
from dartune.types import Key, Request, SamplingParams

_PROMPT = "What is 6 times 7? " * 16
_PARAMS = SamplingParams()


@contextmanager
def fast_server(delay_s: float = 0.0) -> Iterator[str]:
    """The base URL of a server in a process of its own."""
    program = Path(__file__).parent / "fast_server.py"
    command = [sys.executable, str(program), "--delay", str(delay_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        finally:
            server.terminate()


def requests_per_s(*, quick: bool) -> dict[str, float]:
    """Requests per second of wall and of CPU time at 512 in flight, in a process that has one core."""
    return _in_own_process("rate", 10_000 if quick else 60_000)


def rss_mb_in_flight(n_in_flight: int = 10_000) -> dict[str, float]:
    """Peak memory of a process with so many requests in flight at a time."""
    return _in_own_process("memory", n_in_flight)


def _in_own_process(what: str, n: int) -> dict[str, float]:
    with fast_server(0.0 if what == "rate" else 8.0) as url:
        command = [sys.executable, "-m", "engine_parts.http", what, str(n), url]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return dict(json.loads(done.stdout))


async def _lanes(engine: OpenAIEngine, n_lanes: int, n_each: int) -> None:
    async def lane(index: int) -> None:
        for trial in range(n_each):
            request = Request(key=Key(str(index), trial), prompt=_PROMPT, seed=index * n_each + trial, params=_PARAMS)
            await engine.generate(request)

    await asyncio.gather(*(lane(index) for index in range(n_lanes)))


async def _rate(n: int, url: str) -> dict[str, float]:
    os.sched_setaffinity(0, {0})
    engine = OpenAIEngine(OpenAIEngineConfig(model="fast", base_urls=(url,), max_in_flight=512))
    await engine.start()
    await _lanes(engine, 512, 2)
    wall, cpu = time.perf_counter(), time.process_time()
    await _lanes(engine, 512, n // 512)
    sent = n // 512 * 512
    rates = {"per_s": sent / (time.perf_counter() - wall), "per_cpu_s": sent / (time.process_time() - cpu)}
    await engine.aclose()
    return {name: round(rate) for name, rate in rates.items()}


async def _memory(n: int, url: str) -> dict[str, float]:
    engine = OpenAIEngine(OpenAIEngineConfig(model="fast", base_urls=(url,), max_in_flight=n))
    await engine.start()
    start = time.perf_counter()
    await _lanes(engine, n, 1)
    seconds = time.perf_counter() - start
    faults = sum(engine.faults.values())
    await engine.aclose()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"in_flight": n, "peak_mb": round(peak_mb), "seconds": round(seconds, 1), "faults": faults}


if __name__ == "__main__":
    what, n, url = sys.argv[1:]
    print(json.dumps(asyncio.run((_rate if what == "rate" else _memory)(int(n), url))))
