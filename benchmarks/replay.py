"""Real model text through the whole sampling path: verdict agreement with the recorded verdicts, fail rate by level.

    python benchmarks/replay.py --data-dir ../shared/data [--json] [--quick]

Runs `dartune sample` with the replay engine over two files of recorded responses and compares every verdict in the
pool with the one in the file. The last line is one JSON object.
"""

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from dartune.cli.main import run
from dartune.pool import read_queries, read_samples
from dartune.pool.overview import describe_pool
from dartune.queries.files import read_file
from dartune.queries.rows import Defect

FILES = {"math_qwen_cot_100": 8, "gsm8k_openai_samples": 4}
"""File -> responses recorded for each query."""

RECIPE = """
name = "replay"
[queries]
source = "{path}"
{limit}
[engine]
name = "replay"
path = "{path}"
[methods.all]
policy = "vanilla"
n_trials = {n}
"""


def measure(path: Path, n_trials: int, limit: int | None) -> dict[str, object]:
    """Sample one file into a fresh pool and compare."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / "replay.toml"
        recipe.write_text(RECIPE.format(path=path, n=n_trials, limit=f"limit = {limit}" if limit else ""))
        assert run(["sample", str(recipe), "--out", f"{folder}/run", "--quiet"]) == 0
        pool = Path(folder) / "run" / "pool"
        overview = describe_pool(pool)
        agreement = compare(path, pool)
    return {
        "n_queries": overview.n_queries,
        "n_responses": overview.n_samples,
        "verdicts": overview.verdicts,
        "failures": overview.failures,
        "fail_rate_by_level": {str(level.level): round(level.fail_rate, 4) for level in overview.levels},
        **agreement,
    }


def compare(path: Path, pool: Path) -> dict[str, object]:
    """Verdicts of the pool against the file's, row by row: the t-th row of a query is its trial t."""
    recorded: defaultdict[str, list[bool | None]] = defaultdict(list)
    for row in read_file(path).rows:
        assert not isinstance(row, Defect), row.message
        verdict = row.raw["correct"]
        recorded[str(row.raw["query"]).strip()].append(verdict if isinstance(verdict, bool) else None)
    texts = {query.id: query.text for query in read_queries(pool)}
    pairs = Counter(
        (recorded[texts[row["query_id"]]][row["trial"]], row["verdict"] == "correct")
        for row in read_samples(pool, ["query_id", "trial", "verdict", "failure"]).to_pylist()
        if row["failure"] is None
    )
    n_decided = sum(n for (theirs, _), n in pairs.items() if theirs is not None)
    n_same = pairs[True, True] + pairs[False, False]
    return {
        "agreement": round(n_same / n_decided, 5),
        "ours_correct_theirs_not": pairs[False, True],
        "theirs_correct_ours_not": pairs[True, False],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path("../shared/data"))
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help="fifty queries of each file")
    options = parser.parse_args()
    results = {
        name: measure(options.data_dir.resolve() / "outputs" / f"{name}.jsonl.gz", n, 50 if options.quick else None)
        for name, n in FILES.items()
    }
    if not options.json:
        for name, result in results.items():
            print(name, *(f"  {key}: {value}" for key, value in result.items()), sep="\n")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
