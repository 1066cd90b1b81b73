"""`dartune sample` beside a bare load generator, on one real vLLM server.

Both ask the same requests, key by key with the same seeds, as many at a time, and take turns. The bare client is one
coroutine for each connection that writes a request, reads the reply and counts its tokens; the other side is the whole
command, with targets, grading and a pool. The server, its client and the graders share the machine's cores, so work
of ours slows the server down: with a small model on few cores this is the hardest case.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dartune.config import QueriesConfig
from dartune.prompts import load_template
from dartune.queries import load_queries
from dartune.types import Key, request_seed
from engine_parts.bare import bare_tokens_per_s
from engine_parts.vllm_server import vllm_server
from engine_parts.wide_heads import save_wide_teacher

N_IN_FLIGHT = 64
N_TRIALS = 5
SEED = 3
MAX_TOKENS = 448
N_WARM = 200


class Work(NamedTuple):
    """What both sides do, and how often."""

    min_tokens: int
    """No response ends before; one that has solved its problem goes on with others."""
    n_queries: int
    n_rounds: int


LONG = Work(min_tokens=300, n_queries=100, n_rounds=6)
"""As long as solutions of competition problems are."""
SHORT = Work(min_tokens=0, n_queries=600, n_rounds=2)
"""As long as the tiny model's own, some 33 tokens: hundreds of requests per second."""


_RECIPE = f"""
name = "load"
seed = {SEED}
[queries]
source = "world/train"
limit = %d
[prompt]
template = "world"
[engine]
name = "openai_http"
model = "teacher"
base_urls = ["%s"]
max_in_flight = {N_IN_FLIGHT}
extra_body.min_tokens = %d
[sampling]
temperature = 1.0
top_p = 1.0
max_new_tokens = {MAX_TOKENS}
[methods.vrt]
policy = "vanilla"
n_trials = {N_TRIALS}
[methods.uniform]
policy = "uniform"
k = {N_TRIALS}
max_trials = {N_TRIALS}
[curation]
n_examples = 1
"""
"""Uniform has targets of its own, and no try that VRT does not make: both sides have the same requests."""


def vllm_over_bare(*, quick: bool, python: str) -> dict[str, object]:
    """Tokens per second of both sides, and the median of their ratios; `python` is of an environment with vLLM."""
    loads = {"vllm_over_bare": LONG, "vllm_over_bare_short": SHORT}
    if quick:
        loads = {name: work._replace(n_queries=work.n_queries // 3, n_rounds=1) for name, work in loads.items()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = save_wide_teacher(folder / "teacher")
        with vllm_server(python, model, folder / "server.log", served_as="teacher", dtype="bfloat16") as url:
            asyncio.run(bare_tokens_per_s(url, _bodies(SHORT._replace(n_queries=N_WARM)), N_IN_FLIGHT))
            measured = {name: _in_turn(url, work, folder / name) for name, work in loads.items()}
    result: dict[str, object] = {}
    for name, rounds in measured.items():
        result[name] = round(statistics.median(ours / bare for bare, ours in rounds), 3)
        result[f"{name}_tokens_per_s"] = [(round(bare), round(ours)) for bare, ours in rounds]
    return result


def _in_turn(url: str, work: Work, folder: Path) -> list[tuple[float, float]]:
    """Tokens per second of the bare client and of ours, for each round."""
    folder.mkdir()
    bodies = _bodies(work)
    rounds = []
    for index in range(work.n_rounds):
        sides: list[Callable[[], float]] = [
            lambda: asyncio.run(bare_tokens_per_s(url, bodies, N_IN_FLIGHT)),
            partial(_dartune, url, work, folder / f"{index}"),
        ]
        # Each goes first in turn: a machine that others use slows down and speeds up.
        order = (0, 1) if index % 2 == 0 else (1, 0)
        rates = {side: sides[side]() for side in order}
        rounds.append((rates[0], rates[1]))
    return rounds


def _dartune(url: str, work: Work, folder: Path) -> float:
    folder.mkdir()
    recipe = folder / "load.toml"
    recipe.write_text(_RECIPE % (work.n_queries, url, work.min_tokens))
    command = [
        sys.executable,
        "-m",
        "dartune",
        "sample",
        str(recipe),
        "--out",
        str(folder / "run"),
        "--json",
        "--quiet",
    ]
    done = json.loads(
        subprocess.run([*command, "--json", "--quiet"], check=True, capture_output=True, text=True).stdout
    )
    assert done["n_samples"] == work.n_queries * N_TRIALS, done
    assert done["n_failures"] == 0, done
    return float(done["n_tokens"] / done["elapsed_s"])


def _bodies(work: Work) -> list[bytes]:
    """What `dartune sample` sends for every key."""
    queries = load_queries(QueriesConfig(source="world/train", limit=work.n_queries)).queries
    template = load_template("world")
    return [
        json.dumps(
            {
                "model": "teacher",
                "prompt": template.render(query.text),
                "max_tokens": MAX_TOKENS,
                "temperature": 1.0,
                "top_p": 1.0,
                "min_tokens": work.min_tokens,
                "seed": request_seed(Key(query.id, trial), SEED),
            }
        ).encode()
        for query in queries
        for trial in range(N_TRIALS)
    ]
