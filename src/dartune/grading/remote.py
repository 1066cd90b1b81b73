"""Grading spread over a Ray cluster: graders in actors, a core each.

A grader that is lost is replaced and its responses are graded elsewhere; whether a response is right never depends on
that. One that every grader dies of is `ungradable`, not `incorrect`.
"""

import asyncio
import os
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self

from dartune.cluster import PATIENT, REPLICA_DIED, Connection, Demand, Fleet, Patience, connect, launcher, require_ray
from dartune.config import EngineConfig, RayEngineConfig
from dartune.errors import EngineError
from dartune.grading.case import Case
from dartune.grading.grader import NOTHING, Grader, find_judge
from dartune.grading.parallel.wire import WORKER_DEATH
from dartune.types import FinishReason, Grade

_N_PLACES = 64
"""Responses that an actor has at a time: most need no algebra, and then the next is at hand."""
_MAX_ATTEMPTS = 3


class _Order(NamedTuple):
    """A case, and whose rules decide."""

    case: Case
    judge: str


class GraderService:
    """A grader as a `dartune.cluster.Service`."""

    n_places = _N_PLACES
    identity = "grader"

    def __init__(self) -> None:
        """Start nothing yet."""
        self._grader = Grader()

    async def start(self) -> None:
        """Nothing to get ready: the worker for algebra starts when it is needed."""

    async def answer(self, order: _Order) -> Grade:
        """Grade one response."""
        case = order.case
        return await self._grader.grade_async(
            ref_answer=case.ref_answer,
            response=case.response,
            query=case.query,
            finish_reason=case.finish_reason,
            judge=order.judge,
            meta=case.meta,
        )

    async def aclose(self) -> None:
        """End the worker."""
        self._grader.close()


class RemoteGrader:
    """Grades as `Grader` does, with graders on a Ray cluster. Used in one event loop; closed after it."""

    def __init__(self, n_graders: int, address: str | None, *, patience: Patience = PATIENT) -> None:
        """Connect to nothing yet. Raises MissingExtra if Ray is not installed.

        `address` is the cluster's; None stands for the one on this machine, which is started where there is none.
        """
        require_ray()
        self._demand = Demand(what="graders", n_actors=n_graders, n_cpus=1.0)
        self._address = address
        self._patience = patience
        self._connection: Connection | None = None
        self._fleet: asyncio.Task[Fleet[_Order, Grade]] | None = None

    async def grade_async(
        self,
        *,
        ref_answer: str,
        response: str,
        query: str | None = None,
        finish_reason: FinishReason = "stop",
        judge: str = "default",
        meta: Mapping[str, object] = NOTHING,
    ) -> Grade:
        """Grade one response; see `Grader.grade_async`. The first one waits until a grader is ready.

        Raises:
            InputError: There is no such judge, no cluster, or no room in it.
            EngineDown: No grader is left.
        """
        find_judge(judge)
        if self._fleet is None:
            self._fleet = asyncio.create_task(self._start())
        fleet = await asyncio.shield(self._fleet)
        case = Case(ref_answer=ref_answer, response=response, query=query, finish_reason=finish_reason, meta=meta)
        try:
            return await fleet.ask(_Order(case, judge))
        except EngineError as error:
            rule = WORKER_DEATH if error.cause == REPLICA_DIED else error.cause
            return Grade(verdict="ungradable", answer=None, rule=rule)

    def close(self) -> None:
        """Leave the cluster. The graders ended with the event loop."""
        if self._connection is not None:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _start(self) -> Fleet[_Order, Grade]:
        connection = self._connection = connect(self._address)
        connection.check([self._demand])
        fleet: Fleet[_Order, Grade] = Fleet(
            launcher(GraderService, self._demand),
            n_replicas=self._demand.n_actors,
            max_attempts=_MAX_ATTEMPTS,
            no_place=lambda: connection.shortage([self._demand]),
            patience=self._patience,
        )
        await fleet.start()
        return fleet


def build_grader(engine: EngineConfig) -> Grader | RemoteGrader:
    """Graders on the engine's cluster, or one here: its workers, one for each core, start when answers need algebra."""
    if isinstance(engine, RayEngineConfig) and engine.n_graders:
        return RemoteGrader(engine.n_graders, engine.address)
    return Grader(n_workers=os.cpu_count() or 1)
