"""A node of a Ray cluster is killed in the middle of a run: what it costs, and what it changes.

    python benchmarks/ray_node_loss.py [--json] [--quick]

Two nodes on loopback, four replicas of the fake engine. The same queries are sampled without Ray first. The last line
is one JSON object: `samples`, `replicas_lost`, `replicas_replaced`, `asked_again` (requests), `gap_s` (longest time
from the loss of a replica until another was in its place: Ray notices a killed node after some 15 s), `silence_s`
(longest time without any answer) and `identical` (whether both runs gave the same samples).
"""

import argparse
import json
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dartune.config import FakeEngineConfig, RayEngineConfig, UniformMethod
from dartune.engines.base import Engine
from dartune.engines.fake import FakeEngine
from dartune.engines.ray import RayEngine
from dartune.grading import Grader
from dartune.pool import read_samples
from dartune.prompts import load_template
from dartune.sampling.job import Job
from dartune.sampling.progress import Progress
from dartune.sampling.run import sample_pool
from dartune.types import Query, Request, Response, SamplingParams

HEAD, SECOND = "127.0.0.2", "127.0.0.3"
FAKE = FakeEngineConfig(n_places=8, latency_s=0.5)
Watch = Callable[[Progress], None]


class Timed(RayEngine):
    """Notes the longest time between two answers."""

    silence_s = 0.0
    last_s: float | None = None

    async def generate(self, request: Request) -> Response:
        """Answer one request."""
        response = await super().generate(request)
        now = time.monotonic()
        self.silence_s = max(self.silence_s, now - (self.last_s or now))
        self.last_s = now
        return response


def sample(queries: list[Query], engine: Engine, watch: Watch | None = None) -> list[str]:
    """The samples of a run, in an order of their own."""
    job = Job(
        queries=queries,
        methods={"uniform": UniformMethod(policy="uniform", k=4, max_trials=64)},
        template=load_template("plain"),
        params=SamplingParams(),
        seed=1,
        speculation=0.0,
    )
    with tempfile.TemporaryDirectory() as folder, Grader() as grader:
        sample_pool(job, engine=engine, grader=grader, pool=Path(folder), watch=watch)
        return sorted(map(str, read_samples(Path(folder)).to_pylist()))


def once(action: Callable[[], object], *, after: int) -> Watch:
    """Act in a thread when so many samples are there."""
    threads: list[threading.Thread] = []

    def watch(progress: Progress) -> None:
        if progress.n_samples >= after and not threads:
            threads.append(threading.Thread(target=action))
            threads[0].start()

    return watch


def measure(n_queries: int) -> dict[str, float]:
    """Both runs."""
    # Ray reads these when it is imported, and it listens on every interface.
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    import ray
    from ray.cluster_utils import Cluster

    queries = [Query.of(f"Problem {i} ?", str(i), level=i % 5 + 1) for i in range(n_queries)]
    plain = sample(queries, FakeEngine(FAKE.model_copy(update={"latency_s": 0.0}), queries))
    cluster: Any = Cluster()
    try:
        cluster.add_node(node_ip_address=HEAD, num_cpus=4, include_dashboard=False)
        second = cluster.add_node(node_ip_address=SECOND, num_cpus=4, include_dashboard=False)
        config = RayEngineConfig(engine=FAKE, n_replicas=4, n_cpus=1, address=cluster.address)
        engine = Timed(config, queries)
        kill = once(lambda: cluster.remove_node(second, allow_graceful=False), after=len(plain) // 5)
        rows = sample(queries, engine, kill)
    finally:
        ray.shutdown()
        cluster.shutdown()
    return {
        "samples": len(rows),
        "replicas_lost": engine.stats.n_lost,
        "replicas_replaced": engine.stats.n_replaced,
        "asked_again": engine.stats.n_asked_again,
        "gap_s": round(engine.stats.longest_gap_s, 1),
        "silence_s": round(engine.silence_s, 1),
        "identical": rows == plain,
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the last line is always JSON")
    parser.add_argument("--quick", action="store_true", help="fewer queries: the run may end before Ray sees the loss")
    options = parser.parse_args()
    print(json.dumps(measure(60 if options.quick else 200)))


if __name__ == "__main__":
    main()
