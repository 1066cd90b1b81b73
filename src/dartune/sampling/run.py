"""Difficulty-aware rejection sampling of a set of queries into a pool: wires ledger, engine, grader and pool.

The pool is the only state. Every phase starts from what the pool holds, so calling `sample_pool` again goes on where
the last call, or the last crash, left off; and a call with nothing left to ask does nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from dartune.engines.base import Engine
from dartune.pool import PoolWriter, Provenance, read_outcomes, read_spending
from dartune.prompts import Template
from dartune.sampling.budget import Budget
from dartune.sampling.dispatcher import Dispatcher
from dartune.sampling.grades import Grades
from dartune.sampling.job import Job, SamplingReport, Way
from dartune.sampling.ledger import Ledger
from dartune.sampling.orders import make_order
from dartune.sampling.phases import Hold, Targets, final, held, pilot, second
from dartune.sampling.progress import Meter, Progress
from dartune.types import Grade, Key, Outcomes, Query, Request, Response, SamplingParams, request_seed

_MOST_PROMPTS = 2**14
"""Rendered prompts that are kept."""

Watcher = Callable[[Progress], None]


def sample_pool(
    job: Job, *, engine: Engine, grader: Grades, pool: Path, watch: Watcher | None = None
) -> SamplingReport:
    """Sample until every method of `job` has what it asks for, or Ctrl-C.

    Methods share the tries: first the pilots of those that need any, then the targets of all, each query as far as some
    method wants. Raises FolderBusy, PoolMismatch or PoolVersion before anything is asked; EngineDown or WriteError end
    the run with everything acknowledged kept. The engine is closed in any case.
    """
    return asyncio.run(sample_pool_async(job, engine=engine, grader=grader, pool=pool, watch=watch))


async def sample_pool_async(
    job: Job, *, engine: Engine, grader: Grades, pool: Path, watch: Watcher | None = None
) -> SamplingReport:
    """`sample_pool` in an event loop that is running already; cancelling it keeps everything graded."""
    return await _Run(job, engine, grader, pool, watch).run()


class _Run:
    """One call of `sample_pool`."""

    def __init__(self, job: Job, engine: Engine, grader: Grades, path: Path, watch: Watcher | None) -> None:
        self._job, self._engine, self._grader, self._path, self._watch = job, engine, grader, path, watch
        self._started_s = time.monotonic()
        self._meter = Meter(queries={query.id: query for query in job.queries}, prices=job.prices)
        self._prompts = lru_cache(partial(_prompts, self._meter.queries))
        self._open: list[Engine] = []

    async def run(self) -> SamplingReport:
        """Go through the phases."""
        job = self._job
        is_interrupted = is_spent = False
        try:
            await self._start(self._engine)
            with PoolWriter(self._path, self._provenance(job.way, self._engine)) as pool:
                pool.add_queries(job.queries)
                budget = self._budget()
                for phase in _phases(job):
                    ledger = self._ledger(phase)
                    if not ledger.totals().expected_tries:
                        continue
                    dispatcher = await self._dispatcher(phase.way, ledger, pool, budget)
                    await dispatcher.run()
                    is_interrupted, is_spent = dispatcher.is_interrupted, dispatcher.is_spent
                    if is_interrupted or is_spent:
                        break
        finally:
            for engine in self._open:
                await engine.aclose()
        return self._report(is_interrupted=is_interrupted, is_spent=is_spent)

    async def _start(self, engine: Engine) -> Engine:
        self._open.append(engine)  # first: an engine that fails to start has something to release as well
        await engine.start()
        return engine

    def _ledger(self, phase: "_Phase") -> Ledger:
        """A ledger, and a meter, that start from what the pool holds."""
        job = self._job
        outcomes = read_outcomes(self._path)
        targets = phase.targets(outcomes)
        self._meter.enter_phase(targets, outcomes)
        return Ledger(targets, outcomes, job.speculation, make_order(job.order, job.worth))

    async def _dispatcher(self, way: Way, ledger: Ledger, pool: PoolWriter, budget: Budget | None) -> Dispatcher:
        engine = self._engine if way.engine is None else await self._start(way.engine())
        pool.provenance = self._provenance(way, engine)
        return Dispatcher(
            ledger=ledger,
            engine=engine,
            ask=partial(_request, self._job.seed, way.params, self._prompts(way.template)),
            grade=partial(_grade, self._grader, self._meter.queries),
            pool=pool,
            meter=self._meter,
            watch=self._watch,
            budget=budget,
            started_s=self._started_s,
        )

    def _provenance(self, way: Way, engine: Engine) -> Provenance:
        return Provenance(model=engine.model, template=way.template.name, params=way.params, run_seed=self._job.seed)

    def _budget(self) -> Budget | None:
        job = self._job
        if job.budget is None:
            return None
        before = replace(read_spending(self._path), seconds=job.sampled_s)
        return Budget(config=job.budget, prices=job.prices, before=before, max_new_tokens=job.params.max_new_tokens)

    def _report(self, *, is_interrupted: bool, is_spent: bool) -> SamplingReport:
        meter = self._meter
        return SamplingReport(
            n_samples=meter.n_samples,
            n_correct=meter.n_correct,
            n_failures=meter.n_failures,
            n_prompt_tokens=meter.n_prompt_tokens,
            n_tokens=meter.n_tokens,
            cost=meter.cost,
            elapsed_s=time.monotonic() - self._started_s,
            is_interrupted=is_interrupted,
            is_spent=is_spent,
        )


class _Phase(NamedTuple):
    """What is asked, and how."""

    targets: Callable[[Outcomes], Targets]
    way: Way


def _phases(job: Job) -> list[_Phase]:
    """See `dartune.sampling.phases`."""
    methods, ids = job.methods, [query.id for query in job.queries]
    whole = _Phase(partial(final, methods, ids), job.way)
    first = _Phase(lambda outcomes: pilot(methods, ids), job.way)
    if job.second_chance is None:
        return [first, whole]
    chance = job.second_chance
    hold = Hold(after=chance.after, n_trials=chance.n_trials)
    return [
        first,
        _Phase(lambda outcomes: held(methods, ids, outcomes, hold), job.way),
        _Phase(lambda outcomes: second(methods, ids, outcomes, hold), chance.way),
        whole,
    ]


def _request(seed: int, params: SamplingParams, prompt: Callable[[str], str], key: Key) -> Request:
    return Request(key=key, prompt=prompt(key.query_id), seed=request_seed(key, seed), params=params)


def _prompts(queries: Mapping[str, Query], template: Template) -> Callable[[str], str]:
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
