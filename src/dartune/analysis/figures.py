"""The figures of a report: which numbers of a summary stand in which panel. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from dartune.analysis.charts import Chart, Point, Series, bars, dots, profile
from dartune.analysis.formats import count, level_name
from dartune.analysis.markup import Markup
from dartune.analysis.summary import (
    EvaluationSummary,
    LevelSummary,
    MethodSummary,
    RunSummary,
    StudyDifference,
    StudySummary,
)
from dartune.analysis.svg import Look, looks
from dartune.analysis.tables import benchmarks, is_in_domain, models
from dartune.evaluation.metrics import Score

PERCENT = (0.0, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A drawn chart with the title that stands above it."""

    title: str
    drawing: Markup


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
        title = _benchmark_title(benchmark, is_in_domain=is_in_domain(run, benchmark))
        is_mean = any(len(row.levels) > 1 and row.macro is not None for row in scored)
        chart = Chart(
            title=title,
            unit="% correct, mean of levels" if is_mean else "% correct",
            series=tuple(
                Series(
                    name=row.method,
                    look=styles[row.method],
                    points=(_percent(row.headline.value, row.headline.low, row.headline.high),),
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
        levels = _sorted_levels(part.level for row in scored for part in row.levels)
        if len(levels) < 2:
            continue
        series = []
        for row in scored:
            scores = {part.level: part.score for part in row.levels}
            marks = tuple(_score_point(scores.get(level)) for level in levels)
            series.append(Series(name=row.method, look=styles[row.method], points=marks))
        title = _benchmark_title(benchmark, is_in_domain=is_in_domain(run, benchmark))
        panels.append(Panel(title=title, drawing=profile(_over_levels(title, "% correct", series, levels, PERCENT))))
    return panels


def set_panels(run: RunSummary) -> list[Panel]:
    """Responses per query and coverage over the levels (the paper's figure 1, right, and figure 2)."""
    levels = _sorted_levels(row.level for method in run.methods for row in method.levels)
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
        _over_levels("Responses per query", "examples per query", responses, levels, (0.0,)),
        _over_levels("Coverage", "% of queries with an example", coverage, levels, PERCENT),
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


def study_accuracy_panels(study: StudySummary, variant: str | None) -> list[Panel]:
    """Mean accuracy over the runs of a variant (None: of all): for each benchmark the headline side by side."""
    rows = [row for row in study.accuracies if row.variant == variant and row.level is None]
    styles = _study_looks(study)
    panels = []
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        here = [row for row in rows if row.benchmark == benchmark]
        name = benchmark if variant is None else f"{variant}: {benchmark}"
        title = _benchmark_title(name, is_in_domain=here[0].in_domain)
        series = tuple(
            Series(
                name=row.method,
                look=styles[row.method],
                points=(_percent(row.accuracy.mean, row.accuracy.low, row.accuracy.high),),
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
        levels = _sorted_levels(level for _, level in cells if level is not None)
        if len(levels) < 2:
            continue
        series = []
        for method in dict.fromkeys(method for method, _ in cells):
            found = [cells.get((method, level)) for level in levels]
            marks = tuple(None if row is None else _difference_point(row) for row in found)
            series.append(Series(name=method, look=styles[method], points=marks))
        chart = replace(_over_levels(title, unit, series, levels, (0.0,)), shown=signed)
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
    return _percent(row.test.difference, row.test.low, row.test.high)


def short_count(value: float) -> str:
    """A large count in four characters or so: "950", "184k", "1.78M"."""
    if value >= 999_500:
        return f"{value / 1e6:.2f}M"
    return f"{value / 1e3:.0f}k" if value >= 9_950 else count(value)


def signed(value: float) -> str:
    """A number with one decimal and its sign."""
    return f"{value:+.1f}".replace("-", "−")


def _over_levels(
    title: str, unit: str, series: Sequence[Series], levels: Sequence[int | None], enclose: tuple[float, ...]
) -> Chart:
    names = tuple(level_name(level) for level in levels)
    return Chart(title=title, unit=unit, series=tuple(series), labels=names, axis="level", enclose=enclose)


def _level_points(
    method: MethodSummary, levels: Sequence[int | None], value: Callable[[LevelSummary], float]
) -> tuple[Point | None, ...]:
    rows = {row.level: row for row in method.levels}
    return tuple(Point(value=value(rows[level])) if level in rows else None for level in levels)


def _score_point(score: Score | None) -> Point | None:
    return None if score is None else _percent(score.accuracy, score.low, score.high)


def _percent(value: float, low: float | None, high: float | None) -> Point:
    return Point(value=100 * value, low=None if low is None else 100 * low, high=None if high is None else 100 * high)


def _acceptance(method: MethodSummary) -> float | None:
    return None if method.acceptance is None else 100 * method.acceptance


def _fill(method: MethodSummary) -> float | None:
    return None if method.fill is None else 100 * method.fill


def _sorted_levels(levels: Iterable[int | None]) -> list[int | None]:
    found = set(levels)
    named: list[int | None] = [*sorted(level for level in found if level is not None)]
    return [*named, None] if None in found else named


def _scored(run: RunSummary, benchmark: str) -> list[EvaluationSummary]:
    order = models(run)
    rows = [row for row in run.evaluations if row.benchmark == benchmark]
    return sorted(rows, key=lambda row: order.index(row.method))


def _run_looks(run: RunSummary) -> dict[str, Look]:
    return looks([method.name for method in run.methods] + models(run))


def _study_looks(study: StudySummary) -> dict[str, Look]:
    return looks([row.method for row in study.sets] + [row.method for row in study.accuracies])


def _benchmark_title(benchmark: str, *, is_in_domain: bool) -> str:
    return benchmark if is_in_domain else f"{benchmark}, out of domain"
