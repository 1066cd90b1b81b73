"""Rows of a JSONL, JSON, CSV or Parquet file, each with its number; text formats also gzipped.

JSONL, CSV and Parquet are read as a stream. What is wrong with one row is given as a `Defect` in its place; what is
wrong with the file raises `DataError`.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from dartune.errors import DataError
from dartune.queries.rows import Defect, NumberedRow, Unit
from dartune.queries.wording import nearest, one_line, quoted

FileRows = Iterator[NumberedRow | Defect]


class _Format(NamedTuple):
    """How files of one suffix are read."""

    read: Callable[[Path], FileRows]
    unit: Unit


class FileTable(NamedTuple):
    """The rows of a file and what their numbers count."""

    unit: Unit
    rows: FileRows


def looks_like_file(source: str) -> bool:
    """Whether the name ends as a file that can be read here."""
    return _format_of(Path(source)) is not None


def read_file(path: Path) -> FileTable:
    """The rows of a file, read as they are asked for.

    Raises:
        DataError: no such file, or an unknown suffix; while reading, a file that is not what its suffix says.
    """
    if path.is_dir():
        raise DataError(f'{path}: expected a file, got a folder; for a folder in the hub\'s layout write "hf:{path}"')
    if not path.is_file():
        siblings = (entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else iter(())
        raise DataError(f"{path}: no such file{nearest(path.name, siblings)}")
    found = _format_of(path)
    if found is None:
        raise DataError(f"{path}: expected a file named {' or '.join(_FORMATS)} (all but .parquet also with .gz)")
    return FileTable(unit=found.unit, rows=found.read(path))


def _format_of(path: Path) -> _Format | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"] and suffixes[-2:-1] != [".parquet"]:
        suffixes.pop()
    return _FORMATS.get(suffixes[-1]) if suffixes else None


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8 text, got byte {error.object[error.start]:#04x}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: expected a whole gzip file, got {one_line(error)}; fetch it again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or one_line(error)}") from error


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


def _read_jsonl(path: Path) -> FileRows:
    with _reading(path), _open(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _jsonl_row(number, line.rstrip())


def _jsonl_row(number: int, line: bytes) -> NumberedRow | Defect:
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except json.JSONDecodeError as error:
        return _malformed(number, f"expected a JSON object, got {error.msg} at column {error.colno}")
    except UnicodeDecodeError as error:
        return _malformed(number, f"expected UTF-8 text, got byte {line[error.start]:#04x}")
    except (ValueError, RecursionError) as error:
        return _malformed(number, f"expected a JSON object, got {one_line(error)}")
    return _object(number, value)


def _object(number: int, value: object) -> NumberedRow | Defect:
    if not isinstance(value, dict):
        return _malformed(number, f"expected a JSON object, got {quoted(value)}")
    return NumberedRow(number, value)


def _malformed(number: int, message: str) -> Defect:
    return Defect(number=number, field="row", kind="malformed", message=message)


def _read_json(path: Path) -> FileRows:
    with _reading(path), _open(path) as file:
        content = file.read().decode("utf-8-sig")
    try:
        values = json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: line {error.lineno}: expected a JSON list of objects, got {error.msg} at column {error.colno}"
            + ("; a file of one object per line is named .jsonl" if error.msg == "Extra data" else "")
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected a JSON list of objects, got {one_line(error)}") from error
    if not isinstance(values, list):
        raise DataError(f"{path}: expected a JSON list of objects, got {type(values).__name__}")
    for number, value in enumerate(values, start=1):
        yield _object(number, value)


def _read_csv(path: Path) -> FileRows:
    with _reading(path), _open(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        records = csv.reader(text, strict=True)
        try:
            header = next(records, None)
            if header is None:
                raise DataError(f"{path}: expected a header line, got an empty file")
            for number, record in enumerate((record for record in records if record), start=1):
                if len(record) == len(header):
                    yield NumberedRow(number, dict(zip(header, record, strict=True)))
                else:
                    yield _malformed(number, f"expected {len(header)} fields as in the header, got {len(record)}")
        except csv.Error as error:
            raise DataError(f"{path}: line {records.line_num}: expected CSV, got {one_line(error)}") from error


def _read_parquet(path: Path) -> FileRows:
    import pyarrow
    import pyarrow.parquet

    try:
        with _reading(path), pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=1024):
                for raw in batch.to_pylist():
                    number += 1
                    yield NumberedRow(number, raw)
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: expected a Parquet file, got {one_line(error)}") from error


_FORMATS: dict[str, _Format] = {
    ".jsonl": _Format(_read_jsonl, "line"),
    ".ndjson": _Format(_read_jsonl, "line"),
    ".json": _Format(_read_json, "row"),
    ".csv": _Format(_read_csv, "row"),
    ".parquet": _Format(_read_parquet, "row"),
}
