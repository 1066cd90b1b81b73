"""A pool filled by the fake engine, and jobs that choose from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dartune.config import CurationConfig, FakeEngineConfig, MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.curation import CurationJob
from dartune.engines.fake import FakeEngine
from dartune.grading import Grader
from dartune.prompts import load_template
from dartune.sampling.job import Job
from dartune.sampling.run import sample_pool
from dartune.types import Query, SamplingParams

QUERIES = [Query.of(f"Problem {i} ?", str(i), level=i % 5 + 1) for i in range(60)]
METHODS: dict[str, MethodConfig] = {
    "vrt": VanillaMethod(policy="vanilla", n_trials=6),
    "uniform": UniformMethod(policy="uniform", k=4, max_trials=60),
    "prop2diff": Prop2DiffMethod(policy="prop2diff", k=8, n_pilot=8, max_trials=60),
    "vrt-tokens": VanillaMethod(policy="vanilla", n_trials=12, equal_tokens_with="prop2diff"),
}
ONE_METHOD: dict[str, MethodConfig] = {"uniform": METHODS["uniform"]}


def fill(path: Path) -> Path:
    """Sample until every method has what it asks for; the pool."""
    job = Job(
        queries=QUERIES,
        methods=METHODS,
        template=load_template("alpaca"),
        params=SamplingParams(),
        seed=5,
        speculation=1,
    )
    with Grader() as grader:
        sample_pool(job, engine=FakeEngine(FakeEngineConfig(), QUERIES), grader=grader, pool=path)
    return path


def make_job(
    config: CurationConfig | None = None,
    *,
    methods: Mapping[str, MethodConfig] = ONE_METHOD,
    benchmarks: Mapping[str, Sequence[Query]] | None = None,
) -> CurationJob:
    """What curation is asked to do with it."""
    return CurationJob(
        queries=QUERIES,
        methods=methods,
        config=config or CurationConfig(),
        template=load_template("alpaca"),
        seed=1,
        benchmarks=benchmarks or {},
    )
