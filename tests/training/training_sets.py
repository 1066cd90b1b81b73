"""Training sets on disk, as curation writes them."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def additions(n: int, seed: int = 0) -> list[tuple[str, str]]:
    """Prompts and completions of varied lengths."""
    rng = random.Random(seed)
    pairs = []
    for _ in range(n):
        terms = [rng.randrange(7) for _ in range(rng.randrange(2, 5))]
        pairs.append((f"Q {' + '.join(map(str, terms))} A", f"= {sum(terms)}"))
    return pairs


def write_set(folder: Path, pairs: Sequence[tuple[str, str]]) -> Path:
    folder.mkdir(parents=True)
    columns = {
        "query_id": pa.array([f"q{i}" for i in range(len(pairs))], pa.string()),
        "prompt": pa.array([prompt for prompt, _ in pairs], pa.string()),
        "completion": pa.array([completion for _, completion in pairs], pa.string()),
        "level": pa.array([1] * len(pairs), pa.int64()),
    }
    pq.write_table(pa.table(columns), folder / "train.parquet")
    (folder / "manifest.json").write_text(json.dumps({"n_examples": len(pairs)}))
    return folder
