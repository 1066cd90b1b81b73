"""Scoring a model: one greedy try of every benchmark query, through the same sampling path as everything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dartune.config import EvaluationConfig, VanillaMethod
from dartune.engines.base import Engine
from dartune.errors import EngineDown
from dartune.evaluation.metrics import Scored
from dartune.grading.grader import Grader
from dartune.pool import read_samples
from dartune.prompts import Template
from dartune.queries import QuerySet
from dartune.sampling.run import Job, SamplingReport, Watcher, sample_pool
from dartune.types import Query, SamplingParams

_COLUMNS = ["query_id", "verdict", "n_tokens", "failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationJob:
    """What a model is asked."""

    benchmarks: Mapping[str, QuerySet]
    template: Template
    config: EvaluationConfig


def evaluate_model(
    job: EvaluationJob, *, engine: Engine, grader: Grader, pool: Path, watch: Watcher | None = None
) -> SamplingReport:
    """Ask every query of every benchmark once, greedily, into `pool`; what is there already is not asked again."""
    queries = {query.id: query for benchmark in job.benchmarks.values() for query in benchmark.queries}
    sampling = Job(
        queries=list(queries.values()),
        methods={"greedy": VanillaMethod(policy="vanilla", n_trials=1)},
        template=job.template,
        params=SamplingParams(temperature=0.0, top_p=1.0, max_new_tokens=job.config.max_new_tokens),
        seed=0,
    )
    return sample_pool(sampling, engine=engine, grader=grader, pool=pool, watch=watch)


def scored_rows(pool: Path, benchmarks: Mapping[str, QuerySet]) -> dict[str, list[Scored]]:
    """The graded answers of each benchmark, one for every row: a query that stands there twice counts twice.

    Raises EngineDown if some query was never answered, because a score over the others would not be the benchmark's.
    """
    table = read_samples(pool, _COLUMNS)
    answers = {
        query_id: (verdict, n_tokens)
        for query_id, verdict, n_tokens, failure in zip(*(table[c].to_pylist() for c in _COLUMNS), strict=True)
        if failure is None
    }
    scored: dict[str, list[Scored]] = {}
    for name, benchmark in benchmarks.items():
        by_id: dict[str, Query] = {query.id: query for query in benchmark.queries}
        missing = by_id.keys() - answers.keys()
        if missing:
            raise EngineDown(
                f"{pool}: {len(missing)} of {len(by_id)} queries of {name} have no answer; run the evaluation again"
            )
        scored[name] = [
            Scored(
                query_id=query_id,
                level=by_id[query_id].level,
                domain=by_id[query_id].domain,
                is_correct=answers[query_id][0] == "correct",
                n_tokens=answers[query_id][1],
                verdict=answers[query_id][0],
            )
            for query_id in benchmark.rows
        ]
    return scored
