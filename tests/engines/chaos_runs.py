"""Whole runs against chaos servers, in this process and through the command line."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dartune.config import MethodConfig, OpenAIEngineConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.engines.openai_http import OpenAIEngine
from dartune.engines.openai_http.engine import Sleep
from dartune.grading import Grader
from dartune.pool import read_samples
from dartune.prompts import load_template
from dartune.sampling.job import Job, SamplingReport
from dartune.sampling.run import sample_pool
from dartune.types import Query, SamplingParams
from engines.chaos_process import TESTS, ChaosProcess

QUERIES = [Query.of(f"What is {i} + {i % 7} ?", str(i + i % 7), level=i % 5 + 1) for i in range(60)]
METHODS: dict[str, MethodConfig] = {
    "vrt": VanillaMethod(policy="vanilla", n_trials=5),
    "uniform": UniformMethod(policy="uniform", k=4, max_trials=60),
    "prop2diff": Prop2DiffMethod(policy="prop2diff", k=6, n_pilot=6, max_trials=60),
}
COLUMNS = ["query_id", "trial", "response", "verdict", "failure"]


def config(*servers: ChaosProcess, **settings: Any) -> OpenAIEngineConfig:
    urls = tuple(server.url for server in servers)
    return OpenAIEngineConfig(
        **{"model": "chaos", "base_urls": urls, "timeout_s": 1.5, "max_attempts": 6, "max_in_flight": 64, **settings}
    )


def sample(pool: Path, engine: OpenAIEngine) -> SamplingReport:
    template = load_template("plain")
    job = Job(queries=QUERIES, methods=METHODS, template=template, params=SamplingParams(), seed=1, speculation=0.0)
    with Grader() as grader:
        return sample_pool(job, engine=engine, grader=grader, pool=pool)


def run(
    pool: Path, *servers: ChaosProcess, sleep: Sleep = asyncio.sleep, **settings: Any
) -> tuple[SamplingReport, OpenAIEngine]:
    engine = OpenAIEngine(config(*servers, **settings), sleep=sleep)
    return sample(pool, engine), engine


class Child(subprocess.Popen[str]):
    """A process that a test which fails does not wait for."""

    def __exit__(self, *error: Any) -> None:
        self.kill()
        super().__exit__(*error)


def start_run(pool: Path, *servers: ChaosProcess, **settings: Any) -> Child:
    """The same in a process of its own, so that the servers' fates can be changed meanwhile."""
    command = [sys.executable, "-m", "engines.chaos_runs", str(pool), config(*servers, **settings).model_dump_json()]
    return Child(command, cwd=TESTS, text=True)


async def nap(seconds: float) -> None:
    """Sleep for a fiftieth: pauses between attempts keep their order."""
    await asyncio.sleep(seconds / 50)


def samples(pool: Path) -> dict[tuple[str, int], tuple[str | None, str | None, str | None]]:
    """Key -> text, verdict, failure."""
    rows = zip(*(read_samples(pool, COLUMNS)[name].to_pylist() for name in COLUMNS), strict=True)
    return {(query, trial): (text, verdict, failure) for query, trial, text, verdict, failure in rows}


def wait_for(server: ChaosProcess, n_requests: int) -> None:
    while server.record()["n_requests"] < n_requests:
        time.sleep(0.05)


RECIPE = """
name = "served"
seed = 3
[queries]
source = "world/train"
limit = 40
[prompt]
template = "plain"
[engine]
name = "openai_http"
model = "{model}"
base_urls = ["{url}"]
api_key_env = "CHAOS_KEY"
timeout_s = 20
[engine.prices]
prompt = 1.0
completion = 4.0
[methods.vrt]
policy = "vanilla"
n_trials = 8
"""
KEY = "sk-very-secret-0123456789"


def write_recipe(folder: Path, url: str, model: str = "chaos") -> Path:
    path = folder / "served.toml"
    path.write_text(RECIPE.format(url=url, model=model))
    return path


def dartune(folder: Path, *arguments: str, key: str = KEY) -> Child:
    command = [sys.executable, "-m", "dartune", *arguments]
    environment = {**os.environ, "CHAOS_KEY": key}
    return Child(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sample(Path(sys.argv[1]), OpenAIEngine(OpenAIEngineConfig.model_validate_json(sys.argv[2])))
