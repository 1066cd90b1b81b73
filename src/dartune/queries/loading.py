"""`load_queries`: from a recipe's section to the chosen problems."""

from dartune.config import QueriesConfig
from dartune.queries.collecting import collect, refuse_defects, refuse_row_count
from dartune.queries.records import QuerySet
from dartune.queries.selection import select_rows
from dartune.queries.sources import open_source


def load_queries(config: QueriesConfig, *, seed: int = 0) -> QuerySet:
    """The problems that `config` asks for, with a report of their source.

    `seed` draws `config.sample` and makes the problems of a procedural set. Rows without a reference answer are left
    out of a published benchmark and reported; in a user's own set they are an error.

    Raises:
        DataError: the source does not answer, has an unknown number of rows, a faulty row, or no row that passes.
        ConfigError: an unknown field in `config.columns`, columns for a named set, or an unknown world set or level.
        MissingExtra: a library that the source needs is not installed.
        WriteError: a fetched file cannot be kept.
    """
    opened = open_source(config, seed)
    rows, report = collect(opened)
    refuse_row_count(report)
    refuse_defects(report, opened.is_benchmark)
    chosen = select_rows(rows, config, seed, report)
    return QuerySet(
        queries=tuple({query.id: query for query in reversed(chosen)}.values())[::-1],
        rows=tuple(query.id for query in chosen),
        report=report,
    )
