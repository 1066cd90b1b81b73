"""Sampling in rounds, on scripted tries: what continuous scheduling is compared with.

A round asks one batch of requests, waits for the whole of it, counts, and repeats with the queries that are still open.
A batch takes the open queries in turn, and goes round again until it is full.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence

from dartune.simulation.report import SimulationReport, account
from dartune.simulation.scripted import ScriptedTries
from dartune.types import Target


def batch_loop(
    tries: ScriptedTries, targets: Sequence[Target], *, n_batch: int, n_places: int, name: str = "uniform"
) -> SimulationReport:
    """Bring each query to its `n_correct` in rounds of `n_batch` requests; `name` is the method's in the report.

    Within a round a place that is free takes the batch's next request at once. No query is asked more often than its
    `max_trials`, so the last rounds may be smaller.
    """
    n_made, n_correct, time = [0] * len(targets), [0] * len(targets), 0
    turn = deque(range(len(targets)))
    while batch := _batch(turn, targets, n_made, n_batch):
        lengths = []
        for row, trial in batch:
            tokens = tries.next(tries.rates.query_ids[row], trial)
            n_correct[row] += tokens > 0
            lengths.append(abs(tokens))
        time += _makespan(lengths, n_places)
        turn = deque(row for row in turn if n_correct[row] < targets[row].n_correct)
    return account(tries, n_made, {name: targets}, n_places=n_places, makespan=time)


def _batch(turn: deque[int], targets: Sequence[Target], n_made: list[int], n_batch: int) -> list[tuple[int, int]]:
    """Row and trial of each request of the next round; queries at their cap leave `turn`."""
    batch: list[tuple[int, int]] = []
    while turn and len(batch) < n_batch:
        row = turn.popleft()
        if n_made[row] < targets[row].max_trials:
            batch.append((row, n_made[row]))
            n_made[row] += 1
            turn.append(row)
    return batch


def _makespan(lengths: Iterable[int], n_places: int) -> int:
    """When the last of the requests ends, if each in turn takes the first free place."""
    free_at = [0] * n_places
    for length in lengths:
        heapq.heapreplace(free_at, free_at[0] + length)
    return max(free_at)
