"""Query sets on the terminal. Rendering only; text from data never carries markup or control characters."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from dartune.queries.catalog import SetInfo
from dartune.queries.checking import CheckReport
from dartune.queries.records import SourceReport
from dartune.types import Query
from dartune.visible import visible

_N_FINDINGS = 20


def _plain(value: object) -> Text:
    return Text(visible(str(value)))


def sets_table(sets: Iterable[SetInfo]) -> Table:
    """The named sets, their size, what is known of them in training data in short, and where they are looked for."""
    table = Table(
        Column("name", overflow="fold"),
        Column("rows", justify="right", no_wrap=True),
        Column("levels", no_wrap=True),
        Column("domains", no_wrap=True),
        "what",
        Column("sources, in order", overflow="fold"),
        show_lines=True,
    )
    for info in sets:
        table.add_row(
            _plain(info.name),
            "any" if info.n_rows is None else f"{info.n_rows:,}",
            f"{info.levels[0]}-{info.levels[-1]}" if len(info.levels) > 1 else "".join(map(str, info.levels)) or "-",
            str(info.n_domains or "-"),
            _plain(info.description + (f"\ncontamination: {_short(info.contamination)}" if info.contamination else "")),
            _plain("\n".join(info.sources)),
        )
    return table


def _short(note: str) -> str:
    """A note's first clause, without its source."""
    return note.partition(";")[0].partition(" (")[0]


def queries_table(queries: Iterable[Query]) -> Table:
    """The problems with their references, line breaks kept."""
    table = Table("id", "level", "domain", "text", "reference", show_lines=True)
    for query in queries:
        table.add_row(
            query.id[:8],
            "-" if query.level is None else str(query.level),
            _plain(query.domain or "-"),
            _plain(query.text),
            _plain(query.ref_answer),
        )
    return table


def report_table(report: SourceReport) -> Table:
    """Where a set came from and what was found there."""
    origin = report.origin
    table = Table.grid(padding=(0, 2))
    expected = "" if origin.n_rows_expected is None else f" of {origin.n_rows_expected:,} expected"
    for attempt in origin.tried:
        table.add_row("tried", _plain(f"{attempt.source}: {attempt.failure}"))
    table.add_row("source", _plain(origin.source))
    if origin.sha256:
        table.add_row("sha256", f"{origin.sha256} ({origin.checksum})")
    table.add_row("rows", f"{report.n_rows:,}{expected}")
    table.add_row("repeated", f"{report.n_duplicates:,}")
    table.add_row("conflicting", f"{report.n_conflicting_texts:,}")
    table.add_row("faulty", f"{len(report.defects):,}, {len(report.empty_rows):,} of them without text or reference")
    table.add_row("levels", _shares(report.n_by_level.items()))
    table.add_row("domains", _shares(report.n_by_domain.items()))
    return table


def check_view(check: CheckReport) -> RenderableType:
    """The report of a check, its findings, and the verdict."""
    styles = {"error": "red", "warning": "yellow"}
    findings = [
        Text.assemble((finding.severity, styles[finding.severity]), "  ", _plain(finding.message))
        for finding in check.findings[:_N_FINDINGS]
    ]
    if len(check.findings) > _N_FINDINGS:
        findings.append(Text(f"and {len(check.findings) - _N_FINDINGS} more"))
    verdict = Text(f"{'ok' if check.is_ok else 'not ok'}: {check.n_selected:,} different problems pass the filters")
    return Group(_plain(check.report.name), report_table(check.report), *findings, verdict)


def _shares(counts: Iterable[tuple[object, int]]) -> Text:
    return _plain(", ".join(f"{'none' if name is None else name}: {n:,}" for name, n in counts))
