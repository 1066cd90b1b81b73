"""From the name of a source to its rows: a file, "hf:...", a benchmark, or a set of the embedded world."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from dartune.config import QueriesConfig
from dartune.errors import ConfigError, DataError
from dartune.queries.benchmarks import BENCHMARKS
from dartune.queries.benchmarks.opening import open_benchmark
from dartune.queries.columns import resolve_columns
from dartune.queries.download import sha256_of
from dartune.queries.files import looks_like_file, read_file
from dartune.queries.hub import parse_hub_name, read_hub
from dartune.queries.records import Opened, Origin
from dartune.queries.rows import Defect, NumberedRow, Row, read_row
from dartune.queries.wording import nearest, quoted

N_WORLD_QUERIES = 1000
"""Problems made of a procedural set where no limit is given."""

_N_PEEKED = 100
"""First rows in which columns are looked for: objects of a JSON file may leave empty fields out."""


def open_source(config: QueriesConfig, seed: int) -> Opened:
    """The source that `config.source` names, its rows still to be read.

    Raises:
        DataError: no such source, or it does not answer.
        ConfigError: an unknown field in `config.columns`, columns for a named set, or an unknown world set or level.
        MissingExtra: a library that the source needs is not installed.
    """
    source = config.source
    if source.startswith("hf:"):
        dataset = parse_hub_name(source.removeprefix("hf:"), config.split)
        return Opened(
            name=source,
            origin=Origin(source=str(dataset)),
            rows=_mapped(read_hub(dataset), config, str(dataset)),
            is_benchmark=False,
        )
    if config.columns and (source.startswith("world/") or source in BENCHMARKS):
        raise ConfigError(f"queries.columns: {source} is a named set and knows its columns; remove the mapping")
    if source.startswith("world/"):
        return _open_world(config, seed)
    if benchmark := BENCHMARKS.get(source):
        return open_benchmark(benchmark, config.data_dir)
    path = Path(source).expanduser()
    if not (looks_like_file(source) or path.exists()):
        raise DataError(
            f"queries.source: expected a named set, a file or hf:DATASET, got {quoted(source)}"
            f"{nearest(source, BENCHMARKS)}; `dartune queries list` shows the named sets"
        )
    table = read_file(path)
    return Opened(
        name=path.name,
        origin=Origin(source=source, unit=table.unit, path=str(path), sha256=sha256_of(path)),
        rows=_mapped(table.rows, config, source),
        is_benchmark=False,
    )


def _mapped(rows: Iterable[NumberedRow | Defect], config: QueriesConfig, where: str) -> Iterator[Row | Defect]:
    stream = iter(rows)
    peeked = list(islice(stream, _N_PEEKED))
    if not peeked:
        return
    found = (column for row in peeked if isinstance(row, NumberedRow) for column in row.raw)
    columns = resolve_columns(config.columns, found, where)
    for row in chain(peeked, stream):
        yield row if isinstance(row, Defect) else read_row(row.number, columns(row.raw))


def _open_world(config: QueriesConfig, seed: int) -> Opened:
    from dartune.world import world_queries

    n = config.limit or N_WORLD_QUERIES
    queries = world_queries(config.source, n=n, seed=seed, levels=config.levels)
    return Opened(
        name=config.source,
        origin=Origin(source=f"{config.source} (seed {seed})", n_rows_expected=n),
        rows=(
            Row(number=i, text=query.text, ref_answer=query.ref_answer, level=query.level, domain=query.domain)
            for i, query in enumerate(queries, start=1)
        ),
        is_benchmark=False,
    )
