"""Rows of tokens in one of several processes: prints who made them and what it got. Argument: the file between them."""

import json
import os
import sys
from pathlib import Path

import pyarrow as pa

from dartune.errors import DataError
from dartune.training.rows import TokenRows
from dartune.training.shared_rows import for_all


def make() -> TokenRows:
    tell("made")
    tokens = pa.array([[1, 2], [3]], pa.list_(pa.int32()))
    return TokenRows(
        table=pa.table({"input_ids": tokens, "labels": tokens}),
        n_prompt_tokens=0,
        n_completion_tokens=3,
        n_squared_tokens=5,
        n_too_long=1,
        n_truncated=0,
    )


def refuse() -> TokenRows:
    raise DataError("the set is empty")


def tell(event: str, **more: object) -> None:
    # One write a line: two processes share the pipe.
    os.write(1, f"{json.dumps({'event': event, 'rank': int(os.environ['RANK']), **more})}\n".encode())


def main(file: str) -> None:
    rows = for_all(make, Path(file))
    tell("got", tokens=rows.table.column("input_ids").to_pylist(), counts=[rows.n_examples, rows.n_too_long])
    try:
        for_all(refuse, Path(file))
    except DataError as error:
        tell("refused", message=str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
