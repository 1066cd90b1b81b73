"""The engine that a recipe names: a fleet whose replicas are engines."""

from collections.abc import Sequence
from functools import partial

from dartune.cluster import PATIENT, Connection, Demand, Fleet, FleetStats, Patience, connect, launcher, require_ray
from dartune.config import RayEngineConfig
from dartune.engines.ray.service import EngineService
from dartune.errors import EngineDown
from dartune.types import Query, Request, Response


class RayEngine:
    """Answers requests with replicas of another engine on a Ray cluster; see `dartune.engines.base.Engine`.

    A replica that is lost is replaced, and its requests are asked again with the same seeds, so the samples are those
    of a run without losses. `stats` tells what was lost and replaced.
    """

    def __init__(self, config: RayEngineConfig, queries: Sequence[Query], *, patience: Patience = PATIENT) -> None:
        """Connect to nothing yet. Raises MissingExtra if Ray is not installed.

        `queries` are for replicas that answer by a script.
        """
        require_ray()
        self._config = config
        self._queries = tuple(queries)
        self._patience = patience
        self._connection: Connection | None = None
        self._fleet: Fleet[Request, Response] | None = None

    @property
    def n_places(self) -> int:
        """What all replicas that are up take together."""
        return self._fleet.n_places if self._fleet is not None else 1

    @property
    def model(self) -> str:
        """Identity of the replicas' model, which they tell; "unknown" before `start`."""
        return (self._fleet.identity if self._fleet is not None else None) or "unknown"

    @property
    def stats(self) -> FleetStats:
        """What was lost and replaced until now."""
        return self._fleet.stats if self._fleet is not None else FleetStats()

    async def start(self) -> None:
        """Join the cluster, or start one on this machine, and wait for the first replica.

        Raises:
            ConfigError: There is no such cluster, or the replicas do not fit into it.
            InputError: What a replica says of its engine's configuration or model.
            EngineDown: No replica can be started.
        """
        config = self._config
        replicas = Demand(what="replicas", n_actors=config.n_replicas, n_cpus=config.n_cpus, n_gpus=config.n_gpus)
        graders = Demand(what="graders", n_actors=config.n_graders, n_cpus=1.0)
        demands = [replicas, graders] if config.n_graders else [replicas]
        connection = self._connection = connect(config.address)
        connection.check(demands)
        self._fleet = Fleet(
            launcher(partial(EngineService, config.engine, self._queries), replicas),
            n_replicas=config.n_replicas,
            max_attempts=config.max_attempts,
            no_place=lambda: connection.shortage(demands),
            patience=self._patience,
        )
        await self._fleet.start()

    async def generate(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            EngineError: What the replica's engine says; "engine_raised" where that raised anything else;
                "replica_died" where `config.max_attempts` replicas were lost that had the request.
            EngineDown: There is no replica, and will be none.
        """
        if self._fleet is None:
            raise EngineDown("the engine has not been started")
        return await self._fleet.ask(request)

    async def aclose(self) -> None:
        """End the replicas, and the cluster if it was started here and nobody else uses it."""
        if self._fleet is not None:
            await self._fleet.aclose()
        if self._connection is not None:
            self._connection.close()
