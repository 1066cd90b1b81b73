"""`check_queries`: everything that is wrong or worth knowing about a source, at once."""

from dataclasses import dataclass
from typing import Literal

from dartune.config import QueriesConfig
from dartune.errors import DataError
from dartune.queries.collecting import collect, describe_defect, fatal_defects
from dartune.queries.records import SourceReport
from dartune.queries.selection import select_rows
from dartune.queries.sources import open_source
from dartune.queries.wording import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found; an error keeps `load_queries` from using the source as it is known."""

    severity: Literal["error", "warning"]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a source holds and what is wrong with it."""

    report: SourceReport
    n_selected: int
    """Different problems that pass the filters; 0 where the filters are at fault."""
    findings: tuple[Finding, ...]

    @property
    def is_ok(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)


def check_queries(config: QueriesConfig, *, seed: int = 0) -> CheckReport:
    """Read a source to its end and report every fault instead of stopping at the first.

    Raises:
        DataError: the source cannot be read at all, or holds no rows.
        ConfigError: an unknown field in `config.columns`, columns for a named set, or an unknown world set or level.
        MissingExtra: a library that the source needs is not installed.
        WriteError: a fetched file cannot be kept.
    """
    opened = open_source(config, seed)
    rows, report = collect(opened)
    errors = _errors(report, opened.is_benchmark)
    n_selected = 0
    if rows:
        try:
            n_selected = len({query.id for query in select_rows(rows, config, seed, report)})
        except DataError as error:
            errors.append(str(error))
    return CheckReport(
        report=report,
        n_selected=n_selected,
        findings=(
            *(Finding(severity="error", message=message) for message in errors),
            *(Finding(severity="warning", message=message) for message in _warnings(report, opened.is_benchmark)),
        ),
    )


def _errors(report: SourceReport, is_benchmark: bool) -> list[str]:
    messages = []
    expected = report.origin.n_rows_expected
    if expected not in (None, report.n_rows):
        messages.append(f"expected {expected} rows, got {report.n_rows}")
    if report.origin.checksum == "differs":
        messages.append(f"the file is not the known one: its sha256 is {report.origin.sha256}")
    return messages + [describe_defect(defect, report) for defect in fatal_defects(report, is_benchmark)]


def _warnings(report: SourceReport, is_benchmark: bool) -> list[str]:
    messages = []
    if is_benchmark and report.empty_rows:
        messages.append(f"left out for want of a text or a reference: {report.origin.unit} {listed(report.empty_rows)}")
    if report.n_duplicates:
        messages.append(f"rows that repeat an earlier text and reference, one query each: {report.n_duplicates}")
    if report.n_conflicting_texts:
        messages.append(
            f"texts with more than one reference, each pair a query of its own: {report.n_conflicting_texts}"
        )
    if is_benchmark and report.origin.checksum == "not verified":
        messages.append("no checksum is known for this source")
    return messages
