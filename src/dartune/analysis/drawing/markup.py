"""HTML and SVG as escaped text: whatever is not `Markup` is shown, never interpreted.

What comes out is both HTML and well-formed XML, so that tests can parse it strictly.
"""

import html
from collections.abc import Iterable

from dartune.visible import visible

_CLOSED_AT_ONCE = {"meta", "line", "rect", "circle", "polygon", "polyline"}


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """`text` as it can stand in an element or a quoted attribute; `Markup` passes unchanged."""
    return text if isinstance(text, Markup) else Markup(html.escape(visible(text), quote=True))


def element(name: str, /, *children: str | None, **attributes: str | float) -> Markup:
    """One element with its children, escaped where they are not markup; None children are left out.

    In attribute names an underscore stands for a hyphen, and one at the end is dropped (`class_`). Numbers are given
    with two decimals at most.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    )
    inner = join(child for child in children if child is not None)
    if not inner and name in _CLOSED_AT_ONCE:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{inner}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """All parts in a row, escaped where they are not markup."""
    return Markup("".join(escape(part) for part in parts))


def number(value: float) -> str:
    """A coordinate with two decimals at most and no exponent."""
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return "0" if text == "-0" else text
