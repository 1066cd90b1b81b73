"""The page and the tables of a run in rounds, from made-up numbers."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from dartune.analysis.drawing.grid import Grid, to_rich
from dartune.analysis.report import render_report, summary_grids
from dartune.analysis.summary import RoundsSummary, RoundSummary, RunSummary, from_json, to_json
from dartune.analysis.tables.rounds import rounds_levels_grid

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m"


@pytest.fixture(scope="module")
def rounds(run_summary: RunSummary) -> RoundsSummary:
    """Three rounds of two sets, each like the other but for what is new."""
    rows = [
        RoundSummary(
            round=number,
            path="round-1" if number == 1 else f"round-{number}-{method.name}",
            recipe_hash="3f9a2c7d51b0e864",
            sampled_model="world:teacher-a" if number == 1 else f"round-{number - 1}/models/{method.name}-0",
            method=method,
            n_distinct=12_000 + number,
            n_new=12_001 if number == 1 else 4_000 - number,
            evaluations=tuple(row for row in run_summary.evaluations if row.method == method.name),
        )
        for number in (1, 2, 3)
        for method in run_summary.methods[:2]
    ]
    references = tuple(row for row in run_summary.evaluations if row.method == "base")
    return RoundsSummary(
        name="in rounds", created="2026-03-01T12:00:00+00:00", student="world:base-a", rounds=tuple(rows),
        references=references,
    )  # fmt: skip


def words(page: str) -> str:
    return " ".join("".join(ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n")).itertext()).split())


def drawn(grid: Grid) -> str:
    """The table as a terminal of 80 columns shows it."""
    console = Console(width=80, file=StringIO())
    console.print(to_rich(grid))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def column(grid: Grid, name: str) -> list[str]:
    return [row[grid.columns.index(name)] for row in grid.rows]


def test_the_summary_is_read_back_as_it_was_written(rounds: RoundsSummary) -> None:
    assert from_json(to_json(rounds), "summary.json") == rounds


def test_the_terminal_shows_each_set_round_by_round_after_the_base_model(rounds: RoundsSummary) -> None:
    sampling, accuracy = summary_grids(rounds)
    assert all(cell in drawn(sampling).split() for row in sampling.rows for cell in row)
    assert column(sampling, "set") == ["vrt", "vrt", "vrt", "uniform", "uniform", "uniform"]
    assert column(sampling, "round") == ["1", "2", "3", "1", "2", "3"]
    assert column(sampling, "new") == ["12,001", "3,998", "3,997"] * 2
    assert column(accuracy, "model") == ["base", *["vrt"] * 3, *["uniform"] * 3]
    assert column(accuracy, "round")[0] == "–"
    headline = {row.method: row.headline.value for row in rounds.references if row.benchmark == "story"}["base"]
    assert column(accuracy, "story")[0].startswith(f"{100 * headline:.1f} ±")


def test_coverage_and_fail_rate_are_over_all_queries(rounds: RoundsSummary) -> None:
    method = rounds.rounds[0].method
    assert method.coverage == pytest.approx(sum((1.0, 1.0, 0.99, 0.92, 0.5)) / 5, abs=1e-3)
    assert method.mean_fail_rate == pytest.approx(sum(level.mean_fail_rate for level in method.levels) / 5)


def test_a_run_without_evaluation_has_no_table_of_scores(rounds: RoundsSummary) -> None:
    bare = replace(rounds, references=(), rounds=tuple(replace(row, evaluations=()) for row in rounds.rounds))
    assert len(summary_grids(bare)) == 1
    assert "worth" not in words(render_report(bare))


def test_the_page_tells_every_round(rounds: RoundsSummary) -> None:
    text = words(render_report(rounds))
    assert (
        "3 rounds of sampling, choosing and training for vrt and uniform: every round trains world:base-a anew" in text
    )
    assert "vrt: mean fail rate, round by round, " in text
    assert "19,996 distinct solutions in all" in text
    assert "round-3-uniform" in text
    assert len(rounds_levels_grid(rounds).rows) == 6 * 5


def test_hostile_names_stay_text(rounds: RoundsSummary) -> None:
    rows = tuple(replace(row, path=HOSTILE, sampled_model=HOSTILE) for row in rounds.rounds)
    page = render_report(replace(rounds, name=HOSTILE, student=HOSTILE, rounds=rows))
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "<script>alert(1)</script>" in words(page)
