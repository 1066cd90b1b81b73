"""Files that the tests of marking read and write."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


def responses(n: int) -> list[Row]:
    """Rows of which every third is wrong, with columns of several types that grading does not know."""
    return [
        {
            "id": i,
            "ref_answer": str(i),
            "response": f"So it is \\boxed{{{i + (i % 3 == 0)}}}. ¿Sí?",
            "query": f"What is {i}?",
            "finish_reason": "stop",
            "meta": {"level": i % 5, "tags": ["a", "b"][: i % 3]},
            "score": i / 7,
        }
        for i in range(n)
    ]


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows in the format of the suffix."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=700)
        return path
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


def read_rows(path: Path) -> list[Row]:
    """Read rows in the format of the suffix."""
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).decode().splitlines()
    return [json.loads(line) for line in lines]
