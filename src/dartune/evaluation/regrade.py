"""Verdicts of today's grader on the responses of a pool, without asking any model again."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dartune.config import QueriesConfig
from dartune.errors import DataError
from dartune.evaluation.grader_version import grader_version
from dartune.evaluation.record import BenchmarkRecord, read_record, rows_checksum, write_record
from dartune.evaluation.rows import Regraded, read_grades, write_grades
from dartune.pool import iter_samples
from dartune.queries import load_queries
from dartune.sampling.grades import Grades
from dartune.types import Query, Verdict

_COLUMNS = ["query_id", "trial", "response", "finish_reason", "verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradingReport:
    """What grading a pool again came to."""

    n_graded: int
    changed: Mapping[tuple[Verdict, Verdict], int]
    """(verdict before, verdict now) -> tries, where the two differ; most frequent first."""


def regrade(pool: Path, queries: Mapping[str, Query], *, grader: Grades) -> RegradingReport:
    """Grade every response in `pool` to one of `queries` again; the new verdicts are kept beside the shards.

    `queries` are needed for what a pool does not keep: whose rules judge each of them. Responses to other queries keep
    the verdict that they have. Raises PoolError if the pool cannot be read, and WriteError.
    """
    before = {(row.query_id, row.trial): row for row in read_grades(pool)}
    after = dict(before)
    changed: Counter[tuple[Verdict, Verdict]] = Counter()
    n_graded = 0
    for batch in iter_samples(pool, _COLUMNS):
        rows = [row for row in batch.to_pylist() if row["query_id"] in queries and row["verdict"] is not None]
        for row, graded in zip(rows, asyncio.run(_grade_all(rows, queries, grader)), strict=True):
            known = before.get((graded.query_id, graded.trial))
            last: Verdict = known.verdict if known else row["verdict"]
            changed[last, graded.verdict] += last != graded.verdict
            after[graded.query_id, graded.trial] = graded
            n_graded += 1
    write_grades(pool, after.values())
    return RegradingReport(n_graded=n_graded, changed={pair: n for pair, n in changed.most_common() if n})


def regrade_evaluation(folder: Path, *, grader: Grades, data_dir: Path | None = None) -> RegradingReport:
    """Grade an evaluation again and record today's grader as its own.

    The queries are read from where the evaluation had them, benchmark files from `data_dir` first. Raises DataError if
    they cannot be found, or are not those that were asked.
    """
    record = read_record(folder)
    report = regrade(folder, recorded_queries(folder, record.benchmarks, data_dir), grader=grader)
    write_record(folder, replace(record, grader=grader_version()))
    return report


def recorded_queries(folder: Path, parts: Iterable[BenchmarkRecord], data_dir: Path | None = None) -> dict[str, Query]:
    """The queries of some benchmarks of an evaluation, read again: id -> query. Raises as `regrade_evaluation`."""
    return {query.id: query for part in parts for query in _queries(folder, part, data_dir)}


def _queries(folder: Path, part: BenchmarkRecord, data_dir: Path | None) -> tuple[Query, ...]:
    if part.queries is None:
        raise DataError(f"{folder}: {part.name}: where its queries came from was not recorded; evaluate it again")
    found = load_queries(QueriesConfig.model_validate({**part.queries, "data_dir": data_dir}), seed=0)
    if rows_checksum(found.rows) != part.checksum:
        raise DataError(
            f"{folder}: {part.name}: expected the {part.n_rows} rows of checksum {part.checksum}, got "
            f"{len(found.rows)} of {rows_checksum(found.rows)} from {found.report.origin.source}; name the folder that "
            "holds them with --data-dir, or evaluate again"
        )
    return found.queries


async def _grade_all(rows: list[dict[str, Any]], queries: Mapping[str, Query], grader: Grades) -> list[Regraded]:
    return list(await asyncio.gather(*(_grade(row, queries[row["query_id"]], grader) for row in rows)))


async def _grade(row: dict[str, Any], query: Query, grader: Grades) -> Regraded:
    grade = await grader.grade_async(
        ref_answer=query.ref_answer,
        response=row["response"],
        query=query.text,
        finish_reason=row["finish_reason"],
        judge=query.judge,
        meta=query.meta,
    )
    return Regraded(row["query_id"], row["trial"], grade.verdict, grade.answer)
