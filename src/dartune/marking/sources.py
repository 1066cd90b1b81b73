"""The file that is marked: read as rows to be graded, and again as what the output keeps of it.

Nothing is held but some thousand rows at a time. Both readings give the same rows in the same order.
"""

import gzip
import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dartune.errors import DataError
from dartune.queries.files import FileRows, read_file
from dartune.queries.rows import NumberedRow, Unit
from dartune.queries.wording import one_line, quoted

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1024


class Source(Protocol):
    """A file of rows."""

    path: Path
    unit: Unit

    def rows(self, columns: Collection[str], *, start: int = 0) -> FileRows:
        """The rows from index `start` on, with at least those of `columns` that there are."""

    def objects(self) -> Iterator[bytes]:
        """Every row as a JSON object in UTF-8."""

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """All rows and columns, of one schema. Raises DataError where a column has no one type."""


class JsonLines:
    """A file of one JSON object a line, plain or gzipped."""

    unit: Unit = "line"

    def __init__(self, path: Path) -> None:
        self.path = path
        read_file(path)

    def rows(self, columns: Collection[str], *, start: int = 0) -> FileRows:
        """Whole rows, whatever the columns."""
        return islice(read_file(self.path).rows, start, None)

    def objects(self) -> Iterator[bytes]:
        """The lines as they are."""
        with gzip.open(self.path) if self.path.suffix.lower() == ".gz" else self.path.open("rb") as lines:
            for number, line in enumerate(lines):
                bare = line.strip() if number else line.removeprefix(b"\xef\xbb\xbf").strip()
                if bare:
                    yield bare

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """The rows with every column of any of them; read twice, first for the types."""
        import pyarrow as pa

        schema = pa.schema([])
        for rows in self._chunks():
            names = dict.fromkeys(name for row in rows for name in row)
            with self._typing():
                found = pa.schema([(name, pa.array([row.get(name) for row in rows]).type) for name in names])
                schema = pa.unify_schemas([schema, found], promote_options="permissive")
        for rows in self._chunks():
            with self._typing():
                batch = pa.RecordBatch.from_pylist(rows, schema=schema)
            yield batch

    def _chunks(self) -> Iterator[list[dict[str, object]]]:
        rows = (dict(row.raw) for row in read_file(self.path).rows if isinstance(row, NumberedRow))
        while chunk := list(islice(rows, BATCH_ROWS)):
            yield chunk

    @contextmanager
    def _typing(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
            raise DataError(
                f"{self.path}: expected one type for each column, which Parquet needs, got {one_line(error)}; "
                "name an output that ends in .jsonl"
            ) from error


class ParquetRows:
    """A Parquet file."""

    unit: Unit = "row"

    def __init__(self, path: Path) -> None:
        self.path = path
        read_file(path)

    def rows(self, columns: Collection[str], *, start: int = 0) -> FileRows:
        """Rows of these columns alone."""
        number = 0
        for batch in self._read(columns):
            n_skipped = min(batch.num_rows, max(0, start - number))
            for index, raw in enumerate(batch.slice(n_skipped).to_pylist(), start=number + n_skipped):
                yield NumberedRow(index + 1, raw)
            number += batch.num_rows

    def objects(self) -> Iterator[bytes]:
        """The rows in JSON; a value that JSON has not, such as a date, as text."""
        for batch in self.batches():
            for raw in batch.to_pylist():
                yield json.dumps(raw, ensure_ascii=False, default=str).encode()

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """The file as it is."""
        return self._read(None)

    def _read(self, columns: Collection[str] | None) -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa
        import pyarrow.parquet as pq

        n_rows = 0
        try:
            # Reading ahead and threads keep ever more memory, the more row groups there are.
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                names = None if columns is None else [name for name in file.schema_arrow.names if name in columns]
                for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names, use_threads=False):
                    self._refuse_broken_text(batch, n_rows)
                    n_rows += batch.num_rows
                    yield batch
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.path}: expected a Parquet file, got {one_line(error)}") from error

    def _refuse_broken_text(self, batch: "pa.RecordBatch", n_before: int) -> None:
        import pyarrow as pa

        try:
            batch.validate(full=True)
        except pa.ArrowInvalid:
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                for number, value in enumerate(column, start=n_before + 1):
                    try:
                        value.as_py()
                    except UnicodeDecodeError as error:
                        got = f"expected UTF-8 text, got byte {error.object[error.start]:#04x}"
                        raise DataError(f"{self.path}: row {number}: {name}: {got}") from error
            raise


SOURCES: dict[str, Callable[[Path], Source]] = {
    ".jsonl": JsonLines,
    ".jsonl.gz": JsonLines,
    ".parquet": ParquetRows,
}
"""What a file name ends in -> how it is read."""


def suffix_of(path: Path) -> str:
    """The one of `SOURCES` that the name ends in; raises DataError where it is none."""
    for suffix in SOURCES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise DataError(f"{path}: expected a file named {', '.join(SOURCES)}, got {quoted(path.suffix or path.name)}")


def open_source(path: Path) -> Source:
    """The file, its rows still to be read. Raises DataError where there is none or its suffix is unknown."""
    return SOURCES[suffix_of(path)](path)
