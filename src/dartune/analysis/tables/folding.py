"""Tables that are too wide for a terminal: one below the other instead of cut off. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dartune.analysis.drawing.grid import Grid


def fold(grid: Grid, fits: Callable[[Grid], bool]) -> list[Grid]:
    """The columns of numbers in as few tables as fit, each with the columns of words, in order.

    A column that does not fit beside the words alone has a table to itself all the same. The first table has the title,
    the last the note.
    """
    blocks: list[list[int]] = [[]]
    for i in range(grid.n_words, len(grid.columns)):
        if blocks[-1] and not fits(_part(grid, [*blocks[-1], i])):
            blocks.append([])
        blocks[-1].append(i)
    parts = [_part(grid, block) for block in blocks]
    last = len(parts) - 1
    return [
        replace(part, title=grid.title if i == 0 else "", note=grid.note if i == last else "")
        for i, part in enumerate(parts)
    ]


def _part(grid: Grid, columns: Sequence[int]) -> Grid:
    shown = [*range(grid.n_words), *columns]
    return replace(
        grid,
        columns=tuple(grid.columns[i] for i in shown),
        rows=tuple(tuple(row[i] for i in shown) for row in grid.rows),
    )
