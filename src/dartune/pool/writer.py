"""The one writer of a pool: locks it, checks that it may be continued, appends shards, merges small ones.

What `append` was given is durable when `flush` returns, and is counted in `n_durable`.
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from dartune import __version__
from dartune.errors import PoolMismatch, WriteError
from dartune.files import lock_folder, write_atomic, write_json
from dartune.pool.reader import read_queries, read_settings
from dartune.pool.schema import (
    QUERY_SCHEMA,
    SCHEMA_VERSION,
    Provenance,
    list_shards,
    sample_columns,
    shard_path,
)
from dartune.types import Query, Sample

MAX_BUFFERED = 8192
"""Samples held before they are written as a shard."""
MERGE_EVERY = 64
"""Small shards that are merged into one, so that a slow run of many days leaves few files."""
MAX_MERGED_BYTES = 256 * 2**20
"""Shards that are larger than this together are left as they are."""


class PoolWriter:
    """Exclusive, durable access to a pool for as long as it is open."""

    def __init__(self, path: Path, provenance: Provenance) -> None:
        """Open or create the pool at `path`.

        Raises FolderBusy if another process writes to it, PoolVersion or PoolMismatch if it must not be continued, and
        WriteError if the disk refuses.
        """
        self.path = path
        self.n_durable = 0
        self._provenance = provenance
        self._buffer: list[Sample] = []
        self._lock = lock_folder(path)
        try:
            self._settle_settings()
            self._next_shard = max((shard.last for shard in list_shards(path)), default=-1) + 1
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        """The writer itself; it is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is buffered, unless a failed write is why the block ends, and unlock."""
        try:
            if not isinstance(error, WriteError):
                self.flush()
        finally:
            self._lock.close()

    def add_queries(self, queries: Iterable[Query]) -> None:
        """Make sure that each query, as it is given, is in the pool's table of queries."""
        path = self.path / "queries.parquet"
        stored = {query.id: query for query in read_queries(self.path)} if path.exists() else {}
        known = stored | {query.id: query for query in queries}
        if known == stored:
            return
        columns = {name: [getattr(query, name) for query in known.values()] for name in QUERY_SCHEMA.names}
        table = pa.table(columns, schema=QUERY_SCHEMA)
        write_atomic(path, lambda temporary: pq.write_table(table, temporary))

    def append(self, sample: Sample) -> None:
        """Take a sample; it is durable after the next `flush`."""
        self._buffer.append(sample)
        if len(self._buffer) >= MAX_BUFFERED:
            self.flush()

    def flush(self) -> None:
        """Make everything appended durable, as one shard. Raises WriteError if the disk refuses."""
        if not self._buffer:
            return
        table = sample_columns(self._buffer, self._provenance)
        self._write(table, self._next_shard, self._next_shard)
        self._next_shard += 1
        self.n_durable += len(self._buffer)
        self._buffer.clear()
        self._merge_small()

    def _write(self, table: pa.Table, first: int, last: int) -> None:
        path = shard_path(self.path, first, last)
        write_atomic(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))

    def _merge_small(self) -> None:
        """Merge the newest run of `MERGE_EVERY` small shards into one."""
        newest = list_shards(self.path)[-MERGE_EVERY:]
        if len(newest) < MERGE_EVERY or any(shard.first != shard.last for shard in newest):
            return
        if sum(shard.path.stat().st_size for shard in newest) > MAX_MERGED_BYTES:
            return
        merged = pa.concat_tables([pq.read_table(shard.path) for shard in newest]).unify_dictionaries()
        self._write(merged, newest[0].first, newest[-1].last)
        for shard in newest:
            shard.path.unlink(missing_ok=True)

    def _settle_settings(self) -> None:
        """Create the pool's settings, or refuse to continue a pool that was made with others."""
        given = _settings(self._provenance)
        if not (self.path / "pool.json").exists():
            write_json(
                self.path / "pool.json",
                {"schema_version": SCHEMA_VERSION, "dartune_version": __version__, "settings": given},
            )
            return
        stored = read_settings(self.path)
        differing = [f"{k}: pool {stored.get(k)!r}, recipe {given[k]!r}" for k in given if stored.get(k) != given[k]]
        if differing:
            raise PoolMismatch(
                f"{self.path}: this pool was sampled with other settings ({'; '.join(differing)}); "
                "restore those settings, name another folder, or move this pool away"
            )


def _settings(provenance: Provenance) -> dict[str, object]:
    params = provenance.params
    settings: dict[str, object] = {
        "model": provenance.model,
        "template": provenance.template,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "max_new_tokens": params.max_new_tokens,
        "stop": list(params.stop),
        "seed": provenance.run_seed,
    }
    return settings
