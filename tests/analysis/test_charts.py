import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from dartune.analysis.drawing.charts import Chart, Point, Series, bars, dots, profile
from dartune.analysis.drawing.svg import Scale, looks, shorten, spread, ticks
from dartune.analysis.figures.shared import short_count


def chart(*points: tuple[Point | None, ...], labels: tuple[str, ...] = ("",), enclose: tuple[float, ...] = ()) -> Chart:
    styles = looks([f"set {i}" for i in range(len(points))])
    series = tuple(Series(name=f"set {i}", look=styles[f"set {i}"], points=marks) for i, marks in enumerate(points))
    return Chart(title="T", unit="% correct", series=series, labels=labels, axis="level", enclose=enclose)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, [0, 20, 40, 60, 80, 100]),
        (0, 5.7, [0, 2, 4]),
        (42.1, 88.3, [50, 60, 70, 80]),
        (-0.7, 1.3, [-0.5, 0, 0.5, 1]),
        (0, 38400, [0, 10000, 20000, 30000]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_spread_keeps_order_distance_and_bounds() -> None:
    assert spread([10, 50, 90], 14, 0, 100) == [10, 50, 90]
    placed = spread([60, 61, 59, 99], 14, 0, 100)
    assert sorted(range(4), key=lambda i: placed[i]) == [2, 0, 1, 3]
    assert max(placed) <= 100
    ordered = sorted(placed)
    assert all(b - a >= 14 for a, b in pairwise(ordered))


def test_scale_is_linear_and_may_point_down() -> None:
    y = Scale(low=0, high=100, start=210, end=30)
    assert (y(0), y(50), y(100)) == (210, 120, 30)


def test_looks_differ_by_shape_too_and_set_models_apart() -> None:
    styles = looks(["base", "a", "b", "teacher", "a"])
    assert len({(look.css_class, look.shape) for look in styles.values()}) == 4
    assert len({look.shape for look in styles.values()}) == 4
    assert styles["base"].css_class == "base"


def test_profile_says_in_words_what_it_draws() -> None:
    two = (Point(value=98.0, low=97.0, high=99.0), Point(value=30.0, low=26.0, high=35.0))
    root = ElementTree.fromstring(profile(chart(two, labels=("1", "5"), enclose=(0, 100))))
    assert root.findtext("desc") == "% correct. set 0: level 1 98.0, level 5 30.0."
    assert root.get("role") == "img"
    assert len(root.findall(".//polyline")) == 1


def test_marks_stand_where_the_scale_puts_them() -> None:
    root = ElementTree.fromstring(dots(chart((Point(value=25.0),), (Point(value=75.0),), enclose=(0, 100))))
    circle, square = root.find("circle"), root.find("rect")
    assert circle is not None
    assert square is not None
    left, right = float(circle.get("cx", "")), float(square.get("x", "")) + 3.5
    ends = [float(line.get("x1", "")) for line in root.findall("line")]
    assert left - min(ends) == pytest.approx((max(ends) - min(ends)) / 4)
    assert right - min(ends) == pytest.approx((max(ends) - min(ends)) * 3 / 4)


def test_bars_are_as_long_as_their_numbers() -> None:
    root = ElementTree.fromstring(
        bars(chart((Point(value=10.0),), (Point(value=40.0),), (Point(value=0.0),), enclose=(0,)))
    )
    widths = [float(bar.get("width", "")) for bar in root.findall("rect")]
    assert widths == [pytest.approx(widths[1] / 4, abs=0.01), widths[1], 0]


@pytest.mark.parametrize("draw", [profile, dots, bars])
@pytest.mark.parametrize("points", [(), ((None,),), ((Point(value=0.0),),), ((Point(value=7.0),), (None,))])
def test_nothing_to_draw_is_no_error(draw: object, points: tuple[tuple[Point | None, ...], ...]) -> None:
    assert callable(draw)
    ElementTree.fromstring(draw(chart(*points, enclose=(0.0,))))
    ElementTree.fromstring(draw(chart(*points)))


def test_gaps_in_a_line_are_left_out() -> None:
    marks = (Point(value=1.0), None, Point(value=3.0))
    root = ElementTree.fromstring(profile(chart(marks, (None, None, None), labels=("1", "2", "3"))))
    assert "set 1: no value" in (root.findtext("desc") or "")
    assert len(root.findall("./g/circle")) == 2


@pytest.mark.parametrize(
    ("value", "text"), [(950, "950"), (184440, "184k"), (1780800, "1.78M"), (9949, "9,949"), (999600, "1.00M")]
)
def test_short_counts(value: float, text: str) -> None:
    assert short_count(value) == text


def test_shorten_marks_the_cut() -> None:
    assert shorten("prop2diff", 9) == "prop2diff"
    assert shorten("prop2diff-cover-8", 9) == "prop2dif…"
