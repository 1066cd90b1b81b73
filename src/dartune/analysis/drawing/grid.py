"""A table as plain text cells, and the three ways it is shown: terminal, Markdown, HTML."""

from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from dartune.analysis.drawing.markup import Markup, element, join
from dartune.visible import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A titled table. Cells are text for people; the first columns are words, the others numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_words: int = 1
    """How many columns from the left hold words; they are aligned left, the others right."""
    note: str = ""


def to_rich(grid: Grid) -> Table:
    """The table for a terminal; cells cannot carry markup or control sequences."""
    table = Table(
        title=Text(visible(grid.title)),
        caption=Text(visible(grid.note)) if grid.note else None,
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        caption_style="dim",
    )
    for i, name in enumerate(grid.columns):
        # A narrow terminal breaks headings between words, and sentences; never a number or a name.
        solid = [*name.split(), *(row[i] for row in grid.rows if i == 0 or i >= grid.n_words)]
        table.add_column(
            Text(visible(name)),
            justify="left" if i < grid.n_words else "right",
            vertical="bottom",
            min_width=max((cell_len(visible(text)) for text in solid), default=0),
        )
    for row in grid.rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


def to_markdown(grid: Grid) -> str:
    """The table as GitHub-flavoured Markdown, with its title in bold above and its note below."""
    lines = [
        f"**{_markdown_cell(grid.title)}**",
        "",
        _markdown_row(grid.columns),
        "|" + "|".join(":---" if i < grid.n_words else "---:" for i in range(len(grid.columns))) + "|",
        *(_markdown_row(row) for row in grid.rows),
    ]
    if grid.note:
        lines += ["", _markdown_cell(grid.note)]
    return "\n".join(lines) + "\n"


def to_html(grid: Grid) -> Markup:
    """The table as HTML that scrolls sideways where the page is narrow."""
    head = element(
        "tr", *(element("th", name, scope="col", class_=_side(grid, i)) for i, name in enumerate(grid.columns))
    )
    body = join(element("tr", *(_html_cell(grid, i, cell) for i, cell in enumerate(row))) for row in grid.rows)
    table = element("table", element("caption", grid.title), element("thead", head), element("tbody", body))
    note = element("p", grid.note, class_="note") if grid.note else None
    return element("div", element("div", table, class_="scroll", tabindex="0"), note, class_="grid")


def _html_cell(grid: Grid, i: int, cell: str) -> Markup:
    if i == 0:
        return element("th", cell, scope="row", class_="word")
    return element("td", cell, class_=_side(grid, i))


def _side(grid: Grid, i: int) -> str:
    return "word" if i < grid.n_words else "num"


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_markdown_cell(cell) for cell in cells) + " |"


def _markdown_cell(cell: str) -> str:
    text = visible(cell).replace("\n", " ").replace("\t", " ")
    for char in "\\`*_[]<>|":
        text = text.replace(char, "\\" + char)
    return text
