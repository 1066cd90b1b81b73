"""Scores of queries from a file: what a judge, a person or another program says of how hard each is.

Columns `id` (the query's id) and `score` (any finite number; higher is harder), in any format that `dartune.queries`
reads.
"""

import math
from contextlib import suppress
from pathlib import Path

from dartune.errors import DataError
from dartune.queries.files import read_file
from dartune.queries.rows import Defect, RawRow
from dartune.queries.wording import listed, nearest, quoted


def read_scores(path: Path) -> dict[str, float]:
    """The score of each query id in the file.

    Raises:
        DataError: the file cannot be read or is empty, or a row lacks a column, repeats an id, or has a score that is
            no finite number.
    """
    scores: dict[str, float] = {}
    table = read_file(path)
    for row in table.rows:
        where = f"{path}: {table.unit} {row.number}"
        if isinstance(row, Defect):
            raise DataError(f"{where}: {row.message}")
        query_id = _column(row.raw, "id", where)
        if not isinstance(query_id, str) or not query_id:
            raise DataError(f"{where}: id: expected a query's id, got {quoted(query_id)}")
        if query_id in scores:
            raise DataError(f"{where}: id: expected one row for each query, got {quoted(query_id)} again; leave one")
        scores[query_id] = _number(_column(row.raw, "score", where), where)
    if not scores:
        raise DataError(f"{path}: expected a row for each query, got none")
    return scores


def _column(raw: RawRow, name: str, where: str) -> object:
    if name not in raw:
        raise DataError(f"{where}: expected a column {name}, got {listed(map(quoted, raw))}{nearest(name, raw)}")
    return raw[name]


def _number(value: object, where: str) -> float:
    number = math.nan
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number):
        raise DataError(f"{where}: score: expected a finite number, got {quoted(value)}; leave out queries without one")
    return number
