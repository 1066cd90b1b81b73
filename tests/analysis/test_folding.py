from dartune.analysis.drawing.grid import Grid
from dartune.analysis.tables.folding import fold

GRID = Grid(
    title="t", columns=("model", "over", "a", "b", "c"), rows=(("m", "n", "1", "2", "3"),), n_words=2, note="note"
)


def at_most(n: int, grid: Grid) -> bool:
    return len(grid.columns) <= n


def test_a_table_that_fits_stays_as_it_is() -> None:
    assert fold(GRID, lambda grid: at_most(5, grid)) == [GRID]


def test_numbers_go_on_below_beside_the_same_words() -> None:
    first, second = fold(GRID, lambda grid: at_most(4, grid))
    assert (first.title, first.columns, first.rows, first.note) == (
        "t", ("model", "over", "a", "b"), (("m", "n", "1", "2"),), "",
    )  # fmt: skip
    assert (second.title, second.columns, second.rows, second.note) == (
        "", ("model", "over", "c"), (("m", "n", "3"),), "note",
    )  # fmt: skip


def test_no_column_is_lost_where_none_fits() -> None:
    assert [part.columns[2:] for part in fold(GRID, lambda grid: False)] == [("a",), ("b",), ("c",)]
