"""Verdicts of today's grader on the responses of a pool, without asking any model again."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dartune.errors import PoolError
from dartune.evaluation.rows import Regraded, read_grades, write_grades
from dartune.pool import iter_samples
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
    the verdict that they have. Raises PoolError if the pool cannot be read or has no response to any of them, and
    WriteError.
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
    if not n_graded:
        raise PoolError(f"{pool}: no response to any of the {len(queries)} queries; was it made from other data?")
    write_grades(pool, after.values())
    return RegradingReport(n_graded=n_graded, changed={pair: n for pair, n in changed.most_common() if n})


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
