"""A plan as a picture: fill and raw samples against the cap, as in the paper's figure 4. Pure."""

from collections.abc import Callable

from dartune.analysis.drawing.charts import WIDTH, Chart, Point, Series, profile
from dartune.analysis.drawing.markup import Markup, element
from dartune.analysis.drawing.style import STYLE
from dartune.analysis.drawing.svg import looks, shorten, text
from dartune.planning.forecast import Expected, Forecast
from dartune.planning.plan import Curve, Plan

_PANEL_HEIGHT, _GAP, _MARGIN, _TOP = 250.0, 28.0, 16.0, 84.0


def plan_figure(plan: Plan) -> str:
    """An SVG file of its own, in the light and the dark scheme."""
    scale, unit = _scale(max(t.total.raw_samples.high for curve in plan.curves for t in curve.totals))
    panels = [
        _panel(plan, "Fill by cap", "% of targets filled", 100.0, lambda f: f.fill, (0.0, 100.0)),
        _panel(plan, "Raw samples by cap", f"{unit}raw samples", 1.0 / scale, lambda f: f.raw_samples, (0.0,)),
    ]
    width = 2 * _MARGIN + 2 * WIDTH + _GAP
    height = _TOP + _PANEL_HEIGHT + _MARGIN
    placed = [
        element("svg", panel, class_="half", x=_MARGIN + i * (WIDTH + _GAP), y=_TOP, width=WIDTH, height=_PANEL_HEIGHT)
        for i, panel in enumerate(panels)
    ]
    title = f"{plan.recipe}: {plan.n_queries:,} queries"
    picture = element(
        "svg",
        element("title", title),
        element("style", Markup(f"{STYLE}svg.half {{ width: {WIDTH:g}px; height: {_PANEL_HEIGHT:g}px; }}\n")),
        element("rect", x=0.0, y=0.0, width=width, height=height, style="fill: var(--paper)"),
        text(_MARGIN, 28, title, "label start"),
        text(_MARGIN, 46, shorten(f"From {plan.source}.", 120), "axis start"),
        text(_MARGIN, 62, "Upright bars: 90 % intervals.", "axis start"),
        *placed,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
    )
    return f"{picture}\n"


def _panel(
    plan: Plan,
    title: str,
    unit: str,
    scale: float,
    of: Callable[[Forecast], Expected | None],
    enclose: tuple[float, ...],
) -> Markup:
    caps = sorted({cap for curve in plan.curves for cap in curve.caps})
    styles = looks([curve.name for curve in plan.curves])
    series = tuple(
        Series(name=curve.name, look=styles[curve.name], points=tuple(_point(curve, cap, of, scale) for cap in caps))
        for curve in plan.curves
    )
    labels = tuple(_short(cap) for cap in caps)
    return profile(
        Chart(
            title=title,
            unit=unit,
            series=series,
            labels=labels,
            axis="cap on tries, each twice the last",
            enclose=enclose,
        )
    )


def _point(curve: Curve, cap: int, of: Callable[[Forecast], Expected | None], scale: float) -> Point | None:
    if cap not in curve.caps or (value := of(curve.totals[curve.caps.index(cap)].total)) is None:
        return None
    return Point(value=value.mean * scale, low=value.low * scale, high=value.high * scale)


def _scale(highest: float) -> tuple[float, str]:
    return next(
        ((size, f"{name} ") for size, name in ((1e6, "million"), (1e3, "thousand")) if highest >= size), (1.0, "")
    )


def _short(cap: int) -> str:
    return f"{cap / 1024:g}k" if cap >= 1024 and cap % 512 == 0 else str(cap)
