"""The measures of each query as a file."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from dartune.errors import ConfigError
from dartune.files import write_atomic
from dartune.measuring.compare import Measured


def write_measures(path: Path, measured: Measured) -> None:
    """Write a row for each query: `id`, `n_trials`, `n_correct`, and each measure; empty where it cannot say.

    Raises:
        ConfigError: the suffix is not .jsonl, .csv or .parquet.
        WriteError: the disk refuses.
    """
    write = find_writer(path)
    table = pa.table(
        {
            "id": [query.id for query in measured.queries],
            "n_trials": pa.array([tally.n_trials for tally in measured.tallies], pa.int64()),
            "n_correct": pa.array([tally.n_correct for tally in measured.tallies], pa.int64()),
            **{name: pa.array(values, mask=np.isnan(values)) for name, values in measured.values.items()},
        }
    )
    write_atomic(path, lambda temporary: write(table, temporary))


def find_writer(path: Path) -> Callable[[pa.Table, Path], object]:
    """What writes a file of that name. Raises ConfigError where its suffix is unknown."""
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(f"{path}: expected a file named {' or '.join(_WRITERS)}")
    return writer


def _write_jsonl(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in table.to_pylist():
            file.write(json.dumps(row) + "\n")


_WRITERS: dict[str, Callable[[pa.Table, Path], object]] = {
    ".jsonl": _write_jsonl,
    ".csv": pc.write_csv,
    ".parquet": pq.write_table,
}
