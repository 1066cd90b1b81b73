"""The figures of a study: which numbers stand in which panel. Pure."""

from dataclasses import replace
from typing import NamedTuple

from dartune.analysis.drawing.charts import Chart, Panel, Point, Series, dots, profile
from dartune.analysis.drawing.svg import Look, looks
from dartune.analysis.figures.shared import benchmark_title, levels_none_last, over_levels, percent_point, signed
from dartune.analysis.summary import (
    StudyDifference,
    StudySummary,
)


def study_accuracy_panels(study: StudySummary, variant: str | None) -> list[Panel]:
    """Mean accuracy over the runs of a variant (None: of all): for each benchmark the headline side by side."""
    rows = [row for row in study.accuracies if row.variant == variant and row.level is None]
    styles = _study_looks(study)
    panels = []
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        here = [row for row in rows if row.benchmark == benchmark]
        name = benchmark if variant is None else f"{variant}: {benchmark}"
        title = benchmark_title(name, is_in_domain=here[0].in_domain)
        series = tuple(
            Series(
                name=row.method,
                look=styles[row.method],
                points=(percent_point(row.accuracy.mean, row.accuracy.low, row.accuracy.high),),
            )
            for row in here
        )
        panels.append(
            Panel(title=title, drawing=dots(Chart(title=title, unit="% correct, mean over runs", series=series)))
        )
    return panels


def study_difference_panels(study: StudySummary, variant: str | None) -> list[Panel]:
    """Headline differences over the runs of a variant (None: of all): a panel for each benchmark and baseline."""
    styles = _study_looks(study)
    panels = []
    for title, unit, rows in _comparisons(study, variant):
        series = tuple(
            Series(name=row.method, look=styles[row.method], points=(_difference_point(row),))
            for row in rows
            if row.level is None
        )
        chart = Chart(title=title, unit=unit, series=series, shown=signed, enclose=(0.0,))
        panels.append(Panel(title=title, drawing=dots(chart)))
    return panels


def study_difference_by_level_panels(study: StudySummary, variant: str | None) -> list[Panel]:
    """Differences over the levels, a panel for each benchmark that has several and each baseline."""
    styles = _study_looks(study)
    panels = []
    for title, unit, rows in _comparisons(study, variant):
        cells = {(row.method, row.level): row for row in rows}
        levels = levels_none_last(level for _, level in cells if level is not None)
        if len(levels) < 2:
            continue
        series = []
        for method in dict.fromkeys(method for method, _ in cells):
            found = [cells.get((method, level)) for level in levels]
            marks = tuple(None if row is None else _difference_point(row) for row in found)
            series.append(Series(name=method, look=styles[method], points=marks))
        chart = replace(over_levels(title, unit, series, levels, (0.0,)), shown=signed)
        panels.append(Panel(title=title, drawing=profile(chart)))
    return panels


class _Comparison(NamedTuple):
    title: str
    unit: str
    rows: list[StudyDifference]


def _comparisons(study: StudySummary, variant: str | None) -> list[_Comparison]:
    """The differences of a variant by benchmark and baseline."""
    of_variant = [row for row in study.differences if row.variant == variant]
    return [
        _Comparison(
            title=f"{benchmark}, against {baseline}",
            unit=f"points above {baseline}",
            rows=[row for row in of_variant if (row.benchmark, row.baseline) == (benchmark, baseline)],
        )
        for benchmark, baseline in dict.fromkeys((row.benchmark, row.baseline) for row in of_variant)
    ]


def _difference_point(row: StudyDifference) -> Point:
    return percent_point(row.test.difference, row.test.low, row.test.high)


def _study_looks(study: StudySummary) -> dict[str, Look]:
    return looks([row.method for row in study.sets] + [row.method for row in study.accuracies])
