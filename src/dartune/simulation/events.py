"""A discrete-event simulation of an engine: requests in places, one token of each in every unit of time.

Invariant: time never goes back, and no place is free while the ledger has a key for it.
"""

import heapq
from collections.abc import Callable, Iterator
from typing import NamedTuple

from dartune.sampling.ledger import Ledger
from dartune.simulation.scripted import ScriptedTries
from dartune.types import Key


class Ended(NamedTuple):
    """One response, when its last token came."""

    time: int
    """Units since the start; one token takes one."""
    key: Key
    is_correct: bool
    n_tokens: int


def play(
    ledger: Ledger,
    tries: ScriptedTries,
    *,
    n_places: int,
    start: int = 0,
    may_ask: Callable[[int], bool] = lambda n_in_flight: True,
) -> Iterator[Ended]:
    """Everything that the ledger asks for, in the order in which it ends, each counted by the ledger already.

    Responses that end at the same time count in the order in which they were asked. `may_ask` says whether one more
    request may join those in flight.
    """
    running: list[tuple[int, int, Key, int]] = []
    now, n_asked = start, 0
    while True:
        while len(running) < n_places and may_ask(len(running)) and (key := ledger.next()) is not None:
            tokens = tries.next(*key)
            n_asked += 1
            heapq.heappush(running, (now + abs(tokens), n_asked, key, tokens))
        if not running:
            return
        now, _, key, tokens = heapq.heappop(running)
        ledger.record(key, is_correct=tokens > 0, n_tokens=abs(tokens))
        yield Ended(now, key, tokens > 0, abs(tokens))
