"""Seconds and memory of curation: a pool of ten million responses to a set of 590,000 examples.

    python benchmarks/curation.py [--json] [--quick] [--keep FOLDER]

The pool is made up: 15,000 queries (as many as GSM8K's and MATH's training sets have) with 667 tries each, half of the
queries hard and half easy, responses of some 600 characters, one in fifty a repeat. It is written to disk first, in the
pool's own format. Curation then runs in a process of its own, with decontamination against 5,000 other problems.
--quick takes a tenth of the tries and of the set. The last line is one JSON object: `n_samples`, `n_examples`,
`seconds`, `cpu_seconds` (more of them than seconds where threads decode side by side, fewer on a busy machine),
`peak_mb`, `limit_s`, `limit_mb`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dartune.config import CurationConfig, UniformMethod
from dartune.curation import CurationJob, curate
from dartune.pool import PoolWriter, Provenance
from dartune.pool.schema import SAMPLE_SCHEMA, shard_path
from dartune.prompts import load_template
from dartune.types import Query, SamplingParams

N_QUERIES, N_TRIES, K = 15_000, 667, 40
N_EXAMPLES = 590_000
LIMIT_S, LIMIT_MB = 60, 2_048
REPEATED = [name for name in SAMPLE_SCHEMA.names if name not in {"seed", "response", "sum_logprob"}]
"""Columns that a pool stores as dictionaries, as its writer does."""
ROWS_IN_GROUP, GROUPS_IN_SHARD = 16_384, 64
N_SENTENCES, SENTENCES_IN_RESPONSE = 5_000, 6


def queries(n: int, seed: int) -> list[Query]:
    """Made-up problems of forty words."""
    draw = np.random.default_rng(seed)
    words = np.array([f"word{i}" for i in range(3_000)])
    return [Query.of(" ".join(draw.choice(words, 40)), str(i), level=i % 5 + 1) for i in range(n)]


def sentences(draw: np.random.Generator) -> pa.Array:
    """Lines of some hundred characters."""
    words = np.array([f"step{i}" for i in range(2_000)])
    return pa.array([f"{' '.join(draw.choice(words, 13))} = {i}\n" for i in range(N_SENTENCES)])


def write_pool(pool: Path, n_tries: int) -> int:
    """Write the pool; the number of its samples."""
    asked = queries(N_QUERIES, seed=1)
    with PoolWriter(pool, Provenance(model="m", template="alpaca", params=SamplingParams(), run_seed=0)) as writer:
        writer.add_queries(asked)
    draw = np.random.default_rng(2)
    lines, ids = sentences(draw), pa.array([query.id for query in asked])
    is_easy = np.arange(N_QUERIES) % 2 == 0
    n_rows, shard, start = N_QUERIES * n_tries, 0, 0
    while start < n_rows:
        stop = min(n_rows, start + ROWS_IN_GROUP * GROUPS_IN_SHARD)
        path = shard_path(pool, shard, shard)
        with pq.ParquetWriter(path, SAMPLE_SCHEMA, compression="zstd", use_dictionary=REPEATED) as file:
            for first in range(start, stop, ROWS_IN_GROUP):
                # Trial by trial over all queries, as a run asks them.
                rows = np.arange(first, min(stop, first + ROWS_IN_GROUP))
                places = rows % N_QUERIES
                is_correct = draw.random(len(rows)) < np.where(is_easy[places], 0.8, 0.2)
                file.write_table(_table(rows, ids.take(pa.array(places)), is_correct, lines, draw))
        shard, start = shard + 1, stop
    return n_rows


def _table(
    rows: np.ndarray, ids: pa.Array, is_correct: np.ndarray, lines: pa.Array, draw: np.random.Generator
) -> pa.Table:
    n = len(rows)
    parts = [lines.take(pa.array(draw.integers(0, N_SENTENCES, n))) for _ in range(SENTENCES_IN_RESPONSE)]
    numbers = pc.cast(pa.array(np.where(draw.random(n) < 0.02, 0, rows)), pa.string())
    verdicts = pa.DictionaryArray.from_arrays(pa.array(is_correct.astype(np.int32)), pa.array(["incorrect", "correct"]))

    def same(value: str) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([value]))

    columns = {
        "query_id": ids,
        "trial": pa.array((rows // N_QUERIES).astype(np.int32)),
        "seed": pa.array(rows),
        "response": pc.binary_join_element_wise(*parts, numbers, ""),
        "finish_reason": same("stop"),
        "n_prompt_tokens": pa.array(np.full(n, 60, np.int32)),
        "n_tokens": pa.array(draw.integers(50, 400, n, dtype=np.int32)),
        "sum_logprob": pa.nulls(n, pa.float64()),
        "verdict": verdicts,
        "answer": pa.nulls(n, pa.string()),
        "rule": same("boxed/number"),
        "failure": pa.nulls(n, pa.int32()).cast(pa.int32()),
        "model": same("m"),
        "template": same("alpaca"),
        "temperature": pa.array(np.full(n, 1.6)),
        "top_p": pa.array(np.full(n, 0.95)),
        "max_new_tokens": pa.array(np.full(n, 2048, np.int32)),
    }
    columns["failure"] = pa.DictionaryArray.from_arrays(columns["failure"], pa.array([], pa.string()))
    return pa.table(columns, schema=SAMPLE_SCHEMA)


def measure(pool: Path, out: Path, n_examples: int) -> dict[str, float]:
    """Curate in this process: examples, seconds, peak of memory."""
    asked = queries(N_QUERIES, seed=1)
    job = CurationJob(
        queries=asked,
        methods={"uniform": UniformMethod(policy="uniform", k=K, max_trials=N_TRIES)},
        config=CurationConfig(n_examples=n_examples),
        template=load_template("alpaca"),
        seed=0,
        benchmarks={"test": queries(5_000, seed=3)},
    )
    start, start_cpu = time.perf_counter(), time.process_time()
    manifest = curate(pool, job, out=out)["uniform"]
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "n_examples": manifest.n_examples,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "peak_mb": round(peak_mb),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="nothing but the JSON line")
    parser.add_argument("--quick", action="store_true", help="a tenth")
    parser.add_argument("--keep", type=Path, help="keep the pool in this folder, and take it from there if it is there")
    parser.add_argument("--measure", nargs=3, metavar=("POOL", "OUT", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        pool, out, n = options.measure
        print(json.dumps(measure(Path(pool), Path(out), int(n))))
        return
    part = 10 if options.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        pool = options.keep or Path(folder) / "pool"
        n_samples = N_QUERIES * (N_TRIES // part)
        if not (pool / "pool.json").exists():
            start = time.perf_counter()
            write_pool(pool, N_TRIES // part)
            if not options.json:
                print(f"{n_samples:,} responses written in {time.perf_counter() - start:.0f} s")
        command = [sys.executable, __file__, "--measure", str(pool), f"{folder}/sets", str(N_EXAMPLES // part)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    result = {"n_samples": n_samples, **json.loads(done.stdout.splitlines()[-1])}
    print(json.dumps({**result, "limit_s": LIMIT_S, "limit_mb": LIMIT_MB}))


if __name__ == "__main__":
    main()
