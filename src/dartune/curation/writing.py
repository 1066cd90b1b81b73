"""Files of many rows, written a part at a time."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.files import write_atomic

Columns = dict[str, list[object]]


def write_table(path: Path, schema: pa.Schema, parts: Iterable[Columns]) -> None:
    """Write the parts as one Parquet file, whole or not at all; a row group for each."""

    def write(temporary: Path) -> None:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for columns in parts:
                writer.write_table(pa.table(columns, schema=schema))

    write_atomic(path, write)


def write_lines(path: Path, parts: Iterable[Columns]) -> None:
    """Write the rows of the parts as JSON objects, one a line, whole or not at all."""

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for columns in parts:
                file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in _rows(columns))

    write_atomic(path, write)


def _rows(columns: Columns) -> Iterator[dict[str, object]]:
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))
