"""Difficulty-aware rejection sampling of a set of queries into a pool: wires ledger, engine, grader and pool.

The pool is the only state. Every phase starts from what the pool holds, so calling `sample_pool` again goes on where
the last call, or the last crash, left off; and a call with nothing left to ask does nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dartune.allocation import merge
from dartune.config import MethodConfig
from dartune.engines.base import Engine
from dartune.grading.grader import Grader
from dartune.methods import method_targets, pilot_target
from dartune.pool import PoolWriter, Provenance, read_outcomes
from dartune.prompts import Template
from dartune.sampling.dispatcher import Dispatcher
from dartune.sampling.ledger import Ledger, Recorded
from dartune.sampling.progress import Meter, Progress
from dartune.types import Grade, Key, Outcomes, Query, Request, Response, SamplingParams, Target, request_seed

Watcher = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be sampled, and how."""

    queries: Sequence[Query]
    """Unique by id."""
    methods: Mapping[str, MethodConfig]
    template: Template
    params: SamplingParams
    seed: int
    speculation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingReport:
    """What one call of `sample_pool` did."""

    n_samples: int
    """Samples graded by this call; the pool may have held some before."""
    n_correct: int
    n_failures: int
    n_tokens: int
    elapsed_s: float
    is_interrupted: bool


def sample_pool(
    job: Job, *, engine: Engine, grader: Grader, pool: Path, watch: Watcher | None = None
) -> SamplingReport:
    """Sample until every method of `job` has what it asks for, or Ctrl-C.

    Methods share the tries: the pilots of all, then the targets of all, each query once up to the most that any method
    wants. Raises PoolBusy, PoolMismatch or PoolVersion before anything is asked; EngineDown or WriteError end the run
    with everything acknowledged kept. The engine is closed in any case.
    """
    return asyncio.run(_sample_pool(job, engine, grader, pool, watch))


async def _sample_pool(job: Job, engine: Engine, grader: Grader, path: Path, watch: Watcher | None) -> SamplingReport:
    provenance = Provenance(model=engine.model, template=job.template.name, params=job.params, run_seed=job.seed)
    start = time.monotonic()
    report = SamplingReport(n_samples=0, n_correct=0, n_failures=0, n_tokens=0, elapsed_s=0.0, is_interrupted=False)
    try:
        with PoolWriter(path, provenance) as pool:
            pool.add_queries(job.queries)
            for phase in (_pilot_phase, _target_phase):
                outcomes = read_outcomes(path)
                dispatcher = _dispatcher(job, phase(job, outcomes), outcomes, engine, grader, pool, watch)
                await dispatcher.run()
                report = _add(report, dispatcher, time.monotonic() - start)
                if report.is_interrupted:
                    break
    finally:
        await engine.aclose()
    return report


def _pilot_phase(job: Job, outcomes: Outcomes) -> dict[str, Target]:
    """What every method asks before anything is known."""
    target = merge([pilot_target(method) for method in job.methods.values()])
    return {query.id: target for query in job.queries}


def _target_phase(job: Job, outcomes: Outcomes) -> dict[str, Target]:
    """What the methods ask once the pilots are in."""
    ids = [query.id for query in job.queries]
    by_method = [method_targets(method, ids, outcomes) for method in job.methods.values()]
    return {query_id: merge(targets) for query_id, *targets in zip(ids, *by_method, strict=True)}


def _dispatcher(
    job: Job,
    targets: Mapping[str, Target],
    outcomes: Outcomes,
    engine: Engine,
    grader: Grader,
    pool: PoolWriter,
    watch: Watcher | None,
) -> Dispatcher:
    queries = {query.id: query for query in job.queries}
    recorded = {query_id: _recorded(trials) for query_id, trials in outcomes.items() if query_id in targets}
    meter = Meter(queries=queries, targets=targets)
    meter.start({query_id: (len(r.trials), r.n_correct) for query_id, r in recorded.items()})

    def ask(key: Key) -> Request:
        prompt = job.template.render(queries[key.query_id].text)
        return Request(key=key, prompt=prompt, seed=request_seed(key, job.seed), params=job.params)

    async def grade(key: Key, response: Response) -> Grade:
        return await grader.grade_async(
            ref_answer=queries[key.query_id].ref_answer,
            response=response.text,
            finish_reason=response.finish_reason,
        )

    ledger = Ledger(targets, recorded, job.speculation)
    return Dispatcher(ledger=ledger, engine=engine, ask=ask, grade=grade, pool=pool, meter=meter, watch=watch)


def _recorded(trials: Mapping[int, bool | None]) -> Recorded:
    return Recorded(
        trials=frozenset(trials),
        n_correct=sum(outcome is True for outcome in trials.values()),
        n_failures=sum(outcome is None for outcome in trials.values()),
    )


def _add(report: SamplingReport, dispatcher: Dispatcher, elapsed_s: float) -> SamplingReport:
    meter = dispatcher.meter
    return SamplingReport(
        n_samples=report.n_samples + meter.n_samples,
        n_correct=report.n_correct + meter.n_correct,
        n_failures=report.n_failures + meter.n_failures,
        n_tokens=report.n_tokens + meter.n_tokens,
        elapsed_s=elapsed_s,
        is_interrupted=report.is_interrupted or dispatcher.is_interrupted,
    )
