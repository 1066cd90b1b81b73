"""Pass rates from a file: how often a model solves each query, and how long its responses are.

Columns, in any format that `dartune.queries` reads:

    pass_rate    in [0, 1]; needed
    id, or text  the query's id, or its text under any name that a query file may use (query, problem, ...)
    level        1 is easiest
    mean_tokens  mean tokens of a response
    n_trials     tries behind the pass rate

Rows that name no query are a population: the queries of a level are given the quantiles of that level's rows.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dartune.errors import DataError
from dartune.queries.columns import DEFAULT_COLUMNS
from dartune.queries.files import read_file
from dartune.queries.rows import Defect, RawRow, as_text, parse_level
from dartune.queries.wording import nearest, quoted
from dartune.types import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRates:
    """One entry for each query in every array."""

    query_ids: tuple[str, ...]
    pass_rate: NDArray[np.float64]
    """In [0, 1]."""
    level: NDArray[np.int64]
    """0 where there is none."""
    mean_tokens: NDArray[np.float64]
    """NaN where the file does not say."""
    n_trials: NDArray[np.int64]
    """0 where the file does not say: the pass rate is then taken as exact."""


class _Row(NamedTuple):
    """One row of the file, checked."""

    number: int
    id: str
    text: str
    level: int
    pass_rate: float
    mean_tokens: float
    n_trials: int


def read_pass_rates(path: Path, queries: Sequence[Query] | None = None) -> PassRates:
    """The pass rate of each of `queries`, in their order; of each row of the file where `queries` is None.

    A row belongs to the query with its id, else to those with its text; rows of other queries are left out. A level
    that the file does not give is the query's own.

    Raises:
        DataError: the file cannot be read, is empty, lacks the column, has a value outside its range or two rows for
            one query, or says nothing about one of `queries`.
    """
    rows = _read_rows(path)
    if queries is None:
        return _as_they_stand(path, rows)
    is_population = not any(row.id or row.text for row in rows)
    chosen = _quantiles(path, rows, queries) if is_population else _matched(path, rows, queries)
    return _arrays([query.id for query in queries], chosen, [query.level or 0 for query in queries])


def _read_rows(path: Path) -> list[_Row]:
    table = read_file(path)
    rows = []
    for row in table.rows:
        where = f"{path}: {table.unit} {row.number}"
        if isinstance(row, Defect):
            raise DataError(f"{where}: {row.message}")
        try:
            rows.append(_row(row.number, row.raw))
        except ValueError as error:
            raise DataError(f"{where}: {error}") from None
    if not rows:
        raise DataError(f"{path}: expected a row for each query, got none")
    return rows


def _row(number: int, raw: RawRow) -> _Row:
    """Raises ValueError that names the field."""
    if "pass_rate" not in raw:
        raise ValueError(f"expected a column pass_rate, got {', '.join(map(quoted, raw))}{nearest('pass_rate', raw)}")
    text = next((raw[name] for name in DEFAULT_COLUMNS["text"] if name in raw), None)
    pass_rate = _number(raw["pass_rate"], "pass_rate")
    if not 0 <= pass_rate <= 1:
        raise ValueError(f"pass_rate: expected a number in [0, 1], got {quoted(raw['pass_rate'])}{_hint(pass_rate)}")
    mean_tokens = _number(raw.get("mean_tokens"), "mean_tokens")
    if mean_tokens <= 0 or math.isinf(mean_tokens):
        raise ValueError(f"mean_tokens: expected a number above 0, got {quoted(raw['mean_tokens'])}")
    n_trials = _number(raw.get("n_trials"), "n_trials")
    if n_trials < 1 or (not math.isnan(n_trials) and (math.isinf(n_trials) or n_trials != int(n_trials))):
        raise ValueError(f"n_trials: expected a whole number from 1, got {quoted(raw['n_trials'])}")
    try:
        level = parse_level(raw.get("level"))
        return _Row(
            number=number,
            id=as_text(raw.get("id")).strip(),
            text=as_text(text).strip(),
            level=level or 0,
            pass_rate=pass_rate,
            mean_tokens=mean_tokens,
            n_trials=0 if math.isnan(n_trials) else int(n_trials),
        )
    except ValueError as error:
        raise ValueError(f"id, text or level: {error}") from None


def _number(value: object, field: str) -> float:
    """The value as a float; NaN where it is missing."""
    if value is None or value == "":
        return math.nan
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{field}: expected a number, got {quoted(value)}")


def _hint(pass_rate: float) -> str:
    return "; percentages are to be divided by 100" if 1 < pass_rate <= 100 else ""


def _as_they_stand(path: Path, rows: Sequence[_Row]) -> PassRates:
    names = [row.id or f"row {row.number}" for row in rows]
    seen: dict[str, int] = {}
    for name, row in zip(names, rows, strict=True):
        if name in seen:
            raise DataError(
                f"{path}: expected one row for each id, got {quoted(name)} in {seen[name]} and {row.number}"
            )
        seen[name] = row.number
    return _arrays(names, rows, [0] * len(rows))


def _matched(path: Path, rows: Sequence[_Row], queries: Sequence[Query]) -> list[_Row]:
    """The row of each query, by id or else by text."""
    ids = {query.id for query in queries}
    by_text: dict[str, list[str]] = defaultdict(list)
    for query in queries:
        by_text[query.text].append(query.id)
    found: dict[str, _Row] = {}
    for row in rows:
        for query_id in [row.id] if row.id in ids else by_text.get(row.text, []):
            earlier = found.setdefault(query_id, row)
            if earlier.pass_rate != row.pass_rate:
                raise DataError(
                    f"{path}: expected one pass rate for query {query_id}, got {earlier.pass_rate} in row "
                    f"{earlier.number} and {row.pass_rate} in row {row.number}"
                )
    missing = [query.id for query in queries if query.id not in found]
    if missing:
        raise DataError(
            f"{path}: expected a row for each of {len(queries):,} queries, got none for {len(missing):,} of them, the "
            f"first {missing[0]}; rows are matched by id (32 hex digits) or by the query's text; the file's first "
            f"row has id {quoted(rows[0].id)}"
        )
    return [found[query.id] for query in queries]


def _quantiles(path: Path, rows: Sequence[_Row], queries: Sequence[Query]) -> list[_Row]:
    """A row of the query's level for each query: of n queries, sorted by id, the i-th gets quantile (i + 1/2) / n."""
    population: dict[int, list[_Row]] = defaultdict(list)
    has_levels = any(row.level for row in rows)
    for row in sorted(rows, key=lambda row: (row.pass_rate, row.number)):
        population[row.level].append(row)
    of_level: dict[int, list[str]] = defaultdict(list)
    for query in queries:
        of_level[query.level or 0 if has_levels else 0].append(query.id)
    chosen: dict[str, _Row] = {}
    for level, query_ids in of_level.items():
        if level not in population:
            raise DataError(
                f"{path}: expected rows of every level of the {len(queries):,} queries, got none of "
                f"{f'level {level}' if level else 'no level'}, which {len(query_ids):,} queries have"
            )
        at_level = population[level]
        for rank, query_id in enumerate(sorted(query_ids)):
            chosen[query_id] = at_level[(2 * rank + 1) * len(at_level) // (2 * len(query_ids))]
    return [chosen[query.id] for query in queries]


def _arrays(query_ids: Sequence[str], rows: Sequence[_Row], levels: Sequence[int]) -> PassRates:
    return PassRates(
        query_ids=tuple(query_ids),
        pass_rate=np.array([row.pass_rate for row in rows]),
        level=np.array([row.level or level for row, level in zip(rows, levels, strict=True)], dtype=np.int64),
        mean_tokens=np.array([row.mean_tokens for row in rows]),
        n_trials=np.array([row.n_trials for row in rows], dtype=np.int64),
    )
