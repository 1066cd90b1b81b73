"""How often the company in a batch changes a text: the same requests, asked in two batches of different make-up.

    python benchmarks/near_ties.py [--n 2000] [--quick]

Every draw comes from the request's own seed, so only rounding can differ: where a random number falls on the edge
between two tokens to within the last bits of a probability. The last line is one JSON object.
"""

import argparse
import asyncio
import json

from dartune.config import TransformersEngineConfig
from dartune.engines.factory import build_engine
from dartune.prompts import load_template
from dartune.types import Key, Request, Response, SamplingParams, request_seed
from dartune.world import world_queries

SETTINGS = {
    "temperature 1": SamplingParams(temperature=1.0, top_p=1.0, max_new_tokens=160),
    "temperature 1, top-p 0.95": SamplingParams(temperature=1.0, top_p=0.95, max_new_tokens=160),
    "greedy": SamplingParams(temperature=0.0, top_p=1.0, max_new_tokens=160),
}


def answer(requests: list[Request], n_places: int) -> list[Response]:
    """The response to each request, with `n_places` of them in a batch at a time."""

    async def ask_all() -> list[Response]:
        config = TransformersEngineConfig(model="world:teacher-a", n_places=n_places, n_threads=1)
        engine = build_engine(config, [])
        try:
            return await asyncio.gather(*(engine.generate(request) for request in requests))
        finally:
            await engine.aclose()

    return asyncio.run(ask_all())


def count_changed(params: SamplingParams, n: int) -> dict[str, int]:
    """Ask `n` requests in batches of 512, and in batches of 200 in reversed order."""
    template = load_template("world")
    keys = [
        (query, Key(query.id, trial)) for query in world_queries("world/train", n=n // 4, seed=0) for trial in range(4)
    ]
    requests = [
        Request(key=key, prompt=template.render(query.text), seed=request_seed(key, 0), params=params)
        for query, key in keys
    ]
    first, second = answer(requests, 512), answer(requests[::-1], 200)[::-1]
    return {
        "requests": len(requests),
        "tokens": sum(response.n_tokens for response in first),
        "texts_changed": sum(a.text != b.text for a, b in zip(first, second, strict=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000, help="requests of each setting")
    parser.add_argument("--quick", action="store_true", help="200 requests of each")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    options = parser.parse_args()
    results = {name: count_changed(params, 200 if options.quick else options.n) for name, params in SETTINGS.items()}
    if not options.json:
        for name, result in results.items():
            print(f"{name}: {result['texts_changed']} of {result['requests']} texts ({result['tokens']} tokens) differ")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
