"""Scoring a model: every benchmark query asked through the same sampling path as everything else.

Every response stays in the pool, and beside it stands all that the scores depend on, so that they can be computed again
without asking (`dartune.evaluation.regrade`) and compared with others (`dartune.evaluation.comparison`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dartune.config import NO_PRICES, EvaluationConfig, Prices, VanillaMethod
from dartune.engines.base import Engine
from dartune.evaluation.asking import refuse_other_prompts, template_of_all
from dartune.evaluation.grader_version import grader_version
from dartune.evaluation.metrics import Scored
from dartune.evaluation.record import (
    FILE,
    BenchmarkRecord,
    EvaluationRecord,
    describe_benchmark,
    read_record,
    write_record,
)
from dartune.evaluation.regrade import recorded_queries, regrade
from dartune.evaluation.rows import benchmark_rows, read_rows, read_tries, write_rows
from dartune.pool import read_settings
from dartune.prompts import Template
from dartune.queries import QuerySet
from dartune.sampling.grades import Grades
from dartune.sampling.job import Job, SamplingReport
from dartune.sampling.run import Watcher, sample_pool
from dartune.types import SamplingParams
from dartune.versions import installed_versions

_SEED = 0
_VERSIONED = ("torch", "transformers", "vllm", "aiohttp", "ray", "math-verify", "sympy")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationJob:
    """What a model is asked."""

    benchmarks: Mapping[str, QuerySet]
    template: Template
    config: EvaluationConfig
    by_benchmark: Mapping[str, Template] = field(default_factory=dict)
    """Benchmark -> its own template in place of `template`, whose name the pool has in any case."""
    stop: tuple[str, ...] = ()
    """Strings that end a response because of the prompt: those of a few-shot prompt."""
    prices: Prices = NO_PRICES

    @property
    def params(self) -> SamplingParams:
        """How responses are drawn."""
        return self.config.params(self.stop)


def evaluate_model(
    job: EvaluationJob, *, engine: Engine, grader: Grades, pool: Path, watch: Watcher | None = None
) -> SamplingReport:
    """Ask every query of every benchmark as often as `job` says, into `pool`; what is there is not asked again.

    Benchmarks that were asked into the same pool before stay there. Where those answers were graded by another version
    of the grader, all are graded again. Raises as `sample_pool` does, and ConfigError where benchmarks that are asked
    in different ways share a query.
    """
    queries = {query.id: query for benchmark in job.benchmarks.values() for query in benchmark.queries}
    sampling = Job(
        queries=list(queries.values()),
        methods={"evaluation": VanillaMethod(policy="vanilla", n_trials=job.config.n_trials)},
        template=template_of_all(job.benchmarks, job.template, job.by_benchmark),
        params=job.params,
        seed=_SEED,
        prices=job.prices,
    )
    before = read_record(pool) if (pool / FILE).exists() else None
    kept = [part for part in before.benchmarks if part.name not in job.benchmarks] if before else []
    refuse_other_prompts(job.benchmarks, job.template, job.by_benchmark, kept, read_rows(pool))
    # What a killed call left has no record of its grader.
    graded_by = before.grader if before else "unknown" if (pool / "pool.json").exists() else grader_version()
    report = sample_pool(sampling, engine=engine, grader=grader, pool=pool, watch=watch)
    if graded_by != grader_version():
        regrade(pool, {**recorded_queries(pool, kept), **queries}, grader=grader)
    rows = {name: benchmark_rows(queries) for name, queries in job.benchmarks.items()}
    write_rows(pool, {**read_rows(pool), **rows})
    write_record(pool, _record(job, engine, pool, before.benchmarks if before else ()))
    return report


def scored_rows(pool: Path, benchmarks: Mapping[str, QuerySet]) -> dict[str, list[Scored]]:
    """The graded answers of each benchmark, all tries of every row: a query that stands there twice counts twice.

    See `read_tries`, also for what it raises. A pool without a record of its evaluation has one try of each query.
    """
    rows = {name: benchmark_rows(queries) for name, queries in benchmarks.items()}
    recorded = read_record(pool).benchmarks if (pool / FILE).exists() else ()
    tries = read_tries(pool, rows, {**dict.fromkeys(rows, 1), **{part.name: part.n_trials for part in recorded}})
    return {name: [row for made in part for row in made] for name, part in tries.items()}


def _record(job: EvaluationJob, engine: Engine, pool: Path, before: Sequence[BenchmarkRecord]) -> EvaluationRecord:
    asked = {
        name: describe_benchmark(name, queries, job.config, job.by_benchmark.get(name))
        for name, queries in job.benchmarks.items()
    }
    parts = {part.name: part for part in before} | asked  # one that is asked again keeps its place
    return EvaluationRecord(
        model=str(read_settings(pool)["model"]),
        engine=type(engine).__name__,
        versions=installed_versions(_VERSIONED),
        template=job.template.name,
        prompt=job.template.render("{query}"),
        sampling=job.params,
        seed=_SEED,
        grader=grader_version(),
        benchmarks=tuple(parts.values()),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
