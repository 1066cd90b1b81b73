"""The seam between dartune and whatever turns a prompt into a response.

An engine knows nothing of queries, references or grading. It may be asked up to `n_places` requests at a time and
answers each exactly once: with a `Response`, or by raising `EngineError` (this request failed, others go on) or
`EngineDown` (nothing more can be answered). Given the same request it should give the same text whatever else is in
flight, as far as floating-point arithmetic allows.
"""

from typing import Protocol, runtime_checkable

from dartune.types import Request, Response


@runtime_checkable
class Engine(Protocol):
    """Anything that answers requests."""

    @property
    def n_places(self) -> int:
        """How many requests it wants in flight; more would only queue. It may change while a run goes on."""
        ...

    @property
    def model(self) -> str:
        """Identity of the model, stored with every sample: a name, and a content hash where weights are local.

        It is read after `start`.
        """
        ...

    async def start(self) -> None:
        """Get ready, in the event loop that will ask: load, connect, and check that requests can be answered.

        Raises InputError or EngineDown, within seconds where a server is concerned, if they cannot.
        """
        ...

    async def generate(self, request: Request) -> Response:
        """Answer one request. Cancelling the task abandons the request and frees its place."""
        ...

    async def aclose(self) -> None:
        """Release processes, threads, memory and connections; no request may follow."""
        ...
