"""The two charts of a report: values over ordered levels, and values side by side. Pure.

Each panel is drawn 360 units wide, so that its text keeps a readable size on a phone; a page sets panels side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dartune.analysis.drawing.markup import Markup, element
from dartune.analysis.drawing.svg import Look, Scale, drawing, line, marker, shorten, spread, text, ticks

WIDTH = 360.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value, with its interval where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One name and its points, in the order of the chart's labels; None where there is no value."""

    name: str
    look: Look
    points: tuple[Point | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One panel."""

    title: str
    unit: str
    """Words for the value axis, e.g. "% correct"."""
    series: tuple[Series, ...]
    labels: tuple[str, ...] = ("",)
    """Names along the other axis."""
    axis: str = ""
    """Words for the axis of the labels, e.g. "level"."""
    shown: Callable[[float], str] = "{:.1f}".format
    """How a value is written."""
    enclose: tuple[float, ...] = ()
    """Values that the axis must reach, e.g. 0 and 100 for per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A drawn chart with the title that stands above it."""

    title: str
    drawing: Markup


def profile(chart: Chart) -> Markup:
    """Lines over ordered labels, with intervals; each line carries its name at its right end."""
    height, left, right, top, bottom = 250.0, 36.0, WIDTH - 92, 30.0, 210.0
    lowest, highest = _extent(chart)
    marks = ticks(lowest, highest)
    y = Scale(low=lowest, high=highest, start=bottom, end=top)
    step = (right - left - 36) / max(1, len(chart.labels) - 1)
    parts = [text(0, 14, chart.unit, "axis start")]
    for mark in marks:
        parts += [
            line(left, y(mark), right, y(mark), "zero" if mark == 0 else "rule"),
            text(left - 6, y(mark) + 4, _tick(mark), "axis end"),
        ]
    at = [left + 18 + i * step for i in range(len(chart.labels))]
    parts += [text(x, bottom + 17, label, "axis middle") for x, label in zip(at, chart.labels, strict=True)]
    parts.append(text((left + right) / 2, bottom + 34, chart.axis, "axis middle"))
    for i, series in enumerate(chart.series):
        dodge = 5 * (i - (len(chart.series) - 1) / 2) if len(chart.labels) > 1 else 0.0
        parts.append(_polyline(series, [x + dodge for x in at], y))
    parts += _end_labels(chart, y, right)
    return drawing(WIDTH, height, chart.title, _description(chart), parts)


def dots(chart: Chart) -> Markup:
    """One row for each series, with its mark, interval and number; the axis need not start at zero."""
    return _rows(chart, bars=False)


def bars(chart: Chart) -> Markup:
    """One row for each series, with a bar from zero and its number."""
    return _rows(chart, bars=True)


def _rows(chart: Chart, *, bars: bool) -> Markup:
    present = [(series, series.points[0]) for series in chart.series]
    row, left, right, top = 26.0, 96.0, WIDTH - 60, 8.0
    bottom = top + row * len(present)
    lowest, highest = _extent(chart)
    marks = [0.0] if bars else ticks(lowest, highest)
    x = Scale(low=lowest, high=highest, start=left, end=right)
    parts = []
    for mark in marks:
        parts.append(line(x(mark), top, x(mark), bottom, "zero" if mark == 0 else "rule"))
        if not bars:
            parts.append(text(x(mark), bottom + 15, _tick(mark), "axis middle"))
    for i, (series, point) in enumerate(present):
        middle = top + row * (i + 0.5)
        parts.append(text(left - 12, middle + 4, shorten(series.name, 14), f"label end {series.look.css_class}"))
        if point is None:
            parts.append(text(WIDTH - 48, middle + 4, "–", "value start"))
            continue
        if bars:
            width = max(0.0, x(point.value) - x(0))
            parts.append(
                element("rect", x=x(0), y=middle - 7, width=width, height=14.0, class_=f"bar {series.look.css_class}")
            )
        else:
            parts += _whisker(point, x, middle, series.look)
            parts.append(marker(series.look, x(point.value), middle))
        parts.append(text(WIDTH - 48, middle + 4, chart.shown(point.value), "value start"))
    parts.append(text((left + right) / 2, bottom + (16 if bars else 32), chart.unit, "axis middle"))
    return drawing(WIDTH, bottom + (24 if bars else 40), chart.title, _description(chart), parts)


def _whisker(point: Point, x: Scale, middle: float, look: Look) -> list[Markup]:
    if point.low is None or point.high is None:
        return []
    return [line(x(point.low), middle, x(point.high), middle, f"whisker {look.css_class}")]


def _polyline(series: Series, at: Sequence[float], y: Scale) -> Markup:
    drawn = [(x, point) for x, point in zip(at, series.points, strict=True) if point is not None]
    parts = []
    if len(drawn) > 1:
        path = " ".join(f"{x:.1f},{y(point.value):.1f}" for x, point in drawn)
        parts.append(element("polyline", points=path, class_=f"path {series.look.css_class}"))
    for x, point in drawn:
        if point.low is not None and point.high is not None:
            parts.append(line(x, y(point.low), x, y(point.high), f"whisker {series.look.css_class}"))
    parts += [marker(series.look, x, y(point.value)) for x, point in drawn]
    return element("g", *parts)


def _end_labels(chart: Chart, y: Scale, right: float) -> list[Markup]:
    last = [(series, [point for point in series.points if point is not None]) for series in chart.series]
    named = [(series, points[-1]) for series, points in last if points]
    heights = spread([y(point.value) for _, point in named], 14, 20, y.start + 4)
    parts = []
    for (series, _), height in zip(named, heights, strict=True):
        parts.append(marker(series.look, right + 8, height))
        parts.append(text(right + 18, height + 4, shorten(series.name, 12), f"label start {series.look.css_class}"))
    return parts


def _extent(chart: Chart) -> tuple[float, float]:
    """The range of the value axis: all that is drawn with a little air, but none beyond what it must enclose."""
    values = []
    for series in chart.series:
        for point in series.points:
            if point is not None:
                values += [end for end in (point.value, point.low, point.high) if end is not None]
    low, high = min((*values, *chart.enclose), default=0.0), max((*values, *chart.enclose), default=1.0)
    if low == high:
        return low - 0.5 * (low not in chart.enclose), high + 0.5
    air = 0.05 * (high - low)
    return low - air * (low not in chart.enclose), high + air * (high not in chart.enclose)


def _description(chart: Chart) -> str:
    said = []
    for series in chart.series:
        numbers = [
            f"{f'{chart.axis} {label} ' if label else ''}{chart.shown(point.value)}"
            for label, point in zip(chart.labels, series.points, strict=True)
            if point is not None
        ]
        said.append(f"{series.name}: {', '.join(numbers) or 'no value'}")
    return f"{chart.unit}. {'; '.join(said)}."


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", "−")
