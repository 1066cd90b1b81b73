"""Reading a pool: its settings, queries, samples, and what they add up to.

Reading needs no lock: shards never change. A merge that deletes shards while they are being read is met by listing
them again.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.errors import PoolError, PoolVersion
from dartune.pool.schema import SAMPLE_SCHEMA, SCHEMA_VERSION, list_shards
from dartune.types import Query

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
    """All samples, as a table of `SAMPLE_SCHEMA` or of some of its columns; rows in the order of writing."""
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


def _read_shard(path: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        return pq.read_table(path, columns=None if columns is None else list(columns))
    except pa.ArrowInvalid as error:
        raise PoolError(
            f"{path}: damaged shard ({error}); restore it from a copy, or delete it to sample it again"
        ) from None
