"""What a server that misanswers 30 % of all requests costs a run, by the way in which it misbehaves.

    python benchmarks/chaos.py [--json] [--quick]

Samples three methods' targets through `openai_http` from the chaos server of the tests, a process of its own, once well
behaved and once not. Seconds lost are between an attempt that was misanswered and the next one of the same request: the
time that its fault took, and the pause after it. The last line is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

sys.path[0] = str(Path(__file__).parents[1] / "tests")  # in place of this folder, whose engines.py is another

from engines.chaos_kinds import KINDS  # type: ignore[import-not-found]  # noqa: E402
from engines.chaos_process import ChaosProcess  # type: ignore[import-not-found]  # noqa: E402
from engines.chaos_runs import run, samples  # type: ignore[import-not-found]  # noqa: E402

SHARE = 0.3
MAX_ATTEMPTS = 6
TIMEOUT_S = 3.0
DELAY_S = 0.2


class Run(NamedTuple):
    """One run, and what its server wrote down."""

    seconds: float
    record: dict[str, Any]
    outcomes: dict[tuple[str, int], tuple[str | None, str | None, str | None]]
    """Key -> text, verdict, failure."""


def sampled(folder: Path, share: float, max_attempts: int) -> Run:
    """Fill a fresh pool from a server of which this share of answers is wrong."""
    with ChaosProcess(share=share, delay_s=DELAY_S, retry_after="1") as server:
        report, _ = run(folder, server, max_attempts=max_attempts, timeout_s=TIMEOUT_S)
        return Run(report.elapsed_s, server.record(), samples(folder))


def rows(wild: Run) -> dict[str, dict[str, float]]:
    """Kind of misbehaviour -> its counts, and the seconds that one costs."""
    record, table = wild.record, {}
    for kind in KINDS:
        injected, retried = record["injected"].get(kind, 0), record["retried"].get(kind, 0)
        lost_s = record["lost_s"].get(kind, 0.0)
        table[kind] = {
            "injected": injected,
            "retried": retried,
            "failed": injected - retried,
            "seconds_lost": round(lost_s, 1),
            "seconds_each": round(lost_s / max(1, retried), 2),
        }
    return table


def main() -> None:
    """Run both, and print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    parser.add_argument("--quick", action="store_true", help="fewer attempts: fails more, takes less")
    options = parser.parse_args()
    max_attempts = 3 if options.quick else MAX_ATTEMPTS
    with tempfile.TemporaryDirectory() as folder:
        calm = sampled(Path(folder) / "calm", 0.0, max_attempts)
        wild = sampled(Path(folder) / "wild", SHARE, max_attempts)
    table = rows(wild)
    failures = Counter(failure for _, _, failure in wild.outcomes.values() if failure is not None)
    assert failures.total() == sum(row["failed"] for row in table.values())
    both = [key for key in calm.outcomes.keys() & wild.outcomes.keys() if wild.outcomes[key][2] is None]
    summary = {
        "share": SHARE,
        "samples": len(wild.outcomes),
        "same_samples": sum(calm.outcomes[key] == wild.outcomes[key] for key in both) / len(both),
        "attempts": sum(wild.record["attempts"].values()),
        "most_attempts": max(wild.record["attempts"].values()),
        "max_attempts": max_attempts,
        "failures": failures,
        "calm_s": round(calm.seconds, 1),
        "wild_s": round(wild.seconds, 1),
        "kinds": table,
    }
    if not options.json:
        print(f"{'kind':12} {'injected':>8} {'retried':>8} {'failed':>8} {'s lost':>8} {'s each':>8}  cause")
        for kind, row in table.items():
            numbers = " ".join(f"{value:8}" for value in row.values())
            print(f"{kind:12} {numbers}  {KINDS[kind]}")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
