"""Files of many rows, written a part at a time."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.files import write_atomic

Columns = Mapping[str, Sequence[object] | pa.Array]


def write_table(path: Path, schema: pa.Schema, parts: Iterable[Columns]) -> None:
    """Write the parts as one Parquet file, whole or not at all; a row group for each."""

    def write(temporary: Path) -> None:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for columns in parts:
                writer.write_table(pa.table(dict(columns), schema=schema))

    write_atomic(path, write)


def write_lines(path: Path, parts: Iterable[Columns]) -> None:
    """Write the rows of the parts as JSON objects, one a line, whole or not at all."""

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for columns in parts:
                file.writelines(_lines(columns))

    write_atomic(path, write)


def _lines(columns: Columns) -> Iterator[str]:
    # The encoder of one text is in C; that of an object is made anew for each.
    names = [_quoted(name) for name in columns]
    for row in zip(*columns.values(), strict=True):
        yield f"{{{', '.join(f'{name}: {_quoted(text)}' for name, text in zip(names, row, strict=True))}}}\n"


_quoted = json.JSONEncoder(ensure_ascii=False).encode
