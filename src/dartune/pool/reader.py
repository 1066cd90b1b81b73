"""Reading a pool: its settings, its queries, and its samples, at once or some at a time.

Reading needs no lock: shards never change. A merge that deletes shards while they are being read is met by listing
them again.
"""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dartune.errors import PoolError, PoolVersion
from dartune.pool.schema import SAMPLE_SCHEMA, SCHEMA_VERSION, list_shards
from dartune.types import Query

KEY = ("query_id", "trial")
"""The columns that name a try."""

Selection = Callable[[pa.Table], NDArray[np.bool_]]
"""Rows with the columns of `KEY` -> which of them are wanted."""

_ATTEMPTS = 5


def read_settings(pool: Path) -> dict[str, object]:
    """Settings of the run that fills the pool.

    Raises PoolError if there is no pool, PoolVersion if it is of another schema.
    """
    path = pool / "pool.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        version, settings = meta["schema_version"], meta["settings"]
    except (FileNotFoundError, NotADirectoryError):
        raise PoolError(
            f"{pool}: not a pool (pool.json is missing); expected a folder made by 'dartune sample'"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise PoolError(f"{path}: not a pool's settings ({error}); restore the file from a copy") from None
    if version != SCHEMA_VERSION:
        raise PoolVersion(
            f"{path}: pool of schema version {version}, this dartune reads version {SCHEMA_VERSION}; "
            "use the dartune that made it, or sample into a new folder"
        )
    return dict(settings)


def read_queries(pool: Path) -> list[Query]:
    """Every query of the pool, in the order in which they were added."""
    path = pool / "queries.parquet"
    if not path.exists():
        raise PoolError(f"{path}: missing; run 'dartune sample' on this pool again to write it")
    try:
        return [Query(**row) for row in pq.read_table(path).to_pylist()]
    except (pa.ArrowInvalid, TypeError) as error:
        raise PoolError(f"{path}: damaged ({error}); delete it and run 'dartune sample' on this pool again") from None


def read_samples(pool: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All samples, as a table of `SAMPLE_SCHEMA` or of some of its columns; rows in the order of writing.

    It holds them all at once; `iter_samples` does not.
    """
    read_settings(pool)
    for attempt in range(_ATTEMPTS):
        try:
            tables = [_read_shard(shard.path, columns) for shard in list_shards(pool)]
            break
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1:
                raise
    schema = SAMPLE_SCHEMA if columns is None else pa.schema([SAMPLE_SCHEMA.field(name) for name in columns])
    return pa.concat_tables([schema.empty_table(), *tables]).unify_dictionaries()


def iter_samples(pool: Path, columns: Sequence[str], *, select: Selection | None = None) -> Iterator[pa.RecordBatch]:
    """All samples a row group at a time, in the order of writing; `query_id` comes dictionary-encoded.

    Every row is given once, also where shards are merged meanwhile. A thread reads one row group ahead. With `select`
    only the rows that it wants are given, and of a group without any nothing but its keys is read.
    """
    read_settings(pool)
    given: dict[int, int] = {}
    shards = list_shards(pool)
    n_misses = 0
    while shards:
        shard = shards.pop(0)
        # A merged shard begins with rows that were given out already, from the shards that it replaces.
        n_skipped = sum(n for last, n in given.items() if last >= shard.first)
        given[shard.last] = 0
        try:
            for n_rows, table in _one_ahead(_iter_new(shard.path, columns, n_skipped, select)):
                given[shard.last] += n_rows
                yield from table.to_batches()
        except FileNotFoundError:
            n_misses += 1
            if n_misses == _ATTEMPTS:
                raise
            del given[shard.last]
            shards = [other for other in list_shards(pool) if other.last >= shard.first]
        else:
            n_misses = 0


class _Group(NamedTuple):
    """A row group: how many rows it has beyond those that are skipped, and of these the selected ones."""

    n_rows: int
    table: pa.Table


def _iter_new(
    path: Path, columns: Sequence[str], n_skipped: int, select: Selection | None
) -> Generator[_Group, None, None]:
    """The row groups of one shard beyond its first `n_skipped` rows."""
    with _opened(path, as_dictionary=["query_id"]) as file:
        for i in range(file.num_row_groups):
            n_rows = file.metadata.row_group(i).num_rows
            n_old = min(n_skipped, n_rows)
            n_skipped -= n_old
            is_wanted = select(file.read_row_group(i, columns=list(KEY)).slice(n_old)) if select else None
            if n_old == n_rows or (is_wanted is not None and not is_wanted.any()):
                yield _Group(n_rows - n_old, pa.table({}))
                continue
            table = file.read_row_group(i, columns=list(columns)).slice(n_old)
            yield _Group(n_rows - n_old, table if is_wanted is None else table.filter(pa.array(is_wanted)))


def _one_ahead(groups: Generator[_Group, None, None]) -> Iterator[_Group]:
    """The same groups, the next of them in the making while one is looked at."""
    with closing(groups), ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, groups, None)
        while (group := coming.result()) is not None:
            coming = thread.submit(next, groups, None)
            yield group


def iter_row_groups(path: Path) -> Iterator[pa.Table]:
    """The row groups of one shard. Raises FileNotFoundError, before the first, if a merge has deleted it."""
    with _opened(path) as file:
        for i in range(file.num_row_groups):
            yield file.read_row_group(i)


@contextmanager
def _opened(path: Path, *, as_dictionary: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    with (
        _naming_damage(path),
        pq.ParquetFile(path, read_dictionary=list(as_dictionary), pre_buffer=False) as file,
    ):
        yield file


def _read_shard(path: Path, columns: Sequence[str] | None) -> pa.Table:
    with _naming_damage(path):
        return pq.read_table(path, columns=None if columns is None else list(columns))


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        raise PoolError(
            f"{path}: damaged shard ({error}); restore it from a copy, or delete it to sample it again"
        ) from None
