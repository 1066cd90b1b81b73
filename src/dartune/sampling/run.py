"""Difficulty-aware rejection sampling of a set of queries into a pool: wires ledger, engine, grader and pool.

The pool is the only state. Every phase starts from what the pool holds, so calling `sample_pool` again goes on where
the last call, or the last crash, left off; and a call with nothing left to ask does nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from dartune.config import NO_PRICES, BudgetConfig, MethodConfig, OrderName, Prices, WorthConfig
from dartune.engines.base import Engine
from dartune.methods import method_targets, pilot_target
from dartune.pool import OutcomeTable, PoolWriter, Provenance, read_outcomes, read_spending
from dartune.prompts import Template
from dartune.sampling.budget import Budget
from dartune.sampling.dispatcher import Dispatcher
from dartune.sampling.grades import Grades
from dartune.sampling.ledger import Ledger
from dartune.sampling.orders import make_order
from dartune.sampling.progress import Meter, Progress
from dartune.types import Grade, Key, Outcomes, Query, Request, Response, SamplingParams, Target, request_seed

_MOST_PROMPTS = 2**17
"""Rendered prompts that are kept."""

Watcher = Callable[[Progress], None]
Targets = Mapping[str, Sequence[Target]]


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
    order: OrderName = "longest"
    worth: WorthConfig = field(default_factory=WorthConfig)
    """What the order "value" goes by."""
    prices: Prices = NO_PRICES
    budget: BudgetConfig | None = None
    sampled_s: float = 0.0
    """Seconds that earlier calls on the same pool took: what a budget of GPU-hours has to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingReport:
    """What one call of `sample_pool` did."""

    n_samples: int
    """Samples graded by this call; the pool may have held some before."""
    n_correct: int
    n_failures: int
    n_prompt_tokens: int
    n_tokens: int
    cost: float
    """By the engine's prices."""
    elapsed_s: float
    is_interrupted: bool
    is_spent: bool
    """Whether a budget ended it before the targets were met."""


def sample_pool(
    job: Job, *, engine: Engine, grader: Grades, pool: Path, watch: Watcher | None = None
) -> SamplingReport:
    """Sample until every method of `job` has what it asks for, or Ctrl-C.

    Methods share the tries: first the pilots of those that need any, then the targets of all, each query as far as some
    method wants. Raises FolderBusy, PoolMismatch or PoolVersion before anything is asked; EngineDown or WriteError end
    the run with everything acknowledged kept. The engine is closed in any case.
    """
    return asyncio.run(_sample_pool(job, engine, grader, pool, watch))


async def _sample_pool(job: Job, engine: Engine, grader: Grades, path: Path, watch: Watcher | None) -> SamplingReport:
    started_s = time.monotonic()
    meter = Meter(queries={query.id: query for query in job.queries}, prices=job.prices)
    prompt = _prompts(job.template, meter.queries)
    is_interrupted = is_spent = False
    try:
        await engine.start()
        provenance = Provenance(model=engine.model, template=job.template.name, params=job.params, run_seed=job.seed)
        with PoolWriter(path, provenance) as pool:
            pool.add_queries(job.queries)
            budget = _budget(job, path)
            for phase in (_pilot_phase, _target_phase):
                outcomes = read_outcomes(path)
                targets = phase(job, outcomes)
                if not targets:
                    continue
                dispatcher = Dispatcher(
                    ledger=_ledger(job, targets, outcomes, meter),
                    engine=engine,
                    ask=partial(_request, job, prompt),
                    grade=partial(_grade, grader, meter.queries),
                    pool=pool,
                    meter=meter,
                    watch=watch,
                    budget=budget,
                    started_s=started_s,
                )
                await dispatcher.run()
                is_interrupted, is_spent = dispatcher.is_interrupted, dispatcher.is_spent
                if is_interrupted or is_spent:
                    break
    finally:
        await engine.aclose()
    return SamplingReport(
        n_samples=meter.n_samples,
        n_correct=meter.n_correct,
        n_failures=meter.n_failures,
        n_prompt_tokens=meter.n_prompt_tokens,
        n_tokens=meter.n_tokens,
        cost=meter.cost,
        elapsed_s=time.monotonic() - started_s,
        is_interrupted=is_interrupted,
        is_spent=is_spent,
    )


def _budget(job: Job, pool: Path) -> Budget | None:
    if job.budget is None:
        return None
    before = replace(read_spending(pool), seconds=job.sampled_s)
    return Budget(config=job.budget, prices=job.prices, before=before, max_new_tokens=job.params.max_new_tokens)


def _pilot_phase(job: Job, outcomes: Outcomes) -> Targets:
    """The pilot tries from which some methods derive their targets; nothing where no method needs any."""
    pilots = [target for method in job.methods.values() if (target := pilot_target(method)) is not None]
    return {query.id: pilots for query in job.queries} if pilots else {}


def _target_phase(job: Job, outcomes: Outcomes) -> Targets:
    """What every method asks, once the pilots are in."""
    ids = [query.id for query in job.queries]
    by_method = [method_targets(method, ids, outcomes) for method in job.methods.values()]
    return {query_id: targets for query_id, *targets in zip(ids, *by_method, strict=True)}


def _ledger(job: Job, targets: Targets, outcomes: OutcomeTable, meter: Meter) -> Ledger:
    """A ledger, and a meter, that start from what the pool holds."""
    meter.enter_phase(targets, outcomes)
    return Ledger(targets, outcomes, job.speculation, make_order(job.order, job.worth))


def _request(job: Job, prompt: Callable[[str], str], key: Key) -> Request:
    return Request(key=key, prompt=prompt(key.query_id), seed=request_seed(key, job.seed), params=job.params)


def _prompts(template: Template, queries: Mapping[str, Query]) -> Callable[[str], str]:
    """Query id -> prompt."""

    # A model's chat template takes as long to render as all else that is done here for a sample.
    @lru_cache(_MOST_PROMPTS)
    def prompt(query_id: str) -> str:
        return template.render(queries[query_id].text)

    return prompt


async def _grade(grader: Grades, queries: Mapping[str, Query], key: Key, response: Response) -> Grade:
    query = queries[key.query_id]
    return await grader.grade_async(
        ref_answer=query.ref_answer,
        response=response.text,
        query=query.text,
        finish_reason=response.finish_reason,
        judge=query.judge,
        meta=query.meta,
    )
