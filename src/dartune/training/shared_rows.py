"""A training set's tokens, made by one process and read by all.

Tokenising is the same work in each of them, and eight that do it at once wait for each other's cores.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from dartune.files import write_atomic
from dartune.training.ranks import from_main, n_ranks
from dartune.training.rows import TokenRows


def for_all(make: Callable[[], TokenRows], file: Path) -> TokenRows:
    """What `make` returns in the main process, in every process; where it raises a DartuneError there, all raise it.

    Where there are several, they map the tokens from `file`, which the main one writes: those of one machine share its
    memory. All processes must call it. Raises WriteError where the disk refuses.
    """
    if n_ranks() == 1:
        return make()
    counts = from_main(lambda: _stored(make(), file))
    with pa.memory_map(str(file)) as source:
        return replace(counts, table=pa.ipc.open_file(source).read_all())


def _stored(rows: TokenRows, file: Path) -> TokenRows:
    """The same without its tokens, which are in `file`."""

    def write(temporary: Path) -> None:
        with pa.ipc.new_file(temporary, rows.table.schema) as writer:
            writer.write_table(rows.table)

    write_atomic(file, write)
    return replace(rows, table=rows.table.schema.empty_table())
