"""A plan as tables for the terminal. Pure."""

from collections.abc import Sequence
from itertools import groupby

from dartune.analysis.drawing.formats import MISSING, count, duration, level_name, percent
from dartune.analysis.drawing.grid import Grid
from dartune.analysis.figures.shared import short_count
from dartune.planning.advice import BUDGET_SHARE, Advice
from dartune.planning.forecast import INTERVAL, Expected, Forecast
from dartune.planning.plan import Plan
from dartune.planning.variants import describe

_NOTE = (
    f"Behind ±: {INTERVAL:.0%} intervals; those of tokens, time and money are a little wider than those of raw samples."
)


def plan_grids(plan: Plan) -> list[Grid]:
    """The tables in the order in which they are shown."""
    grids = [_own(plan), _others(plan), _caps(plan)]
    if plan.advice:
        grids.append(_advice(plan))
    if plan.suggestions is not None:
        grids.append(_suggested(plan))
    return grids


def _own(plan: Plan) -> Grid:
    own = [planned for planned in plan.planned if planned.variant.family == "recipe"]
    rows = []
    for planned in own:
        totals = planned.totals
        rows.append((planned.variant.name, "all", *_cells(totals.total)))
        if len(totals.by_level) > 1:
            rows += [("", level_name(level or None), *_cells(part)) for level, part in totals.by_level.items()]
    has = _present([planned.totals.total for planned in own])
    return _without_empty(
        Grid(
            title=f"{plan.recipe}: {plan.n_queries:,} queries",
            columns=("method", "level", "queries", *_COLUMNS),
            rows=tuple(rows),
            n_words=2,
            note=_NOTE,
        ),
        has,
    )


_COLUMNS = ("raw samples", "tokens", "time", "money", "kept", "covered %", "filled %")


def _cells(forecast: Forecast) -> tuple[str, ...]:
    return (count(forecast.n_queries), *_values(forecast))


def _values(forecast: Forecast) -> tuple[str, ...]:
    hours, money, fill = forecast.hours, forecast.money, forecast.fill
    return (
        _counted(forecast.raw_samples),
        MISSING if forecast.tokens is None else short_count(forecast.tokens.mean),
        MISSING if hours is None else duration(hours.mean * 3600),
        MISSING if money is None else f"{money.mean:,.2f}",
        _counted(forecast.kept),
        _share(forecast.coverage),
        MISSING if fill is None else _share(fill),
    )


def _others(plan: Plan) -> Grid:
    others = [planned for planned in plan.planned if planned.variant.family != "recipe"]
    return _without_empty(
        Grid(
            title="What else could be done with these queries",
            columns=("method", *_COLUMNS),
            rows=tuple((planned.variant.name, *_values(planned.totals.total)) for planned in others),
            note=_NOTE,
        ),
        _present([planned.totals.total for planned in others]),
    )


def _caps(plan: Plan) -> Grid:
    caps = sorted({cap for curve in plan.curves for cap in curve.caps})
    rows = []
    for cap in caps:
        cells = [count(cap)]
        for curve in plan.curves:
            if cap not in curve.caps:
                cells += [MISSING, MISSING]
                continue
            total = curve.totals[curve.caps.index(cap)].total
            cells += [_counted(total.raw_samples), MISSING if total.fill is None else _share(total.fill)]
        rows.append(tuple(cells))
    names = [f"{curve.name} {what}" for curve in plan.curves for what in ("raw samples", "filled %")]
    return Grid(title="Fill by cap", columns=("cap", *names), rows=tuple(rows), n_words=0, note=_NOTE)


def _advice(plan: Plan) -> Grid:
    rows = []
    for method, group in groupby(plan.advice, key=lambda advice: advice.method):
        shown = _worth_showing(list(group))
        for i, advice in enumerate(shown):
            where = "all levels" if advice.level is None else f"level {level_name(advice.level or None)} alone"
            cells = (f"+{short_count(advice.extra_kept)}", f"+{advice.extra_covered:,.1f}")
            rows.append(("" if i else method, advice.change, where, short_count(advice.extra_cost), *cells))
    return Grid(
        title=f"Where the next {BUDGET_SHARE:.0%} of a method's cost goes best",
        columns=("method", "change", "where", "cost", "kept", "queries covered"),
        rows=tuple(rows),
        n_words=3,
        note="For each change: over all levels, and the levels where it keeps and where it covers most.",
    )


def _worth_showing(advice: Sequence[Advice]) -> list[Advice]:
    """Of each change the one over all levels, and the levels that gain most of either kind."""
    shown: list[Advice] = []
    for change in dict.fromkeys(entry.change for entry in advice):
        entries = [entry for entry in advice if entry.change == change]
        shown += [entry for entry in entries if entry.level is None]
        levels = [entry for entry in entries if entry.level is not None]
        if levels:
            best = max(levels, key=lambda entry: entry.extra_kept)
            shown.append(best)
            widest = max(levels, key=lambda entry: entry.extra_covered)
            if widest is not best and widest.extra_covered >= 0.1:
                shown.append(widest)
    return shown


def _suggested(plan: Plan) -> Grid:
    assert plan.suggestions is not None
    found = plan.suggestions.found
    return _without_empty(
        Grid(
            title=f"The cheapest settings for {plan.suggestions.n_examples:,} examples",
            columns=("method", *_COLUMNS),
            rows=tuple((describe(s.method), *_values(s.forecast)) for s in found),
            note=_NOTE,
        ),
        _present([s.forecast for s in found]),
    )


def _present(forecasts: Sequence[Forecast]) -> dict[str, bool]:
    return {
        "tokens": any(f.tokens is not None for f in forecasts),
        "time": any(f.hours is not None for f in forecasts),
        "money": any(f.money is not None for f in forecasts),
    }


def _without_empty(grid: Grid, has: dict[str, bool]) -> Grid:
    """The grid without columns of which nothing is known."""
    kept = [i for i, name in enumerate(grid.columns) if has.get(name, True)]
    return Grid(
        title=grid.title,
        columns=tuple(grid.columns[i] for i in kept),
        rows=tuple(tuple(row[i] for i in kept) for row in grid.rows),
        n_words=grid.n_words,
        note=grid.note,
    )


def _counted(expected: Expected) -> str:
    return f"{short_count(expected.mean)} {_relative(expected)}".strip()


def _relative(expected: Expected) -> str:
    """The longer arm of the interval, as a share of the mean."""
    arm = max(expected.mean - expected.low, expected.high - expected.mean)
    share = arm / expected.mean if expected.mean else 0.0
    return f"±{share:.0%}" if share >= 0.0095 else f"±{share:.1%}" if share >= 0.0005 else ""


def _share(expected: Expected) -> str:
    arm = max(expected.mean - expected.low, expected.high - expected.mean)
    return f"{percent(expected.mean)} ±{percent(arm)}" if arm >= 0.0005 else percent(expected.mean)
