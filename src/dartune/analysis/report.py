"""The HTML report of a summary: one page, readable offline, with a table behind every figure."""

from pathlib import Path
from typing import assert_never

from dartune.analysis.drawing.grid import Grid
from dartune.analysis.pages.rounds import rounds_page
from dartune.analysis.pages.run import run_page
from dartune.analysis.pages.study import study_page
from dartune.analysis.summary import RoundsSummary, RunSummary, StudySummary, Summary
from dartune.analysis.tables.rounds import rounds_grids
from dartune.analysis.tables.run import (
    demo_grids,
)
from dartune.analysis.tables.study import study_headline_grids
from dartune.files import write_text


def write_report(summary: Summary, out: Path) -> None:
    """Write the report of `summary` to the file `out`, whole or not at all; raises WriteError."""
    write_text(out, render_report(summary))


def render_report(summary: Summary) -> str:
    """The report as the text of an HTML page; it needs no network, no script and no other file."""
    match summary:
        case RunSummary():
            return run_page(summary)
        case StudySummary():
            return study_page(summary)
        case RoundsSummary():
            return rounds_page(summary)
        case _:
            assert_never(summary)


def summary_grids(summary: Summary) -> tuple[Grid, ...]:
    """The tables that the terminal shows, in 80 columns."""
    match summary:
        case RunSummary():
            return demo_grids(summary)
        case StudySummary():
            return study_headline_grids(summary)
        case RoundsSummary():
            return rounds_grids(summary)
        case _:
            assert_never(summary)
