"""What several figures have in common. Pure."""

from collections.abc import Iterable, Sequence

from dartune.analysis.drawing.charts import Chart, Point, Series
from dartune.analysis.drawing.formats import count, level_name
from dartune.evaluation.metrics import Score

PERCENT = (0.0, 100.0)


def short_count(value: float) -> str:
    """A large count in four characters or so: "950", "184k", "1.78M"."""
    if value >= 999_500:
        return f"{value / 1e6:.2f}M"
    return f"{value / 1e3:.0f}k" if value >= 9_950 else count(value)


def signed(value: float) -> str:
    """A number with one decimal and its sign."""
    return f"{value:+.1f}".replace("-", "−")


def over_levels(
    title: str, unit: str, series: Sequence[Series], levels: Sequence[int | None], enclose: tuple[float, ...]
) -> Chart:
    """A chart whose other axis is the level."""
    names = tuple(level_name(level) for level in levels)
    return Chart(title=title, unit=unit, series=tuple(series), labels=names, axis="level", enclose=enclose)


def score_point(score: Score | None) -> Point | None:
    """An accuracy with its interval, in per cent."""
    return None if score is None else percent_point(score.accuracy, score.low, score.high)


def percent_point(value: float, low: float | None, high: float | None) -> Point:
    """A fraction with its interval, in per cent."""
    return Point(value=100 * value, low=None if low is None else 100 * low, high=None if high is None else 100 * high)


def levels_none_last(levels: Iterable[int | None]) -> list[int | None]:
    """The levels that there are, rising, with None last."""
    found = set(levels)
    named: list[int | None] = [*sorted(level for level in found if level is not None)]
    return [*named, None] if None in found else named


def benchmark_title(benchmark: str, *, is_in_domain: bool) -> str:
    """What stands above the panel of a benchmark."""
    return benchmark if is_in_domain else f"{benchmark}, out of domain"
