"""From a pool's shards to the table of its outcomes, and from rows of a shard to places in that table.

Shards are read one row group at a time, in a single pass: what is held meanwhile is nine bytes for each sample.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dartune.errors import PoolError
from dartune.pool.outcomes import FAILED, MISSING, OutcomeTable
from dartune.pool.reader import KEY, iter_samples
from dartune.types import Spending

_MOST_SLOTS_PER_SAMPLE = 1_000


class _Part(NamedTuple):
    """The rows of one row group."""

    ranks: NDArray[np.int32]
    trials: NDArray[np.int32]
    codes: NDArray[np.int8]


def read_outcomes(pool: Path) -> OutcomeTable:
    """The outcome of every recorded trial. Raises PoolError if the pool cannot be read."""
    ranks: dict[str, int] = {}
    parts = [
        _Part(rank_rows(batch["query_id"], ranks), batch["trial"].to_numpy(), _codes(batch))
        for batch in iter_samples(pool, [*KEY, "verdict", "failure"])
    ]
    n_trials = np.zeros(len(ranks), np.int64)
    for part in parts:
        if part.trials.min(initial=0) < 0:
            raise PoolError(f"{pool}: a sample has a negative trial; look at 'dartune pool verify {pool}'")
        np.maximum.at(n_trials, part.ranks, part.trials.astype(np.int64) + 1)
    starts = np.concatenate([[0], np.cumsum(n_trials)])
    if starts[-1] > _MOST_SLOTS_PER_SAMPLE * max(1, sum(len(part.codes) for part in parts)):
        raise PoolError(f"{pool}: trials are numbered up to {n_trials.max() - 1}, with hardly any sample between them")
    codes = np.full(starts[-1], MISSING, np.int8)
    for part in parts:
        codes[starts[part.ranks] + part.trials] = part.codes
    return OutcomeTable(ranks=ranks, starts=starts, codes=codes)


def read_spending(pool: Path) -> Spending:
    """What the pool's samples took; their seconds are not recorded. Raises PoolError if the pool cannot be read."""
    n_prompt_tokens = n_tokens = 0
    for batch in iter_samples(pool, ["n_prompt_tokens", "n_tokens"]):
        n_prompt_tokens += pc.sum(batch["n_prompt_tokens"]).as_py() or 0
        n_tokens += pc.sum(batch["n_tokens"]).as_py() or 0
    return Spending(n_prompt_tokens=n_prompt_tokens, n_tokens=n_tokens)


class Located(NamedTuple):
    """Rows of a pool with the slot of each in a table of outcomes."""

    rows: pa.RecordBatch
    slots: NDArray[np.int64]


def locate_samples(
    pool: Path, table: OutcomeTable, columns: list[str], *, wanted: NDArray[np.bool_] | None = None
) -> Iterator[Located]:
    """All samples, some at a time, with their slots; those written since `table` was read are left out.

    `columns` are given besides query_id and trial. With `wanted`, an entry for each slot, only samples of the slots
    where it is true; what lies far from any of them in the pool is not read.
    """
    is_there = table.codes != MISSING
    if wanted is not None:
        is_there &= wanted

    def select(keys: pa.Table) -> NDArray[np.bool_]:
        parts = [_slots(batch, table, is_there) >= 0 for batch in keys.to_batches()]
        return np.concatenate([np.zeros(0, np.bool_), *parts])

    for batch in iter_samples(pool, [*KEY, *columns], select=None if wanted is None else select):
        slots = _slots(batch, table, is_there)
        kept = np.flatnonzero(slots >= 0)
        yield Located(batch if len(kept) == len(batch) else batch.take(pa.array(kept)), slots[kept])


def _slots(batch: pa.RecordBatch, table: OutcomeTable, is_there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Slot of each row; -1 where the table has none, or not `is_there`."""
    slots = np.full(len(batch), -1, np.int64)
    if len(table):
        ids = batch["query_id"]
        ranks = _by_row(ids, [table.ranks.get(value, -1) for value in ids.dictionary.to_pylist()])
        trials = batch["trial"].to_numpy()
        rows = np.flatnonzero((ranks >= 0) & (trials < np.diff(table.starts)[ranks]))
        found = table.starts[ranks[rows]] + trials[rows]
        slots[rows[is_there[found]]] = found[is_there[found]]
    return slots


def rank_rows(ids: pa.DictionaryArray, ranks: dict[str, int]) -> NDArray[np.int32]:
    """Rank of each row's query; queries that are not in `ranks` yet get the next ones and join it."""
    return _by_row(ids, [ranks.setdefault(value, len(ranks)) for value in ids.dictionary.to_pylist()])


def _by_row(ids: pa.DictionaryArray, of_value: list[int]) -> NDArray[np.int32]:
    rows: NDArray[np.int32] = np.array(of_value, np.int32)[ids.indices.to_numpy()]
    return rows


def _codes(batch: pa.RecordBatch) -> NDArray[np.int8]:
    is_correct = pc.equal(batch["verdict"].dictionary_decode(), "correct").fill_null(False)
    codes: NDArray[np.int8] = is_correct.to_numpy(zero_copy_only=False).astype(np.int8)
    codes[batch["failure"].is_valid().to_numpy(zero_copy_only=False)] = FAILED
    return codes
