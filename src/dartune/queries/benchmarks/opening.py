"""Finding a benchmark: its sources are tried in order and the first that answers is used."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, assert_never

from dartune.errors import DataError, InputError
from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, Source, WebFile
from dartune.queries.download import fetch, sha256_of
from dartune.queries.files import read_file
from dartune.queries.hub import read_hub
from dartune.queries.records import Attempt, Checksum, Opened, Origin
from dartune.queries.rows import Adapter, Defect, NumberedRow, Row, Unit, read_row
from dartune.queries.wording import listed


class _Answer(NamedTuple):
    """A source read whole, so that a failure half-way leaves room for the next one."""

    rows: tuple[Row | Defect, ...]
    source: str
    unit: Unit
    path: Path | None
    sha256: str | None
    checksum: Checksum


def open_benchmark(benchmark: Benchmark, data_dir: Path | None) -> Opened:
    """The first source that answers: the data folders (`data_dir`, then $DARTUNE_DATA), then the others in order.

    Raises:
        DataError: none answers; the message lists each with what it said.
        WriteError: a fetched file cannot be kept.
    """
    tried: list[Attempt] = []
    for source in benchmark.sources:
        for folder in _folders(data_dir) if isinstance(source, FolderFile) else (None,):
            try:
                answer = _ask(source, folder)
            except InputError as error:
                tried.append(Attempt(source=str(source), failure=_reason(source, error)))
                continue
            return Opened(
                name=benchmark.name,
                origin=Origin(
                    source=answer.source,
                    unit=answer.unit,
                    path=None if answer.path is None else str(answer.path),
                    sha256=answer.sha256,
                    checksum=answer.checksum,
                    n_rows_expected=source.n_rows,
                    tried=tuple(tried),
                ),
                rows=iter(answer.rows),
                judge=benchmark.judge,
                is_benchmark=True,
            )
    raise DataError(_no_answer(benchmark, tried))


def _folders(data_dir: Path | None) -> tuple[Path | None, ...]:
    environment = os.environ.get("DARTUNE_DATA")
    folders = [folder for folder in (data_dir, Path(environment) if environment else None) if folder is not None]
    return tuple(folders) or (None,)


def _ask(source: Source, folder: Path | None) -> _Answer:
    match source:
        case FolderFile():
            if folder is None:
                raise DataError("neither queries.data_dir nor DARTUNE_DATA is set")
            return _file_answer(folder.expanduser() / source.file, source)
        case WebFile():
            return _file_answer(fetch(source.url, source.sha256), source)
        case HubCopy():
            numbered = (row for dataset in source.datasets for row in read_hub(dataset))
            rows = tuple(_adapted(_renumbered(numbered), source.adapt))
            return _Answer(rows, str(source), "row", None, None, "not verified")
    assert_never(source)


def _file_answer(path: Path, source: FolderFile | WebFile) -> _Answer:
    table = read_file(path)
    kept = (row for row in table.rows if isinstance(row, Defect) or source.keep(row.raw))
    rows = tuple(_adapted(kept, source.adapt))
    found = sha256_of(path)
    name = source.url if isinstance(source, WebFile) else str(path)
    return _Answer(rows, name, table.unit, path, found, "verified" if found == source.sha256 else "differs")


def _renumbered(rows: Iterable[NumberedRow]) -> Iterator[NumberedRow]:
    for number, row in enumerate(rows, start=1):
        yield NumberedRow(number, row.raw)


def _adapted(rows: Iterable[NumberedRow | Defect], adapt: Adapter) -> Iterator[Row | Defect]:
    for row in rows:
        if isinstance(row, Defect):
            yield row
            continue
        try:
            problem = adapt(row.raw)
        except KeyError as error:
            raise DataError(f"expected column {error}, got columns {listed(row.raw)}") from error
        yield read_row(row.number, problem)


def _reason(source: Source, error: InputError) -> str:
    reason = str(error).removeprefix(f"{source}: ")
    for dataset in source.datasets if isinstance(source, HubCopy) else ():
        reason = reason.removeprefix(f"{dataset}: ")
    return reason


def _no_answer(benchmark: Benchmark, tried: list[Attempt]) -> str:
    attempts = "; ".join(f"({i}) {attempt.source}: {attempt.failure}" for i, attempt in enumerate(tried, start=1))
    files = [source.file for source in benchmark.sources if isinstance(source, FolderFile)]
    remark = f". {benchmark.remark}" if benchmark.remark else ""
    folder = f"name a folder that holds {listed(files)} by queries.data_dir (--data-dir) or DARTUNE_DATA, or "
    return f"{benchmark.name}: no source answered: {attempts}; {folder if files else ''}connect to the network{remark}"
