"""The figures of a run in rounds: a line for each set, from round to round. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from dartune.analysis.drawing.charts import Chart, Panel, Point, Series, profile
from dartune.analysis.drawing.svg import looks
from dartune.analysis.figures.shared import PERCENT, short_count
from dartune.analysis.summary import EvaluationSummary, MethodSummary, RoundsSummary, RoundSummary
from dartune.analysis.tables.rounds import benchmarks, hardest_level, methods

BASE = "base"


class _Measure(NamedTuple):
    title: str
    unit: str
    of: Callable[[RoundSummary], float | None]
    shown: Callable[[float], str] = "{:.1f}".format
    enclose: tuple[float, ...] = (0.0,)


def sampling_panels(summary: RoundsSummary) -> list[Panel]:
    """How hard the queries are to each round's model, how many it covers, and what it finds."""
    level = hardest_level(summary)
    measures = [
        _Measure("Mean fail rate", "% of tries, mean over queries", lambda row: 100 * row.method.mean_fail_rate),
        _Measure("Acceptance", "% of raw tries correct", _acceptance),
        _Measure("Coverage", "% of queries with an example", lambda row: 100 * row.method.coverage, enclose=PERCENT),
        _Measure(f"Coverage, level {level}", "% of queries with an example", lambda row: _of_level(row.method, level),
                 enclose=PERCENT),
        _Measure("Distinct solutions", "different correct responses", lambda row: row.n_distinct, short_count),
        _Measure("New solutions", "in no earlier round of the set", lambda row: row.n_new, short_count),
    ]  # fmt: skip
    if level is None:
        del measures[3]
    return [_panel(summary, measure) for measure in measures]


def rounds_accuracy_panels(summary: RoundsSummary) -> list[Panel]:
    """The headline accuracy from the base model on, a panel for each benchmark, those in domain first."""
    styles, numbers = looks(methods(summary)), _numbers(summary)
    panels = []
    for benchmark in benchmarks(summary):
        start = _headline([row for row in summary.references if row.method == BASE], benchmark)
        starts = [] if start is None else [start]
        series = []
        for name in methods(summary):
            scores = {row.round: list(row.evaluations) for row in summary.rounds if row.method.name == name}
            points = [_headline(scores.get(number, []), benchmark) for number in numbers]
            series.append(Series(name=name, look=styles[name], points=(*starts, *points)))
        labels = (*[BASE for _ in starts], *map(str, numbers))
        panels.append(_drawn(Chart(title=benchmark, unit="% correct", series=tuple(series), labels=labels)))
    return panels


def _panel(summary: RoundsSummary, measure: _Measure) -> Panel:
    styles, numbers = looks(methods(summary)), _numbers(summary)
    series = []
    for name in methods(summary):
        values = {row.round: measure.of(row) for row in summary.rounds if row.method.name == name}
        found = [values.get(number) for number in numbers]
        points = tuple(None if value is None else Point(value=value) for value in found)
        series.append(Series(name=name, look=styles[name], points=points))
    chart = Chart(
        title=measure.title,
        unit=measure.unit,
        series=tuple(series),
        labels=tuple(map(str, numbers)),
        shown=measure.shown,
        enclose=measure.enclose,
    )
    return _drawn(chart)


def _drawn(chart: Chart) -> Panel:
    return Panel(title=chart.title, drawing=profile(replace(chart, axis="round")))


def _numbers(summary: RoundsSummary) -> list[int]:
    return sorted({row.round for row in summary.rounds})


def _acceptance(row: RoundSummary) -> float | None:
    return None if row.method.acceptance is None else 100 * row.method.acceptance


def _of_level(method: MethodSummary, level: int | None) -> float | None:
    return next((100 * row.coverage for row in method.levels if row.level == level), None)


def _headline(scores: Sequence[EvaluationSummary], benchmark: str) -> Point | None:
    found = next((row.headline for row in scores if row.benchmark == benchmark), None)
    return None if found is None else Point(value=100 * found.value, low=100 * found.low, high=100 * found.high)
