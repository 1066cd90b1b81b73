"""What a pool holds, in numbers, and whether it is whole."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dartune.pool.reader import read_queries, read_samples, read_settings
from dartune.types import Key, request_seed


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
    queries = {query.id: query for query in read_queries(pool)}
    rows = read_samples(pool, ["query_id", "n_tokens", "verdict", "failure"]).to_pylist()
    graded = [row for row in rows if row["failure"] is None]
    tries: defaultdict[int | None, list[tuple[str, bool]]] = defaultdict(list)
    for row in graded:
        tries[queries[row["query_id"]].level].append((row["query_id"], row["verdict"] == "correct"))
    n_queries = Counter(query.level for query in queries.values())
    return PoolOverview(
        settings=settings,
        n_queries=len(queries),
        n_samples=len(graded),
        n_tokens=sum(row["n_tokens"] for row in graded),
        verdicts=dict(Counter(row["verdict"] for row in graded).most_common()),
        failures=dict(Counter(row["failure"] for row in rows if row["failure"] is not None).most_common()),
        levels=tuple(
            _level(level, n_queries[level], tries[level])
            for level in sorted(n_queries, key=lambda level: (level is None, level or 0))
        ),
    )


def find_faults(pool: Path) -> list[str]:
    """What is wrong with a pool, one line for each fault; empty if it is whole.

    Checks that every shard can be read, no key is there twice, every sample belongs to a query of the pool and has the
    seed of its key, and has either a verdict or the cause of its failure.
    """
    run_seed = read_settings(pool)["seed"]
    assert isinstance(run_seed, int)
    known = {query.id for query in read_queries(pool)}
    seen: set[Key] = set()
    faults = []
    for row in read_samples(pool, ["query_id", "trial", "seed", "verdict", "failure"]).to_pylist():
        key = Key(row["query_id"], row["trial"])
        if key in seen:
            faults.append(f"{key}: more than one sample")
        if key.query_id not in known:
            faults.append(f"{key}: its query is not in queries.parquet")
        if row["seed"] != request_seed(key, run_seed):
            faults.append(f"{key}: seed {row['seed']} is not that of its key")
        if (row["verdict"] is None) == (row["failure"] is None):
            faults.append(f"{key}: expected a verdict or a failure, got {row['verdict']!r} and {row['failure']!r}")
        seen.add(key)
    return faults


def _level(level: int | None, n_queries: int, tries: list[tuple[str, bool]]) -> LevelOverview:
    n_right = sum(is_correct for _, is_correct in tries)
    return LevelOverview(
        level=level,
        n_queries=n_queries,
        n_samples=len(tries),
        fail_rate=1.0 - n_right / len(tries) if tries else 1.0,
        n_solved=len({query_id for query_id, is_correct in tries if is_correct}),
    )
