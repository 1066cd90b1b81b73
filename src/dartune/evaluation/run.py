"""Scoring a model: one greedy try of every benchmark query, through the same sampling path as everything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dartune.config import NO_PRICES, EvaluationConfig, Prices, VanillaMethod
from dartune.engines.base import Engine
from dartune.errors import PoolError
from dartune.evaluation.metrics import Scored
from dartune.pool import read_samples
from dartune.prompts import Template
from dartune.queries import QuerySet
from dartune.sampling.grades import Grades
from dartune.sampling.job import Job, SamplingReport
from dartune.sampling.run import Watcher, sample_pool
from dartune.types import Query, SamplingParams, Verdict

_COLUMNS = ["query_id", "verdict", "n_tokens", "failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationJob:
    """What a model is asked."""

    benchmarks: Mapping[str, QuerySet]
    template: Template
    config: EvaluationConfig
    prices: Prices = NO_PRICES


def evaluate_model(
    job: EvaluationJob, *, engine: Engine, grader: Grades, pool: Path, watch: Watcher | None = None
) -> SamplingReport:
    """Ask every query of every benchmark once, greedily, into `pool`; what is there already is not asked again."""
    queries = {query.id: query for benchmark in job.benchmarks.values() for query in benchmark.queries}
    sampling = Job(
        queries=list(queries.values()),
        methods={"greedy": VanillaMethod(policy="vanilla", n_trials=1)},
        template=job.template,
        params=SamplingParams(temperature=0.0, top_p=1.0, max_new_tokens=job.config.max_new_tokens),
        seed=0,
        prices=job.prices,
    )
    return sample_pool(sampling, engine=engine, grader=grader, pool=pool, watch=watch)


def scored_rows(pool: Path, benchmarks: Mapping[str, QuerySet]) -> dict[str, list[Scored]]:
    """The graded answers of each benchmark, one for every row: a query that stands there twice counts twice.

    A query that the engine could not answer, for example because its prompt is longer than the model's context, counts
    as not correct, with the verdict `ungradable`. Raises PoolError if some query was never asked, because a score over
    the others would not be the benchmark's.
    """
    answers = _answers(pool)
    scored: dict[str, list[Scored]] = {}
    for name, benchmark in benchmarks.items():
        by_id = {query.id: query for query in benchmark.queries}
        n_missing = len(by_id.keys() - answers.keys())
        if n_missing:
            raise PoolError(
                f"{pool}: {n_missing} of {len(by_id)} queries of {name} were not asked yet; run the evaluation again"
            )
        scored[name] = [_scored(by_id[query_id], *answers[query_id]) for query_id in benchmark.rows]
    return scored


def _answers(pool: Path) -> dict[str, tuple[Verdict, int]]:
    """Verdict and tokens of the answer to each query."""
    table = read_samples(pool, _COLUMNS)
    return {
        query_id: ("ungradable", 0) if failure is not None else (verdict, n_tokens)
        for query_id, verdict, n_tokens, failure in zip(*(table[c].to_pylist() for c in _COLUMNS), strict=True)
    }


def _scored(query: Query, verdict: Verdict, n_tokens: int) -> Scored:
    return Scored(
        query_id=query.id,
        level=query.level,
        domain=query.domain,
        is_correct=verdict == "correct",
        n_tokens=n_tokens,
        verdict=verdict,
    )
