"""From the rows of an opened source to queries and a report of what was found. Pure but for reading the rows."""

from collections import Counter
from typing import NamedTuple

from dartune.errors import DataError
from dartune.queries.records import Opened, SourceReport
from dartune.queries.rows import Defect, Row
from dartune.queries.wording import listed
from dartune.types import Query


class Collected(NamedTuple):
    """Everything usable in a source."""

    rows: tuple[Query, ...]
    """One query for every usable row, in source order; duplicates are equal."""
    report: SourceReport


def collect(opened: Opened) -> Collected:
    """Read the source to its end.

    Raises:
        DataError: the source holds no rows, or breaks off.
    """
    queries: list[Query] = []
    defects: list[Defect] = []
    for row in opened.rows:
        if isinstance(row, Defect):
            defects.append(row)
        else:
            queries.append(_query(row, opened))
    if not queries and not defects:
        raise DataError(f"{opened.origin.source}: expected problems, got no rows")
    levels = Counter(query.level for query in queries)
    domains = Counter(query.domain for query in queries)
    n_references = Counter(text for text, _ in {(query.text, query.ref_answer) for query in queries})
    return Collected(
        rows=tuple(queries),
        report=SourceReport(
            name=opened.name,
            origin=opened.origin,
            n_rows=len(queries) + len(defects),
            n_duplicates=len(queries) - len({query.id for query in queries}),
            n_conflicting_texts=sum(n > 1 for n in n_references.values()),
            defects=tuple(defects),
            n_by_level={
                level: levels[level] for level in sorted(levels, key=lambda level: (level is None, level or 0))
            },
            n_by_domain={name: domains[name] for name in sorted(domains, key=lambda name: (name is None, name or ""))},
        ),
    )


def _query(row: Row, opened: Opened) -> Query:
    return Query.of(
        row.text,
        row.ref_answer,
        level=row.level,
        domain=row.domain,
        source=opened.name,
        judge=opened.judge,
        meta=row.meta,
    )


def fatal_defects(report: SourceReport, is_benchmark: bool) -> tuple[Defect, ...]:
    """Defects that keep a set from being used; a published benchmark is used without its empty rows."""
    return tuple(defect for defect in report.defects if not (is_benchmark and defect.kind == "empty"))


def refuse_defects(report: SourceReport, is_benchmark: bool) -> None:
    """Raise `DataError` for the first fatal defect, naming the rows of the others."""
    fatal = fatal_defects(report, is_benchmark)
    if not fatal:
        return
    others = ""
    if len(fatal) > 1:
        others = f"; also faulty: {report.origin.unit} {listed(defect.number for defect in fatal[1:])}"
    raise DataError(
        f"{describe_defect(fatal[0], report)}{others}; correct or remove them (`dartune queries check` lists all)"
    )


def refuse_row_count(report: SourceReport) -> None:
    """Raise `DataError` where a known source does not have its known number of rows."""
    expected = report.origin.n_rows_expected
    if expected not in (None, report.n_rows):
        raise DataError(
            f"{report.name}: expected {expected} rows in {report.origin.source}, got {report.n_rows}; "
            "fetch it again, or name the file itself as the source to use it as it is"
        )


def describe_defect(defect: Defect, report: SourceReport) -> str:
    """Where a defect is and what it is, on one line."""
    field = "" if defect.field == "row" else f"{defect.field}: "
    return f"{report.origin.source}: {report.origin.unit} {defect.number}: {field}{defect.message}"
