"""Which examples share a row: best fit over the whole set, and none is cut.

TRL packs a thousand examples at a time, and leaves the last rows of each thousand half empty.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

LENGTHS = "seq_lengths"
"""Column with the lengths of a row's examples, under the name by which TRL's collator finds it."""

_ROWS_AT_A_TIME = 1024


def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Rows of indices into `lengths`, none longer than `capacity`: best-fit decreasing, the longest example first.

    Each example goes into the fullest row that has room for it, or else into a new one; at most 11/9 of the fewest
    rows possible, plus one (Johnson 1974). Every length must be in [1, capacity].
    """
    rows: list[list[int]] = []
    by_space: list[list[list[int]]] = [[] for _ in range(capacity + 1)]
    # Bit s is set where a row with s places left exists: the least space that suffices is then the lowest bit that is
    # left after a shift, which takes half a microsecond and no tree.
    spaces = 0
    for index in np.argsort(-np.asarray(lengths), kind="stable").tolist():
        length = lengths[index]
        fitting = spaces >> length
        if fitting:
            space = length + (fitting & -fitting).bit_length() - 1
            row = by_space[space].pop()
            if not by_space[space]:
                spaces ^= 1 << space
        else:
            space, row = capacity, []
            rows.append(row)
        row.append(index)
        if left := space - length:
            by_space[left].append(row)
            spaces |= 1 << left
    return rows


def pack(table: pa.Table, capacity: int) -> pa.Table:
    """`table`, all of whose columns are lists, joined by best fit into rows of at most `capacity` entries."""
    return join(table, best_fit(row_lengths(table).tolist(), capacity))


def row_lengths(table: pa.Table) -> np.ndarray:
    """Entries of each row."""
    return _lengths(table.column(0).combine_chunks())


def join(table: pa.Table, rows: list[list[int]]) -> pa.Table:
    """A table with a row for each list of row numbers: those rows of `table`, one after another.

    Has the same columns, all of them lists, and `LENGTHS`.
    """
    batches = [_joined(table, rows[at : at + _ROWS_AT_A_TIME]) for at in range(0, len(rows), _ROWS_AT_A_TIME)]
    return pa.Table.from_batches(batches)


def _lengths(column: pa.Array) -> np.ndarray:
    return column.value_lengths().to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _joined(table: pa.Table, rows: list[list[int]]) -> pa.RecordBatch:
    examples = table.take(np.concatenate([np.asarray(row) for row in rows])).combine_chunks()
    columns = {name: examples.column(name).combine_chunks() for name in table.column_names}
    n_each = np.array([len(row) for row in rows])
    lengths = pa.array(_lengths(columns[table.column_names[0]]), pa.int32())
    first_of_row = np.concatenate([[0], np.cumsum(n_each)])
    columns = {
        name: pa.ListArray.from_arrays(column.offsets.take(pa.array(first_of_row)), column.flatten())
        for name, column in columns.items()
    }
    return pa.record_batch(columns | {LENGTHS: pa.ListArray.from_arrays(pa.array(first_of_row, pa.int32()), lengths)})
