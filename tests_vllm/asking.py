"""What the tests ask: world problems, several times each, through any engine."""

import asyncio
from collections.abc import Iterable, Sequence

from dartune.config import QueriesConfig
from dartune.engines.base import Engine
from dartune.prompts import load_template
from dartune.queries import load_queries
from dartune.types import Key, Request, Response, SamplingParams, request_seed

VLLM_OPTIONS = {"kv_cache_memory_bytes": 2**30, "enforce_eager": True, "max_model_len": 512}
"""A small cache, and no compiling, which would take minutes for a model that runs for seconds."""


def world_prompts(n_prompts: int) -> list[str]:
    queries = load_queries(QueriesConfig(source="world/train", limit=n_prompts)).queries
    template = load_template("world")
    return [template.render(query.text) for query in queries]


def requests(
    prompts: Sequence[str],
    *,
    temperature: float,
    max_new_tokens: int = 160,
    stop: tuple[str, ...] = (),
    run_seed: int = 7,
) -> list[Request]:
    """One request for each prompt, its seed from its place and `run_seed`."""
    params = SamplingParams(temperature=temperature, top_p=1.0, max_new_tokens=max_new_tokens, stop=stop)
    keys = [Key(f"prompt-{index}", 0) for index in range(len(prompts))]
    return [
        Request(key=key, prompt=prompt, seed=request_seed(key, run_seed), params=params)
        for key, prompt in zip(keys, prompts, strict=True)
    ]


async def ask(engine: Engine, asked: Iterable[Request]) -> list[Response]:
    """All at once."""
    return list(await asyncio.gather(*(engine.generate(request) for request in asked)))


def texts(responses: Iterable[Response]) -> list[tuple[str, str, int, int]]:
    """What must be the same of two engines with the same tokens."""
    return [(r.text, r.finish_reason, r.n_prompt_tokens, r.n_tokens) for r in responses]
