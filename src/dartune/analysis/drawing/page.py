"""The shell of a report: one HTML page that loads nothing, runs nothing and says so in its policy."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

from dartune import __version__
from dartune.analysis.drawing.charts import Panel
from dartune.analysis.drawing.grid import Grid, to_html
from dartune.analysis.drawing.markup import Markup, element
from dartune.analysis.drawing.style import STYLE

MAX_TEXT_CHARS: Final = 4000
"""Longer texts of a model are cut on the page; the pool holds them whole."""


def page(title: str, header: Sequence[str], sections: Sequence[str]) -> str:
    """The whole document as text."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    closing = f"Written by dartune {__version__}. This page runs no script and loads nothing."
    body = element(
        "body",
        element("header", *header),
        element("main", *sections),
        element("footer", element("p", closing)),
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def section(title: str, *parts: str | None) -> Markup:
    """A part of the page under a heading."""
    return element("section", element("h2", title), *parts)


def figure(panels: Sequence[Panel], caption: str, grid: Grid | None = None) -> Markup | None:
    """Panels side by side with a caption and a table to unfold, unless that stands near; None for no panels."""
    if not panels:
        return None
    drawn = (element("div", element("h3", panel.title), panel.drawing, class_="panel") for panel in panels)
    return element(
        "figure",
        element("div", *drawn, class_="panels"),
        element("figcaption", caption),
        None if grid is None else details("The numbers", to_html(grid)),
    )


def details(title: str, *parts: str | None) -> Markup:
    """Something to unfold."""
    return element("details", element("summary", title), *parts)


def paragraph(words: str, css_class: str | None = None) -> Markup:
    """A paragraph of plain words."""
    return element("p", words) if css_class is None else element("p", words, class_=css_class)


def model_text(words: str) -> Markup:
    """Text written by a model or a user, set apart, as it stands but for what is cut or spelt out."""
    n_cut = len(words) - MAX_TEXT_CHARS
    shown = words if n_cut <= 0 else f"{words[:MAX_TEXT_CHARS]}\n… {n_cut:,} more characters"
    return element("pre", shown, dir="auto")


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Names and values below each other."""
    return element("dl", *(cell for name, value in pairs for cell in (element("dt", name), element("dd", value))))


def unless_empty(title: str, *parts: Markup | None) -> Markup | None:
    """A section; None where it would hold nothing."""
    return section(title, *parts) if any(parts) else None
