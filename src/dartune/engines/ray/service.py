"""What a replica holds: an engine, made on the node where it is to run."""

from collections.abc import Sequence

from dartune.config import ReplicaConfig
from dartune.engines.factory import build_engine
from dartune.types import Query, Request, Response


class EngineService:
    """Any engine as a `dartune.cluster.Service`."""

    def __init__(self, config: ReplicaConfig, queries: Sequence[Query]) -> None:
        """Make the engine. Raises InputError if it cannot be had on this node."""
        self._engine = build_engine(config, queries)

    @property
    def n_places(self) -> int:
        """How many requests the engine wants."""
        return self._engine.n_places

    @property
    def identity(self) -> str:
        """The engine's model."""
        return self._engine.model

    async def start(self) -> None:
        """Start the engine in the actor's event loop."""
        await self._engine.start()

    async def answer(self, request: Request) -> Response:
        """Ask the engine."""
        return await self._engine.generate(request)

    async def aclose(self) -> None:
        """End the engine."""
        await self._engine.aclose()
