"""Hosts in Ray actors: the only module that calls them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dartune.cluster.connection import Demand
from dartune.cluster.host import Delivery, Host, Ready, Service
from dartune.cluster.replica import Handle, Lost
from dartune.errors import DartuneError, EngineDown

if TYPE_CHECKING:
    from ray import ObjectRef

Q = TypeVar("Q")
A = TypeVar("A")
R = TypeVar("R")

_N_CALLS = 16
"""Calls that a host answers at a time: a parcel each way, and what is asked at the start and at the end."""
_LONGEST = 300


def launcher(make: Callable[[], Service[Q, A]], demand: Demand) -> Callable[[], Handle[Q, A]]:
    """What begins to make an actor with the service that `make` makes there; it must be picklable.

    Actors are spread over the nodes. Ray replaces none of them: the fleet does, which knows what they held.
    """
    import ray

    options = ray.remote(Host).options(
        num_cpus=demand.n_cpus,
        num_gpus=demand.n_gpus,
        max_restarts=0,
        max_task_retries=0,
        max_concurrency=_N_CALLS,
        scheduling_strategy="SPREAD",
    )
    folder = str(Path.cwd())
    return lambda: _Actor(options.remote(make, folder))


class _Actor(Generic[Q, A]):
    """An actor that holds a `Host`."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    async def placed(self) -> DartuneError | None:
        from ray.exceptions import ActorDiedError

        try:
            await _result(self._actor.placed.remote())
        except Lost as error:
            why = error.__cause__
            if isinstance(why, ActorDiedError) and why.actor_init_failed:
                return EngineDown(f"a node of the cluster cannot run dartune: {_last_line(why)}")
            raise
        return None

    async def start(self) -> Ready | DartuneError:
        return await _result(self._actor.start.remote())

    async def take(self, requests: Sequence[tuple[int, Q]], dropped: Sequence[int]) -> None:
        await _result(self._actor.take.remote(requests, dropped))

    async def give(self) -> Delivery[A]:
        return await _result(self._actor.give.remote())

    async def close(self) -> None:
        await _result(self._actor.close.remote())

    def kill(self) -> None:
        import ray

        if ray.is_initialized():
            ray.kill(self._actor)


async def _result(ref: "ObjectRef[R]") -> R:
    """What a call returns. The boundary for Ray's errors: whatever they say, the actor is of no more use."""
    from ray.exceptions import RayError

    try:
        return await ref
    except RayError as error:
        raise Lost(f"{type(error).__name__}: {_last_line(error)}") from error


def _last_line(error: Exception) -> str:
    """The end of what Ray says: what comes before are ids, addresses and tracebacks."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:_LONGEST] if lines else "no reason is given"
