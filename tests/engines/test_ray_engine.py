"""The engine on real Ray clusters, on loopback: nodes and processes are killed, and samples stay the same."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cluster.loopback import ray_alone, replica_pids, two_nodes
from dartune.cluster import Patience
from dartune.config import (
    CustomEngineConfig,
    FakeEngineConfig,
    QueriesConfig,
    RayEngineConfig,
    ReplicaConfig,
    TransformersEngineConfig,
    UniformMethod,
)
from dartune.engines.base import Engine
from dartune.engines.factory import build_engine
from dartune.engines.ray import RayEngine
from dartune.errors import ConfigError, EngineDown, EngineError, ModelError
from dartune.grading import Grader
from dartune.pool import read_outcomes, read_samples
from dartune.pool.overview import find_faults
from dartune.prompts import load_template
from dartune.queries import load_queries
from dartune.sampling.job import Job
from dartune.sampling.progress import Progress
from dartune.sampling.run import sample_pool
from dartune.types import Key, Query, Request, Response, SamplingParams, request_seed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

QUERIES = [Query.of(f"Problem {i} ?", str(i), level=i % 5 + 1) for i in range(40)]
SLOW = FakeEngineConfig(n_places=8, latency_s=0.2)


def job(queries: Sequence[Query] = QUERIES, params: SamplingParams = SamplingParams(), template: str = "plain") -> Job:  # noqa: B008
    method = UniformMethod(policy="uniform", k=3, max_trials=30)
    return Job(
        queries=queries,
        methods={"uniform": method},
        template=load_template(template),
        params=params,
        seed=1,
        speculation=0.0,
    )


def ray_config(engine: ReplicaConfig, **settings: object) -> RayEngineConfig:
    return RayEngineConfig.model_validate({"engine": engine, "n_replicas": 2, "n_cpus": 0.5, **settings})


def sample(the_job: Job, engine: Engine, pool: Path, watch: Callable[[Progress], None] | None = None) -> list[str]:
    """Every row of the pool that comes of it, in an order that does not depend on arrival.

    Log-probabilities are left out: their last digits depend on what else was in a batch.
    """
    with Grader() as grader:
        sample_pool(the_job, engine=engine, grader=grader, pool=pool, watch=watch)
    assert find_faults(pool) == []
    return sorted(str(row | {"sum_logprob": None}) for row in read_samples(pool).to_pylist())


def once(action: Callable[[], object], *, after: int) -> Callable[[Progress], None]:
    """Watches a run, and acts in a thread when so many samples are there."""
    threads: list[threading.Thread] = []

    def watch(progress: Progress) -> None:
        if progress.n_samples >= after and not threads:
            threads.append(threading.Thread(target=action))
            threads[0].start()

    return watch


def ask(engine: RayEngine, *requests: Request) -> list[Response | BaseException]:
    async def main() -> list[Response | BaseException]:
        try:
            await engine.start()
            return await asyncio.gather(*map(engine.generate, requests), return_exceptions=True)
        finally:
            await engine.aclose()

    return asyncio.run(main())


def request(query: Query, trial: int = 0, prompt: str | None = None) -> Request:
    key = Key(query.id, trial)
    return Request(key=key, prompt=prompt or query.text, seed=request_seed(key, 1), params=SamplingParams())


def test_a_run_that_loses_a_node_gives_the_samples_of_one_that_loses_none(tmp_path: Path) -> None:
    plain = sample(job(), build_engine(SLOW, QUERIES), tmp_path / "plain")
    with two_nodes() as nodes:
        engine = RayEngine(ray_config(SLOW, address=nodes.address, n_replicas=4), QUERIES)
        rows = sample(job(), engine, tmp_path / "ray", once(nodes.lose_second, after=30))
    assert rows == plain
    # Ray takes up to 15 s to see that a node is gone, and may put a replica there until then: the run does not wait.
    assert engine.stats.n_lost == 2
    assert engine.stats.n_asked_again > 0
    outcomes = read_outcomes(tmp_path / "ray")
    assert all(sorted(tries) == list(range(len(tries))) for tries in outcomes.values())
    assert all(list(tries.values()).count(True) == 3 or len(tries) == 30 for tries in outcomes.values())


def test_a_replica_that_is_killed_is_replaced_on_this_machine(tmp_path: Path) -> None:
    plain = sample(job(), build_engine(SLOW, QUERIES), tmp_path / "plain")
    with ray_alone():
        engine = RayEngine(ray_config(SLOW), QUERIES)
        kill = once(lambda: os.kill(replica_pids()[0], signal.SIGKILL), after=30)
        rows = sample(job(), engine, tmp_path / "ray", kill)
    assert rows == plain
    assert (engine.stats.n_lost, engine.stats.n_replaced) == (1, 1)
    assert engine.stats.n_asked_again > 0


@pytest.fixture
def odd_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CustomEngineConfig:
    """An engine of a user's, in the working directory, with rows that it cannot bear."""
    (tmp_path / "odd_engine.py").write_text(
        """
import asyncio, os
from pathlib import Path
from dartune.errors import EngineDown, EngineError
from dartune.types import Response

class Odd:
    n_places = 8
    model = "odd"
    def __init__(self, config):
        pass
    async def start(self):
        pass
    async def generate(self, request):
        await asyncio.sleep(0.01)
        if request.prompt == "raise":
            raise ValueError("a bad row")
        if request.prompt == "refuse":
            raise EngineError("refused", "by the model")
        if request.prompt == "die":
            os._exit(1)
        if request.prompt == "down":
            raise EngineDown("out of memory")
        if request.prompt == "hang":
            Path("began").touch()
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                Path("cancelled").touch()
                raise
        return Response(text=request.prompt, finish_reason="stop", n_prompt_tokens=1, n_tokens=1)
    async def aclose(self):
        Path("closed").touch()
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return CustomEngineConfig(name="odd_engine:Odd")


def test_bad_rows_fail_alone(odd_engine: CustomEngineConfig) -> None:
    prompts = ["raise", "refuse", "die", "down", *(f"fine {i}" for i in range(40))]
    with ray_alone():
        engine = RayEngine(ray_config(odd_engine), [])
        outcomes = ask(engine, *(request(QUERIES[0], i, prompt) for i, prompt in enumerate(prompts)))
    causes = [outcome.cause for outcome in outcomes if isinstance(outcome, EngineError)]
    assert causes == ["engine_raised", "refused", "replica_died", "replica_died"]
    assert "ValueError: a bad row" in str(outcomes[0])
    assert [outcome.text for outcome in outcomes[4:] if isinstance(outcome, Response)] == prompts[4:]


def test_cancelling_reaches_the_engine_in_the_replica(odd_engine: CustomEngineConfig, tmp_path: Path) -> None:
    async def main() -> None:
        engine = RayEngine(ray_config(odd_engine, n_replicas=1), [])
        try:
            await engine.start()
            task = asyncio.create_task(engine.generate(request(QUERIES[0], prompt="hang")))
            await until_there(tmp_path / "began")
            task.cancel()
            await until_there(tmp_path / "cancelled")
            assert not (tmp_path / "closed").exists()
        finally:
            await engine.aclose()
        assert (tmp_path / "closed").exists()

    with ray_alone():
        asyncio.run(main())


async def until_there(path: Path) -> None:
    async with asyncio.timeout(20):
        while not path.exists():
            await asyncio.sleep(0.01)


def test_a_bad_model_is_its_own_error_within_seconds() -> None:
    with ray_alone():
        engine = RayEngine(ray_config(TransformersEngineConfig(model="/nowhere/at/all")), [])
        start_s = time.monotonic()
        with pytest.raises(ModelError, match="'/nowhere/at/all': no such model folder"):
            ask(engine)
        assert time.monotonic() - start_s < 60


def test_what_does_not_fit_is_named() -> None:
    with ray_alone():
        config = ray_config(SLOW, n_replicas=3, n_cpus=1000, n_gpus=0.5, n_graders=2)
        with pytest.raises(
            ConfigError,
            match=r"^engine: 3 replicas of 1000 CPUs and 0.5 GPUs and 2 graders of 1 CPU do not fit into the cluster, "
            r"which has 1 node with .* CPUs?; lower engine.n_replicas",
        ):
            ask(RayEngine(config, []))


def test_a_cluster_that_is_full_is_an_error_after_a_while() -> None:
    with two_nodes(n_cpus=2) as nodes:

        async def main() -> None:
            first = RayEngine(ray_config(SLOW, address=nodes.address, n_cpus=2), QUERIES)
            second = RayEngine(
                ray_config(SLOW, address=nodes.address, n_cpus=2), QUERIES, patience=Patience(placing_s=3)
            )
            try:
                await first.start()
                while first.n_places < 16:
                    await asyncio.sleep(0.1)
                with pytest.raises(ConfigError, match=r"no place for 2 replicas of 2 CPUs: of .* 0 CPUs are free"):
                    await second.start()
                await second.aclose()
                assert isinstance(await first.generate(request(QUERIES[0])), Response)
            finally:
                await first.aclose()
            with pytest.raises(EngineDown, match="closed"):
                await first.generate(request(QUERIES[0]))

        asyncio.run(main())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "nothing answers at 127.0.0.1:1"),
        ("ray://localhost:10001", 'expected "auto" or HOST:PORT of the cluster\'s head'),
        ("auto", "no Ray cluster at 'auto'"),
    ],
)
def test_no_cluster_is_one_clear_error(address: str, message: str) -> None:
    with ray_alone():
        start_s = time.monotonic()
        with pytest.raises(ConfigError, match=f"engine.address: {message}"):
            ask(RayEngine(ray_config(SLOW, address=address), []))
        assert time.monotonic() - start_s < 10


def test_a_real_model_gives_the_same_texts_in_replicas_of_two_nodes(tmp_path: Path) -> None:
    queries = load_queries(QueriesConfig(source="world/train", limit=10)).queries
    params = SamplingParams(temperature=1.0, top_p=1.0, max_new_tokens=96)
    model = TransformersEngineConfig(model="world:teacher-a", n_places=32, n_threads=1)
    the_job = job(queries, params, template="world")
    plain = sample(the_job, build_engine(model, queries), tmp_path / "plain")
    with two_nodes(n_cpus=1) as nodes:
        engine = RayEngine(ray_config(model, address=nodes.address, n_cpus=1), [])
        assert sample(the_job, engine, tmp_path / "ray") == plain
    assert engine.model.startswith("teacher-a@")
