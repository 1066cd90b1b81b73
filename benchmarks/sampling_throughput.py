"""Samples per second on one core, and memory, of the whole sampling path: ledger, dispatcher, grader, pool on disk.

    python benchmarks/sampling_throughput.py [--json] [--quick] [--queries N] [--samples N] [--folder DIR]

The engine is the fake one with 512 places, so that nothing is measured but what dartune itself does for a sample:
choosing it, asking, grading, storing it durably, counting. DARS-Uniform over five levels of pass rates, ten million
samples of a hundred thousand queries by default. It runs in a process of its own that is pinned to one core.
The last line is one JSON object:

- samples_per_s: of the whole run, opening the pool and the last sync included; cpu_us_per_sample: processor time;
- rss_growth_mb: how much the process grew between 10 % and 100 % of the samples; rss_mb: its size at the end;
- resume_s: what the same command takes on the full pool, to find that there is nothing left to ask;
- n_shards: files that the pool ended with; pool_mb: their size.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PASS_RATES = (0.95, 0.8, 0.6, 0.35, 0.1)
N_PLACES = 512
MEAN_LATENCY_S = 0.02
MAX_TRIALS = 2048
CORE = 0


def measure(n_queries: int, n_samples: int, *, folder: Path | None = None) -> dict[str, float]:
    """Sample about `n_samples` samples of `n_queries` queries in a fresh process; the numbers of this module."""
    with tempfile.TemporaryDirectory(dir=folder) as pool:
        command = [sys.executable, __file__, "--pinned", pool, "--queries", str(n_queries), "--samples", str(n_samples)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    numbers: dict[str, float] = json.loads(done.stdout)
    return numbers


def sample_pinned(n_queries: int, n_samples: int, pool: Path) -> dict[str, float]:
    """What `measure` reports, from within the process that is pinned."""
    from dartune.config import FakeEngineConfig, UniformMethod
    from dartune.engines.fake import FakeEngine
    from dartune.grading import Grader
    from dartune.prompts import load_template
    from dartune.sampling.job import Job, SamplingReport
    from dartune.sampling.progress import Progress
    from dartune.sampling.run import sample_pool
    from dartune.types import Query, SamplingParams

    queries = [Query.of(f"What is {i} times 1?", str(i), level=i % len(PASS_RATES) + 1) for i in range(n_queries)]
    tries_per_correct = sum(1 / rate for rate in PASS_RATES) / len(PASS_RATES)
    k = max(1, round(n_samples / n_queries / tries_per_correct))
    job = Job(
        queries=queries,
        methods={"uniform": UniformMethod(policy="uniform", k=k, max_trials=MAX_TRIALS)},
        template=load_template("alpaca"),
        params=SamplingParams(),
        seed=0,
    )
    config = FakeEngineConfig(pass_rates=PASS_RATES, n_places=N_PLACES, latency_s=MEAN_LATENCY_S)
    sizes: list[tuple[int, float]] = []

    def watch(progress: Progress) -> None:
        sizes.append((progress.n_samples, resident_mb()))

    def sample() -> SamplingReport:
        with Grader() as grader:
            return sample_pool(job, engine=FakeEngine(config, queries), grader=grader, pool=pool, watch=watch)

    before_s = time.process_time()
    report = sample()
    used_s = time.process_time() - before_s
    at_tenth_mb = next(size for n, size in sizes if n >= report.n_samples / 10)
    at_end_mb = sizes[-1][1]
    again = sample()
    assert again.n_samples == 0
    shards = list(pool.glob("shard-*.parquet"))
    return {
        "n_queries": n_queries,
        "n_samples": report.n_samples,
        "samples_per_s": round(report.n_samples / report.elapsed_s, 1),
        "cpu_us_per_sample": round(used_s / report.n_samples * 1e6, 1),
        "rss_growth_mb": round(at_end_mb - at_tenth_mb, 1),
        "rss_mb": round(at_end_mb, 1),
        "resume_s": round(again.elapsed_s, 2),
        "n_shards": len(shards),
        "pool_mb": round(sum(shard.stat().st_size for shard in shards) / 2**20, 1),
    }


def resident_mb() -> float:
    """Memory of this process that is in use now."""
    n_pages = int(Path("/proc/self/statm").read_text().split()[1])
    return n_pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the last line is always JSON")
    parser.add_argument("--quick", action="store_true", help="a hundred thousand samples of two thousand queries")
    parser.add_argument("--queries", type=int)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--folder", type=Path, help="where the pool is put for as long as it takes")
    parser.add_argument("--pinned", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    n_queries = options.queries or (2_000 if options.quick else 100_000)
    n_samples = options.samples or (100_000 if options.quick else 10_000_000)
    if options.pinned:
        os.sched_setaffinity(0, {CORE})  # before numpy and pyarrow start threads, which inherit it
        print(json.dumps(sample_pinned(n_queries, n_samples, options.pinned)))
        return
    print(json.dumps(measure(n_queries, n_samples, folder=options.folder)))


if __name__ == "__main__":
    main()
