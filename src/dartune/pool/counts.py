"""What a pool's samples add up to, for each query."""

from collections import defaultdict
from pathlib import Path

from dartune.pool.reader import read_samples
from dartune.types import Outcomes


def read_outcomes(pool: Path) -> Outcomes:
    """The outcome of every recorded trial."""
    table = read_samples(pool, ["query_id", "trial", "verdict", "failure"])
    outcomes: dict[str, dict[int, bool | None]] = defaultdict(dict)
    rows = zip(*(table[name].to_pylist() for name in ("query_id", "trial", "verdict", "failure")), strict=True)
    for query_id, trial, verdict, failure in rows:
        outcomes[query_id][trial] = None if failure is not None else verdict == "correct"
    return outcomes
