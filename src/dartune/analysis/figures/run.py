"""The figures of a run: which numbers stand in which panel. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dartune.analysis.drawing.charts import Chart, Panel, Point, Series, bars, dots, profile
from dartune.analysis.drawing.formats import count
from dartune.analysis.drawing.svg import Look, looks
from dartune.analysis.figures.shared import (
    PERCENT,
    benchmark_title,
    levels_none_last,
    over_levels,
    percent_point,
    score_point,
    short_count,
)
from dartune.analysis.summary import (
    EvaluationSummary,
    LevelSummary,
    MethodSummary,
    RunSummary,
)
from dartune.analysis.tables.run import benchmarks, is_in_domain, models


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of a method, as a bar."""

    title: str
    unit: str
    of: Callable[[MethodSummary], float | None]
    shown: Callable[[float], str]
    enclose: tuple[float, ...] = (0.0,)


def accuracy_panels(run: RunSummary) -> list[Panel]:
    """The headline accuracy of every model, a panel for each benchmark, those in domain first."""
    styles = _run_looks(run)
    panels = []
    for benchmark in benchmarks(run):
        scored = _scored(run, benchmark)
        title = benchmark_title(benchmark, is_in_domain=is_in_domain(run, benchmark))
        is_mean = any(len(row.levels) > 1 and row.macro is not None for row in scored)
        chart = Chart(
            title=title,
            unit="% correct, mean of levels" if is_mean else "% correct",
            series=tuple(
                Series(
                    name=row.method,
                    look=styles[row.method],
                    points=(percent_point(row.headline.value, row.headline.low, row.headline.high),),
                )
                for row in scored
            ),
        )
        panels.append(Panel(title=title, drawing=dots(chart)))
    return panels


def accuracy_by_level_panels(run: RunSummary) -> list[Panel]:
    """Accuracy over the levels, a panel for each benchmark that has several."""
    styles = _run_looks(run)
    panels = []
    for benchmark in benchmarks(run):
        scored = _scored(run, benchmark)
        levels = levels_none_last(part.level for row in scored for part in row.levels)
        if len(levels) < 2:
            continue
        series = []
        for row in scored:
            scores = {part.level: part.score for part in row.levels}
            marks = tuple(score_point(scores.get(level)) for level in levels)
            series.append(Series(name=row.method, look=styles[row.method], points=marks))
        title = benchmark_title(benchmark, is_in_domain=is_in_domain(run, benchmark))
        panels.append(Panel(title=title, drawing=profile(over_levels(title, "% correct", series, levels, PERCENT))))
    return panels


def set_panels(run: RunSummary) -> list[Panel]:
    """Responses per query and coverage over the levels (the paper's figure 1, right, and figure 2)."""
    levels = levels_none_last(row.level for method in run.methods for row in method.levels)
    if not levels:
        return []
    styles = _run_looks(run)

    def series(value: Callable[[LevelSummary], float]) -> list[Series]:
        return [
            Series(name=method.name, look=styles[method.name], points=_level_points(method, levels, value))
            for method in run.methods
        ]

    responses, coverage = series(lambda row: row.responses_per_query), series(lambda row: 100 * row.coverage)
    charts = (
        over_levels("Responses per query", "examples per query", responses, levels, (0.0,)),
        over_levels("Coverage", "% of queries with an example", coverage, levels, PERCENT),
    )
    return [Panel(title=chart.title, drawing=profile(chart)) for chart in charts]


def cost_panels(run: RunSummary) -> list[Panel]:
    """What sampling each set takes, and what the set holds: a bar for each method."""
    styles = _run_looks(run)
    one_decimal = "{:.1f}".format
    measures = (
        Measure(title="Raw tries", unit="responses sampled", of=lambda m: m.n_raw, shown=count),
        Measure(title="Raw tokens", unit="completion tokens sampled", of=lambda m: m.raw_tokens, shown=short_count),
        Measure(title="Set size", unit="response tokens in the set", of=lambda m: m.response_tokens, shown=short_count),
        Measure(title="Acceptance", unit="% of raw tries correct", of=_acceptance, shown=one_decimal, enclose=PERCENT),
        Measure(title="Fill", unit="% of target, mean over queries", of=_fill, shown=one_decimal, enclose=PERCENT),
    )
    panels = []
    for measure in measures:
        values = [(method.name, measure.of(method)) for method in run.methods]
        if all(value is None for _, value in values):
            continue
        series = tuple(
            Series(name=name, look=styles[name], points=(None if value is None else Point(value=value),))
            for name, value in values
        )
        chart = Chart(
            title=measure.title, unit=measure.unit, series=series, shown=measure.shown, enclose=measure.enclose
        )
        panels.append(Panel(title=measure.title, drawing=bars(chart)))
    return panels


def _level_points(
    method: MethodSummary, levels: Sequence[int | None], value: Callable[[LevelSummary], float]
) -> tuple[Point | None, ...]:
    rows = {row.level: row for row in method.levels}
    return tuple(Point(value=value(rows[level])) if level in rows else None for level in levels)


def _acceptance(method: MethodSummary) -> float | None:
    return None if method.acceptance is None else 100 * method.acceptance


def _fill(method: MethodSummary) -> float | None:
    return None if method.fill is None else 100 * method.fill


def _scored(run: RunSummary, benchmark: str) -> list[EvaluationSummary]:
    order = models(run)
    rows = [row for row in run.evaluations if row.benchmark == benchmark]
    return sorted(rows, key=lambda row: order.index(row.method))


def _run_looks(run: RunSummary) -> dict[str, Look]:
    return looks([method.name for method in run.methods] + models(run))
