"""Which replica gets which request: a pure state machine, which holds no task, clock or actor.

Invariants:
- an open request is in exactly one of: the queue, the queue of suspects, one replica;
- a replica holds no more than its places, and requests go to the replica whose places are least taken;
- a request is given out at most `max_attempts` times, again only where the replica that had it was lost. For the last
  time it is a suspect, and a replica holds one suspect at a time: so a lost replica ends one request at most (with
  more than one attempt), and a request that kills whoever answers it does not take with it those that it was beside.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class Assignment(NamedTuple):
    """A request goes to a replica."""

    request: int
    replica: int


class Losses(NamedTuple):
    """What becomes of the requests that a lost replica held."""

    again: list[int]
    """They wait for another replica."""
    over: list[int]
    """They have used up their attempts, and are open no more."""


@dataclass(slots=True)
class _Replica:
    n_places: int
    aboard: set[int] = field(default_factory=set)
    suspect: int | None = None

    @property
    def load(self) -> float:
        return len(self.aboard) / self.n_places


class Router:
    """Open requests and the replicas that answer them."""

    def __init__(self, max_attempts: int) -> None:
        self._max_attempts = max_attempts
        self._replicas: dict[int, _Replica] = {}
        self._n_lost: dict[int, int] = {}
        self._where: dict[int, int] = {}
        self._queue: deque[int] = deque()
        self._suspects: deque[int] = deque()

    @property
    def n_places(self) -> int:
        """Requests that all replicas take together."""
        return sum(replica.n_places for replica in self._replicas.values())

    def join(self, replica: int, n_places: int) -> None:
        """A replica is ready, and empty."""
        self._replicas[replica] = _Replica(max(1, n_places))

    def resize(self, replica: int, n_places: int) -> None:
        """A replica takes more or fewer requests from now on."""
        self._replicas[replica].n_places = max(1, n_places)

    def leave(self, replica: int) -> Losses:
        """A replica is lost, or never joined: what it held waits again, before what waits already."""
        lost = self._replicas.pop(replica, _Replica(1))
        losses = Losses([], [])
        for request in sorted(lost.aboard, reverse=True):
            del self._where[request]
            self._n_lost[request] += 1
            if self._n_lost[request] < self._max_attempts:
                losses.again.append(request)
                (self._suspects if self._is_suspect(request) else self._queue).appendleft(request)
            else:
                losses.over.append(request)
                del self._n_lost[request]
        return losses

    def submit(self, request: int) -> None:
        """A request is open: it waits for a replica. Numbers grow from one request to the next."""
        self._n_lost[request] = 0
        self._queue.append(request)

    def end(self, request: int) -> int | None:
        """A request is open no more; the replica that held it, if any did."""
        where = self._where.pop(request, None)
        if where is None:
            (self._suspects if self._is_suspect(request) else self._queue).remove(request)
        else:
            replica = self._replicas[where]
            replica.aboard.remove(request)
            if replica.suspect == request:
                replica.suspect = None
        del self._n_lost[request]
        return where

    def assign(self) -> Iterator[Assignment]:
        """Give waiting requests to free places, as far as there are any."""
        while self._suspects and (where := self._freest(for_suspect=True)) is not None:
            self._replicas[where].suspect = self._suspects[0]
            yield self._give(self._suspects.popleft(), where)
        while self._queue and (where := self._freest()) is not None:
            yield self._give(self._queue.popleft(), where)

    def _is_suspect(self, request: int) -> bool:
        return 0 < self._n_lost[request] == self._max_attempts - 1

    def _give(self, request: int, replica: int) -> Assignment:
        self._replicas[replica].aboard.add(request)
        self._where[request] = replica
        return Assignment(request, replica)

    def _freest(self, *, for_suspect: bool = False) -> int | None:
        free = (
            (replica.load, name)
            for name, replica in self._replicas.items()
            if replica.load < 1 and not (for_suspect and replica.suspect is not None)
        )
        return min(free, default=(0.0, None))[1]
