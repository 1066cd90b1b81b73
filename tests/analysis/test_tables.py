import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from dartune.analysis.drawing.formats import count, duration, listing, over_seeds, p_value, percent, plus_minus, points
from dartune.analysis.drawing.grid import Grid, to_html, to_markdown, to_rich
from dartune.analysis.summary import RunSummary, StudySummary
from dartune.analysis.tables.run import accuracy_by_level_grid, accuracy_grid, demo_grids, levels_grid, sets_grid
from dartune.analysis.tables.study import differences_grid, study_grid, study_sets_grid
from dartune.evaluation.metrics import Estimate, Score
from dartune.evaluation.significance import seed_mean


def terminal(grid: Grid, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=True, color_system=None).print(to_rich(grid))
    return out.getvalue()


def test_demo_tables_fit_eighty_columns_whole(run_summary: RunSummary) -> None:
    sets, accuracy = demo_grids(run_summary)
    cost = " ".join(terminal(sets, 80).split())
    assert "vrt 6,000 142,160 14,000 60.4 100 100 99 92 50" in cost
    worth = terminal(accuracy, 80)
    for row in accuracy.rows:
        for cell in row:
            assert cell in worth
    assert "…" not in terminal(sets, 80) + worth


def test_demo_tables_order_models_and_benchmarks(run_summary: RunSummary) -> None:
    accuracy = demo_grids(run_summary)[1]
    assert [row[0] for row in accuracy.rows] == ["base", "vrt", "uniform", "prop2diff", "teacher"]
    assert accuracy.columns == (
        "set",
        "story",
        "story, level 5",
        "expr (out of domain)",
        "story level 6 (out of domain)",
    )
    assert accuracy.rows[-1][3] == "–"  # the teacher was not asked


def test_a_run_that_stopped_after_curation_has_the_first_table_only(run_summary: RunSummary) -> None:
    grids = demo_grids(replace(run_summary, evaluations=(), student=None))
    assert [grid.title for grid in grids] == ["demo: training sets"]


def test_every_grid_is_rectangular(run_summary: RunSummary, study_summary: StudySummary) -> None:
    grids = [
        *demo_grids(run_summary),
        *(make(run_summary) for make in (sets_grid, levels_grid, accuracy_grid, accuracy_by_level_grid)),
        *(make(study_summary) for make in (study_grid, differences_grid, study_sets_grid)),
    ]
    for grid in grids:
        assert grid.rows
        assert {len(row) for row in grid.rows} == {len(grid.columns)}


def test_examples_never_stand_without_tokens(run_summary: RunSummary, study_summary: StudySummary) -> None:
    for grid in (
        demo_grids(run_summary)[0],
        sets_grid(run_summary),
        levels_grid(run_summary),
        study_sets_grid(study_summary),
    ):
        assert {"examples", "response tokens"} <= set(grid.columns)


def test_study_tables_tell_means_and_tests(study_summary: StudySummary) -> None:
    mean = next(
        row.accuracy for row in study_summary.accuracies if (row.variant, row.method, row.level) == (None, "vrt", None)
    )
    assert ("pooled", "story", "vrt", "10", over_seeds(mean)) in {row[:5] for row in study_grid(study_summary).rows}
    compared = [row[:4] for row in differences_grid(study_summary).rows]
    assert ("pooled", "story", "uniform − vrt", "headline") in compared
    assert ("pair b", "expr", "prop2diff − vrt", "5") in compared


def test_cells_cannot_steer_a_terminal_or_break_markdown_and_html(hostile: Callable[[str], RunSummary]) -> None:
    grid = demo_grids(hostile("\x1b[2J[bold]|<script>\u202e"))[0]
    shown = terminal(grid, 300)
    assert "\x1b[2J" not in shown
    assert "⟨U+001B⟩[2J[bold]|<script>⟨U+202E⟩" in shown
    assert "\\|\\<script\\>" in to_markdown(grid)
    assert "<script" not in to_html(grid)


def test_markdown_is_a_table(run_summary: RunSummary) -> None:
    lines = to_markdown(sets_grid(run_summary)).splitlines()
    assert lines[0] == "**Training sets and what they cost**"
    assert lines[3].startswith("|:---|---:|---:|")
    assert {line.count("|") for line in lines[2:7]} == {10}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (count(1234567), "1,234,567"),
        (percent(0.8473), "84.7"),
        (percent(None), "–"),
        (plus_minus(Estimate(value=0.5, low=0.4, high=0.55)), "50.0 ±10.0"),
        (plus_minus(Score.of(0, 20)), "0.0 ±16.1"),
        (over_seeds(seed_mean([0.8])), "80.0"),
        (over_seeds(seed_mean([0.79, 0.8, 0.81])), "80.0 ±2.5"),
        (points(-0.0004), "+0.0"),
        (points(-0.031), "−3.1"),
        (p_value(0.0002), "<0.001"),
        (p_value(0.0625), "0.062"),
        (p_value(None), "–"),
        (duration(3.21), "3.2 s"),
        (duration(59.97), "1 min 00 s"),
        (duration(3840), "1 h 04 min"),
        (listing([]), ""),
        (listing(["a"]), "a"),
        (listing(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_numbers_in_words(shown: str, expected: str) -> None:
    assert shown == expected
