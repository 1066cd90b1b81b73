"""From a pool of answers to the graded rows of each benchmark: a query that stands there twice counts twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.errors import PoolError
from dartune.evaluation.metrics import Scored
from dartune.files import write_atomic
from dartune.pool import iter_samples
from dartune.queries import QuerySet
from dartune.types import FinishReason, Verdict

ROWS_FILE: Final = "rows.parquet"
GRADES_FILE: Final = "grades.parquet"

_ROWS: Final = pa.schema(
    [
        pa.field("benchmark", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("query_id", pa.string(), nullable=False),
        pa.field("level", pa.int32()),
        pa.field("domain", pa.string()),
    ]
)
_GRADES: Final = pa.schema(
    [
        pa.field("query_id", pa.string(), nullable=False),
        pa.field("trial", pa.int32(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("answer", pa.string()),
    ]
)
_COLUMNS: Final = [
    "query_id", "trial", "verdict", "answer", "n_tokens", "finish_reason", "sum_logprob", "failure"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkRow:
    """One row of a benchmark."""

    query_id: str
    level: int | None
    domain: str | None


class Regraded(NamedTuple):
    """A later grader's verdict on one try."""

    query_id: str
    trial: int
    verdict: Verdict
    answer: str | None


class _Answer(NamedTuple):
    verdict: Verdict
    answer: str | None
    n_tokens: int
    finish_reason: FinishReason | None
    sum_logprob: float | None


Tries = list[tuple[Scored, ...]]
"""All tries of each row of a benchmark, in trial order."""


def benchmark_rows(queries: QuerySet) -> list[BenchmarkRow]:
    """Every row of a set, in its order."""
    by_id = {query.id: query for query in queries.queries}
    return [BenchmarkRow(query_id=name, level=by_id[name].level, domain=by_id[name].domain) for name in queries.rows]


def read_tries(
    pool: Path, benchmarks: Mapping[str, Iterable[BenchmarkRow]], n_trials: Mapping[str, int]
) -> dict[str, Tries]:
    """The first `n_trials[name]` graded tries of every row of each benchmark, by the latest verdicts that there are.

    A try that the engine could not answer, for example because the prompt is longer than the model's context, counts as
    not correct, with the verdict `ungradable`. Raises PoolError if some were never made, because a score over the
    others would not be the benchmark's.
    """
    answers = _answers(pool)
    return {name: _tries(pool, name, list(rows), answers, n_trials[name]) for name, rows in benchmarks.items()}


def _tries(
    pool: Path, name: str, rows: list[BenchmarkRow], answers: Mapping[str, Mapping[int, _Answer]], n_trials: int
) -> Tries:
    wanted = {row.query_id for row in rows}
    n_missing = sum(any(trial not in answers.get(query_id, {}) for trial in range(n_trials)) for query_id in wanted)
    if n_missing:
        raise PoolError(
            f"{pool}: {n_missing} of {len(wanted)} queries of {name} were not asked yet; run the evaluation again"
        )
    return [tuple(_scored(row, answers[row.query_id][trial]) for trial in range(n_trials)) for row in rows]


def _answers(pool: Path) -> dict[str, dict[int, _Answer]]:
    """Query -> trial -> what was answered."""
    regraded = {(row.query_id, row.trial): row for row in read_grades(pool)}
    found: dict[str, dict[int, _Answer]] = {}
    for batch in iter_samples(pool, _COLUMNS):
        for query_id, trial, verdict, answer, n_tokens, finish_reason, logprob, failure in zip(
            *(batch[name].to_pylist() for name in _COLUMNS), strict=True
        ):
            later = regraded.get((query_id, trial))
            if failure is not None:
                made = _Answer("ungradable", None, 0, None, None)
            elif later is not None:
                made = _Answer(later.verdict, later.answer, n_tokens, finish_reason, logprob)
            else:
                made = _Answer(verdict, answer, n_tokens, finish_reason, logprob)
            found.setdefault(query_id, {})[trial] = made
    return found


def _scored(row: BenchmarkRow, made: _Answer) -> Scored:
    return Scored(
        query_id=row.query_id,
        level=row.level,
        domain=row.domain,
        is_correct=made.verdict == "correct",
        n_tokens=made.n_tokens,
        verdict=made.verdict,
        answer=made.answer,
        finish_reason=made.finish_reason,
        sum_logprob=made.sum_logprob,
    )


def write_rows(folder: Path, benchmarks: Mapping[str, Iterable[BenchmarkRow]]) -> None:
    """Write the rows of each benchmark beside the pool. Raises WriteError."""
    rows = [(name, row.query_id, row.level, row.domain) for name, part in benchmarks.items() for row in part]
    columns = dict(zip(_ROWS.names, zip(*rows, strict=True), strict=True)) if rows else {}
    _write(folder / ROWS_FILE, pa.table(columns, schema=_ROWS) if rows else _ROWS.empty_table())


def read_rows(folder: Path) -> dict[str, list[BenchmarkRow]]:
    """What `write_rows` wrote; nothing where it wrote nothing. Raises PoolError if the file is damaged."""
    found: dict[str, list[BenchmarkRow]] = {}
    for row in _read(folder / ROWS_FILE):
        place = found.setdefault(str(row.pop("benchmark")), [])
        place.append(BenchmarkRow(**row))
    return found


def write_grades(folder: Path, grades: Iterable[Regraded]) -> None:
    """Write a later grader's verdicts beside the pool. Raises WriteError."""
    rows = list(grades)
    columns = {name: [getattr(row, name) for row in rows] for name in _GRADES.names}
    _write(folder / GRADES_FILE, pa.table(columns, schema=_GRADES))


def read_grades(folder: Path) -> list[Regraded]:
    """What `write_grades` wrote; nothing where it wrote nothing. Raises PoolError if the file is damaged."""
    return [Regraded(**row) for row in _read(folder / GRADES_FILE)]


def _write(path: Path, table: pa.Table) -> None:
    write_atomic(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise PoolError(f"{path}: damaged ({error}); delete it and run the evaluation again") from None
    return rows
