"""What charts are drawn from: scales, round ticks, marker shapes, labels that make room for each other. Pure.

Nothing here has a colour of its own: classes name a series (`s0`, `s1`, ...) and the page's style gives each class its
colour, in the light and the dark scheme.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dartune.analysis.drawing.markup import Markup, element

SHAPES = ("circle", "square", "triangle", "diamond", "cross", "star")

_OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "triangle": ((0, -4.6), (4.4, 3.4), (-4.4, 3.4)),
    "diamond": ((0, -5), (4.4, 0), (0, 5), (-4.4, 0)),
    "cross": ((-1.5, -4.5), (1.5, -4.5), (1.5, -1.5), (4.5, -1.5), (4.5, 1.5), (1.5, 1.5), (1.5, 4.5), (-1.5, 4.5),
              (-1.5, 1.5), (-4.5, 1.5), (-4.5, -1.5), (-1.5, -1.5)),
    "star": ((0, -5.4), (1.6, -1.6), (5.4, 0), (1.6, 1.6), (0, 5.4), (-1.6, 1.6), (-5.4, 0), (-1.6, -1.6)),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one series is drawn everywhere on a page: never by colour alone."""

    css_class: str
    shape: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Linear map from data to drawing units."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where `value` is drawn."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def looks(names: Sequence[str]) -> dict[str, Look]:
    """A look for each name by its place; the base model and the teacher stand apart in grey."""
    grey = {"base": Look(css_class="base", shape="ring"), "teacher": Look(css_class="teacher", shape="frame")}
    sets = [name for name in dict.fromkeys(names) if name not in grey]
    return grey | {name: Look(css_class=f"s{i % 6}", shape=SHAPES[i % 6]) for i, name in enumerate(sets)}


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """About `n` round numbers (1, 2 or 5 times a power of ten apart) within [low, high]; needs low < high."""
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions moved as little as it takes to stand `gap` apart in the same order, within [low, high] if they fit."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = list(positions)
    floor = low
    for i in order:
        placed[i] = max(placed[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


def marker(look: Look, x: float, y: float) -> Markup:
    """The series' mark, centred on (x, y), about 8 units wide."""
    css = f"mark {look.css_class}"
    if look.shape in ("circle", "ring"):
        return element("circle", cx=x, cy=y, r=3.8, class_=css if look.shape == "circle" else f"{css} hollow")
    if look.shape in ("square", "frame"):
        css = css if look.shape == "square" else f"{css} hollow"
        return element("rect", x=x - 3.5, y=y - 3.5, width=7.0, height=7.0, class_=css)
    outline = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in _OUTLINES[look.shape])
    return element("polygon", points=outline, class_=css)


def line(x1: float, y1: float, x2: float, y2: float, css_class: str) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=css_class)


def text(x: float, y: float, words: str, css_class: str) -> Markup:
    """Words with the left, middle or right of their base line at (x, y), as the class says (start, middle, end)."""
    return element("text", words, x=x, y=y, class_=css_class)


def shorten(words: str, n: int) -> str:
    """At most `n` characters, with an ellipsis for what is cut."""
    return words if len(words) <= n else words[: n - 1] + "…"


def drawing(width: float, height: float, title: str, description: str, parts: Sequence[Markup]) -> Markup:
    """An SVG that reads as one picture with a text alternative."""
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=f"{title}. {description}",
    )
