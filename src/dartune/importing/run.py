"""From a published file to a pool: matched to our queries, graded by our grader, what matches none kept aside.

The file is read twice: once for the problems, of which there are few, and once for the responses, of which there are
many and which are held a shard at a time. A row's trial is its rank among the rows of its query in the file.
"""

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from dartune.decontamination import normal_words
from dartune.errors import ConfigError, DataError
from dartune.files import write_atomic
from dartune.grading.batch import Case, grade_many
from dartune.importing.matching import Found, match_texts
from dartune.importing.schemas import SCHEMAS, Schema, find_text
from dartune.pool import PoolWriter, Provenance
from dartune.queries.files import read_file
from dartune.queries.rows import Defect, RawRow
from dartune.types import Key, Query, Response, Sample, SamplingParams, request_seed

UNMATCHED = "unmatched.jsonl"
_TEMPLATE = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of the rows of a file."""

    n_rows: int
    n_exact: int
    """Matched to a query by their normal words."""
    n_fuzzy: int
    """Matched to the nearest query."""
    n_derived: int
    """Ask a rewritten problem; not in the pool."""
    n_unmatched: int
    """Ask none of the queries; not in the pool."""
    n_faulty: int
    """Without a problem or a response where the schema has them; not in the pool."""
    n_correct: int
    """Of those in the pool, by our grader."""
    n_queries: int
    n_asked: int
    """Queries with at least one row."""


class _Row(NamedTuple):
    number: int
    raw: RawRow
    text: str | None
    response: str | None


def import_pool(
    file: Path, schema: str, queries: Sequence[Query], out: Path, *, n_workers: int | None = None
) -> ImportReport:
    """Write the pool `out` from `file`, and what is not in it to `out`/unmatched.jsonl, each row with the reason.

    Neither is there a tokenizer nor are there sampling settings: a response's tokens are counted as its words, numbers
    and signs, the model is the schema's name, and every response counts as finished.

    Args:
        file: JSONL, JSON, CSV or Parquet.
        schema: One of `SCHEMAS`.
        queries: What its rows may ask; their references grade the responses.
        out: A folder that is no pool yet.
        n_workers: Processes that grade; None: one for each core.

    Raises:
        ConfigError: There is no such schema.
        DataError: The file cannot be read, no row fits the schema, none matches a query, or `out` is a pool.
    """
    if schema not in SCHEMAS:
        raise ConfigError(f"schema: expected one of {', '.join(SCHEMAS)}, got {schema!r}")
    if (out / "pool.json").exists():
        raise DataError(f"{out}: expected a new folder, got a pool; name another, or delete it")
    rules = SCHEMAS[schema]
    found = _matched(file, schema, rules, queries)
    tally = _Tally(kinds=Counter(), trials=Counter())
    provenance = Provenance(model=schema, template=_TEMPLATE, params=SamplingParams(), run_seed=0)

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as aside, PoolWriter(out, provenance) as writer:
            writer.add_queries(queries)
            for sample in _graded(_admitted(_read(file, rules), rules, found, tally, aside), queries, n_workers):
                tally.kinds["correct"] += sample.is_correct
                writer.append(sample)

    write_atomic(out / UNMATCHED, write)
    kinds = tally.kinds
    return ImportReport(
        n_rows=kinds["rows"],
        n_exact=kinds["exact"],
        n_fuzzy=kinds["fuzzy"],
        n_derived=kinds["derived"],
        n_unmatched=kinds["unmatched"],
        n_faulty=kinds["faulty"],
        n_correct=kinds["correct"],
        n_queries=len(queries),
        n_asked=len(tally.trials),
    )


class _Tally(NamedTuple):
    kinds: Counter[str]
    trials: Counter[str]
    """Rows so far of each query."""


class _Admitted(NamedTuple):
    key: Key
    query: Query
    response: str


def _matched(file: Path, schema: str, rules: Schema, queries: Sequence[Query]) -> dict[str, Found]:
    """Text of a row -> the query that it asks; at least one."""
    texts = {row.text for row in _read(file, rules) if row.text is not None and not rules.is_derived(row.raw)}
    if not texts:
        raise DataError(f"{file}: no row fits the schema {schema!r} ({rules.what}); choose another schema")
    found = match_texts(texts, queries)
    if not found:
        raise DataError(
            f"{file}: none of its {len(texts):,} problems is one of the {len(queries):,} queries; "
            "name the queries that it was made from"
        )
    return found


def _read(file: Path, rules: Schema) -> Iterator[_Row]:
    for row in read_file(file).rows:
        if isinstance(row, Defect):
            raise DataError(f"{file}: row {row.number}: {row.message}")
        yield _Row(row.number, row.raw, find_text(row.raw, rules.query), find_text(row.raw, rules.response))


def _admitted(
    rows: Iterator[_Row], rules: Schema, found: Mapping[str, Found], tally: _Tally, aside: IO[str]
) -> Iterator[_Admitted]:
    """The rows that ask one of the queries; the others go to `aside`."""
    for row in rows:
        tally.kinds["rows"] += 1
        match = found.get(row.text or "")
        if row.text is None or row.response is None:
            reason = "faulty"
        elif rules.is_derived(row.raw):
            reason = "derived"
        elif match is None:
            reason = "unmatched"
        else:
            tally.kinds[match.kind] += 1
            query = match.query
            yield _Admitted(Key(query.id, tally.trials[query.id]), query, row.response)
            tally.trials[query.id] += 1
            continue
        tally.kinds[reason] += 1
        aside.write(f"{json.dumps({'row': row.number, 'reason': reason, 'text': row.text}, ensure_ascii=False)}\n")


def _graded(rows: Iterator[_Admitted], queries: Sequence[Query], n_workers: int | None) -> Iterator[Sample]:
    """The rows as samples, in order; a set's queries share one judge."""
    waiting: deque[_Admitted] = deque()

    def cases() -> Iterator[Case]:
        for row in rows:
            waiting.append(row)
            yield Case(
                ref_answer=row.query.ref_answer, response=row.response, query=row.query.text, meta=row.query.meta
            )

    with closing(grade_many(cases(), n_workers=n_workers, judge=queries[0].judge)) as grades:
        for grade in grades:
            row = waiting.popleft()
            response = Response(
                text=row.response,
                finish_reason="stop",
                n_prompt_tokens=len(normal_words(row.query.text)),
                n_tokens=len(normal_words(row.response)),
            )
            yield Sample(key=row.key, seed=request_seed(row.key, 0), response=response, grade=grade)
