"""The tables of a study, as grids of text. Pure."""

from dataclasses import replace

from dartune.analysis.drawing.formats import (
    MISSING,
    count,
    over_seeds,
    p_value,
    percent,
    points,
)
from dartune.analysis.drawing.grid import Grid
from dartune.analysis.summary import StudySummary
from dartune.analysis.tables.shared import HEADLINE, sorted_levels

OVER_SEEDS = "Mean over seeds in %, ± half the width of its 95 % t interval."


def study_grid(study: StudySummary) -> Grid:
    """Mean accuracy over seeds: a row for each variant, benchmark and set, a column for each level."""
    levels = sorted_levels(row.level for row in study.accuracies)
    keys = list(dict.fromkeys((row.variant, row.benchmark, row.method) for row in study.accuracies))
    cells = {(row.variant, row.benchmark, row.method, row.level): row for row in study.accuracies}
    rows = tuple(
        (
            variant or "pooled",
            benchmark,
            method,
            str(cells[variant, benchmark, method, None].accuracy.n),
            *(
                over_seeds(cell.accuracy) if (cell := cells.get((variant, benchmark, method, level))) else MISSING
                for level in (None, *levels)
            ),
        )
        for variant, benchmark, method in keys
    )
    columns = ("variant", "benchmark", "set", "runs", "headline", *(f"level {level}" for level in levels))
    note = f"{HEADLINE} {OVER_SEEDS}"
    return Grid(title=f"{study.name}: accuracy", columns=columns, rows=rows, n_words=3, note=note)


def differences_grid(study: StudySummary) -> Grid:
    """Paired differences with intervals and p values, a row for each comparison and level."""
    columns = (
        "variant",
        "benchmark",
        "difference",
        "level",
        "points",
        "95 % interval",
        "p (t)",
        "p (sign flips)",
        "runs",
    )
    rows = tuple(
        (
            row.variant or "pooled",
            row.benchmark,
            f"{row.method} − {row.baseline}",
            "headline" if row.level is None else str(row.level),
            points(row.test.difference),
            f"[{points(row.test.low)}, {points(row.test.high)}]" if row.test.low is not None else MISSING,
            p_value(row.test.p_t),
            p_value(row.test.p_sign_flip),
            str(row.test.n),
        )
        for row in study.differences
    )
    note = (
        "Differences in percentage points, paired by variant and seed. Two-sided p values, not adjusted for the "
        "number of comparisons; with n runs the sign-flip p value cannot be below 2 / 2^n."
    )
    return Grid(title=f"{study.name}: paired differences", columns=columns, rows=rows, n_words=4, note=note)


def study_headline_grids(study: StudySummary) -> tuple[Grid, ...]:
    """What to print after a study: sizes, and headlines without the levels, which the report has."""
    accuracy, differences = study_grid(study), differences_grid(study)
    return (
        study_sets_grid(study),
        replace(accuracy, columns=accuracy.columns[:5], rows=tuple(row[:5] for row in accuracy.rows)),
        replace(differences, rows=tuple(row for row in differences.rows if row[3] == "headline")),
    )


def study_sets_grid(study: StudySummary) -> Grid:
    """Mean size, tokens and cost of the sets over seeds, with coverage by level."""
    levels = sorted({level for row in study.sets for level in row.coverage})
    columns = ("variant", "set", "runs", "examples", "response tokens", "raw tries",
               *(f"coverage %, level {level}" for level in levels))  # fmt: skip
    rows = tuple(
        (
            row.variant or "pooled",
            row.method,
            str(row.n_examples.n),
            count(row.n_examples.mean),
            count(row.response_tokens.mean),
            count(row.n_raw.mean),
            *(percent(row.coverage.get(level)) for level in levels),
        )
        for row in study.sets
    )
    return Grid(title=f"{study.name}: training sets", columns=columns, rows=rows, n_words=2, note="Means over runs.")
