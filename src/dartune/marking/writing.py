"""The source with its grades, written as JSONL or Parquet. The same rows and grades give the same bytes."""

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dartune.marking.cases import ADDED
from dartune.marking.sources import Source, suffix_of
from dartune.types import Grade

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_BYTES = 32 << 20
_GROUP_ROWS = 1 << 17
_GZIP_LEVEL = 6

Writer = Callable[[Path, Source, Iterator[Grade]], None]


def columns_of(grade: Grade) -> tuple[str | None, str, str]:
    """A grade as the values of `ADDED`; a lone surrogate, which no file can hold, becomes a question mark."""
    answer = grade.answer
    return None if answer is None else answer.encode("utf-8", "replace").decode("utf-8"), grade.verdict, grade.rule


def _write_jsonl(path: Path, source: Source, grades: Iterator[Grade]) -> None:
    with path.open("wb") as file:
        _write_lines(file, source, grades)


def _write_jsonl_gz(path: Path, source: Source, grades: Iterator[Grade]) -> None:
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=_GZIP_LEVEL) as packed,
    ):
        _write_lines(packed, source, grades)


def _write_lines(file: BinaryIO | gzip.GzipFile, source: Source, grades: Iterator[Grade]) -> None:
    """Each object gets its columns before its closing brace: the rest of the line stays as it is, byte for byte."""
    for row, grade in zip(source.objects(), grades, strict=True):
        added = json.dumps(dict(zip(ADDED, columns_of(grade), strict=True)), ensure_ascii=False)
        file.write(row[:-1].rstrip() + b", " + added[1:].encode() + b"\n")


def _write_parquet(path: Path, source: Source, grades: Iterator[Grade]) -> None:
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    try:
        for table in _groups(source, grades):
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _groups(source: Source, grades: Iterator[Grade]) -> "Iterator[pa.Table]":
    """The rows in tables of bounded size, each of which becomes a row group."""
    import pyarrow as pa

    group: list[pa.RecordBatch] = []
    for batch in source.batches():
        group.append(_graded(batch, grades))
        if sum(b.nbytes for b in group) >= _GROUP_BYTES or sum(b.num_rows for b in group) >= _GROUP_ROWS:
            yield pa.Table.from_batches(group)
            group = []
    if group:
        yield pa.Table.from_batches(group)


def _graded(batch: "pa.RecordBatch", grades: Iterator[Grade]) -> "pa.RecordBatch":
    import pyarrow as pa

    rows = [columns_of(grade) for grade in islice(grades, batch.num_rows)]
    for index, name in enumerate(ADDED):
        batch = batch.append_column(name, pa.array([row[index] for row in rows], pa.string()))
    return batch


_WRITERS: dict[str, Writer] = {".jsonl": _write_jsonl, ".jsonl.gz": _write_jsonl_gz, ".parquet": _write_parquet}


def find_writer(path: Path) -> Writer:
    """What writes a file of that name. Raises DataError where its suffix is unknown."""
    return _WRITERS[suffix_of(path)]
