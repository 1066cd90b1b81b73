"""The one writer of a pool: locks it, checks that it may be continued, appends shards, merges small ones.

What `append` was given is durable when `flush` returns, and is counted in `n_durable`.

What a flush costs does not depend on how much the pool holds: the writer knows its shards, looks at the newest alone,
and merges them a row group at a time. Merged shards are merged again, so that a slow run of many days leaves few files.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from dartune import __version__
from dartune.errors import PoolMismatch, WriteError
from dartune.files import lock_folder, write_atomic, write_json
from dartune.pool.reader import iter_row_groups, read_queries, read_settings
from dartune.pool.schema import (
    QUERY_SCHEMA,
    SAMPLE_SCHEMA,
    SCHEMA_VERSION,
    Provenance,
    Shard,
    list_shards,
    sample_columns,
    shard_path,
)
from dartune.types import Query, Sample

MAX_BUFFERED = 16_384
"""Samples held before they are written as a shard, and in a row group of a merged one."""
MAX_BUFFERED_CHARS = 32 * 2**20
"""Characters of responses that are held before they are written, where responses are long."""
MERGE_EVERY = 64
"""Shards that are merged into one."""
MAX_MERGED_BYTES = 64 * 2**20
"""Shards that are larger than this together are left as they are: merging them would hold up the run for seconds."""

_REPEATED = [name for name in SAMPLE_SCHEMA.names if name not in {"seed", "response", "sum_logprob"}]
"""Columns whose values recur, which are stored as a dictionary and references to it."""


class PoolWriter:
    """Exclusive, durable access to a pool for as long as it is open."""

    def __init__(self, path: Path, provenance: Provenance) -> None:
        """Open or create the pool at `path`.

        Raises FolderBusy if another process writes to it, PoolVersion or PoolMismatch if it must not be continued, and
        WriteError if the disk refuses.
        """
        self.path = path
        self.n_durable = 0
        self.provenance = provenance
        """What makes the samples that are appended; another way of asking takes effect after a `flush`."""
        self._buffer: list[Sample] = []
        self._n_chars = 0
        self._lock = lock_folder(path)
        try:
            self._settle_settings(provenance)
            self._shards = list_shards(path)
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
        if sample.response is not None:
            self._n_chars += len(sample.response.text)
        if len(self._buffer) >= MAX_BUFFERED or self._n_chars >= MAX_BUFFERED_CHARS:
            self.flush()

    def flush(self) -> None:
        """Make everything appended durable, as one shard. Raises WriteError if the disk refuses."""
        if not self._buffer:
            return
        number = self._shards[-1].last + 1 if self._shards else 0
        self._shards.append(self._write([sample_columns(self._buffer, self.provenance)], number, number))
        self.n_durable += len(self._buffer)
        self._buffer.clear()
        self._n_chars = 0
        while self._merge_newest():
            pass

    def _write(self, row_groups: Iterable[pa.Table], first: int, last: int) -> Shard:
        path = shard_path(self.path, first, last)

        def write(temporary: Path) -> None:
            with pq.ParquetWriter(temporary, SAMPLE_SCHEMA, compression="zstd", use_dictionary=_REPEATED) as writer:
                for table in row_groups:
                    writer.write_table(table, row_group_size=len(table))

        write_atomic(path, write)
        return Shard(path=path, first=first, last=last)

    def _merge_newest(self) -> bool:
        """Merge the newest `MERGE_EVERY` shards into one if they are small and alike; whether they were."""
        newest = self._shards[-MERGE_EVERY:]
        if len(newest) < MERGE_EVERY or len({shard.last - shard.first for shard in newest}) > 1:
            return False
        if sum(shard.path.stat().st_size for shard in newest) > MAX_MERGED_BYTES:
            return False
        merged = self._write(_regrouped(newest), newest[0].first, newest[-1].last)
        self._shards[-MERGE_EVERY:] = [merged]
        for shard in newest:
            shard.path.unlink(missing_ok=True)
        return True

    def _settle_settings(self, provenance: Provenance) -> None:
        """Create the pool's settings, or refuse to continue a pool that was made with others."""
        given = _settings(provenance)
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


def _regrouped(shards: Sequence[Shard]) -> Iterator[pa.Table]:
    """The rows of some shards in row groups of up to `MAX_BUFFERED` rows, or of as much as was buffered at once."""
    held: list[pa.Table] = []
    for table in (table for shard in shards for table in iter_row_groups(shard.path)):
        grown = [*held, table]
        if sum(map(len, grown)) > MAX_BUFFERED or sum(part.nbytes for part in grown) > MAX_BUFFERED_CHARS:
            yield from _joined(held)
            grown = [table]
        held = grown
    yield from _joined(held)


def _joined(tables: list[pa.Table]) -> list[pa.Table]:
    return [pa.concat_tables(tables).unify_dictionaries()] if tables else []


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
