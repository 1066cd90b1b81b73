"""What a pool holds, in numbers, and whether it is whole. Both read it a row group at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dartune.pool.counts import rank_rows, read_outcomes
from dartune.pool.outcomes import OutcomeTable
from dartune.pool.reader import iter_samples, read_queries, read_settings
from dartune.types import Key, Query, request_seed

_TRIAL_OFFSET = 2**31
"""Makes any trial that a shard can hold, even a negative one, a number of 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOverview:
    """The samples of the queries of one level."""

    level: int | None
    n_queries: int
    n_samples: int
    fail_rate: float
    """Incorrect over all graded tries of the level; 1.0 before the first."""
    n_solved: int
    """Queries with at least one correct response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOverview:
    """A pool in numbers."""

    settings: Mapping[str, object]
    n_queries: int
    n_samples: int
    n_tokens: int
    verdicts: Mapping[str, int]
    failures: Mapping[str, int]
    """Cause -> requests that the engine did not answer."""
    levels: tuple[LevelOverview, ...]


def describe_pool(pool: Path) -> PoolOverview:
    """Count what is in `pool`. Raises PoolError if it cannot be read."""
    settings = read_settings(pool)
    queries = read_queries(pool)
    verdicts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    n_tokens = 0
    for batch in iter_samples(pool, ["query_id", "n_tokens", "verdict", "failure"]):
        graded = batch.filter(batch["failure"].is_null())
        n_tokens += pc.sum(graded["n_tokens"]).as_py() or 0
        verdicts.update(_counts(graded["verdict"]))
        failures.update(_counts(batch["failure"].drop_null()))
    return PoolOverview(
        settings=settings,
        n_queries=len(queries),
        n_samples=verdicts.total(),
        n_tokens=n_tokens,
        verdicts=dict(verdicts.most_common()),
        failures=dict(failures.most_common()),
        levels=_levels(queries, read_outcomes(pool)),
    )


def find_faults(pool: Path) -> list[str]:
    """What is wrong with a pool, one line for each fault; empty if it is whole.

    Checks that every shard can be read, no key is there twice, every sample belongs to a query of the pool and has the
    seed of its key, and has either a verdict or the cause of its failure.
    """
    run_seed = read_settings(pool)["seed"]
    assert isinstance(run_seed, int)
    known = {query.id for query in read_queries(pool)}
    ranks: dict[str, int] = {}
    keys = [np.zeros(0, np.int64)]
    faults: list[str] = []
    for batch in iter_samples(pool, ["query_id", "trial", "seed", "verdict", "failure"]):
        faults.extend(_row_faults(batch, known, run_seed))
        trials = batch["trial"].to_numpy().astype(np.int64)
        keys.append((rank_rows(batch["query_id"], ranks).astype(np.int64) << 32) + trials + _TRIAL_OFFSET)
    return faults + [f"{key}: more than one sample" for key in _repeated(np.concatenate(keys), list(ranks))]


def _row_faults(batch: pa.RecordBatch, known: AbstractSet[str], run_seed: int) -> Iterator[str]:
    """What is wrong with single samples."""
    keys = [Key(*pair) for pair in zip(batch["query_id"].to_pylist(), batch["trial"].to_pylist(), strict=True)]
    seeds = np.fromiter((request_seed(key, run_seed) for key in keys), np.int64, len(keys))
    strangers = np.array([query_id not in known for query_id in batch["query_id"].dictionary.to_pylist()], np.bool_)
    is_graded, is_failure = (batch[name].is_valid().to_numpy(zero_copy_only=False) for name in ("verdict", "failure"))
    for i in np.flatnonzero(strangers[batch["query_id"].indices.to_numpy()]):
        yield f"{keys[i]}: its query is not in queries.parquet"
    for i in np.flatnonzero(batch["trial"].to_numpy() < 0):
        yield f"{keys[i]}: its trial is below 0"
    for i in np.flatnonzero(batch["seed"].to_numpy() != seeds):
        yield f"{keys[i]}: seed {batch['seed'][i]} is not that of its key"
    for i in np.flatnonzero(is_graded == is_failure):
        verdict, failure = batch["verdict"][i].as_py(), batch["failure"][i].as_py()
        yield f"{keys[i]}: expected a verdict or a failure, got {verdict!r} and {failure!r}"


def _repeated(keys: NDArray[np.int64], ids: Sequence[str]) -> Iterator[Key]:
    """The keys, packed as rank and trial, that are there more than once."""
    keys.sort()
    for key in keys[1:][keys[1:] == keys[:-1]].tolist():
        yield Key(ids[key >> 32], (key & 0xFFFF_FFFF) - _TRIAL_OFFSET)


def _counts(tags: pa.Array) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(tags.dictionary_decode()).to_pylist()}


def _levels(queries: Sequence[Query], table: OutcomeTable) -> tuple[LevelOverview, ...]:
    tally = table.tally()
    by_level: dict[int | None, list[int]] = {}
    for query in queries:
        by_level.setdefault(query.level, []).append(table.ranks.get(query.id, -1))
    return tuple(
        _level(level, len(ranks), *(counts[[rank for rank in ranks if rank >= 0]] for counts in tally))
        for level, ranks in sorted(by_level.items(), key=lambda item: (item[0] is None, item[0] or 0))
    )


def _level(
    level: int | None, n_queries: int, n_graded: NDArray[np.int32], n_correct: NDArray[np.int32]
) -> LevelOverview:
    n_samples, n_right = int(n_graded.sum()), int(n_correct.sum())
    return LevelOverview(
        level=level,
        n_queries=n_queries,
        n_samples=n_samples,
        fail_rate=1.0 - n_right / n_samples if n_samples else 1.0,
        n_solved=int(np.count_nonzero(n_correct)),
    )
