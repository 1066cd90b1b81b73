"""The pool: every response ever sampled, right or wrong, in Parquet shards that survive a crash."""

from dartune.pool.counts import locate_samples, read_outcomes, read_spending
from dartune.pool.outcomes import OutcomeTable, Tries
from dartune.pool.reader import iter_samples, read_queries, read_samples, read_settings
from dartune.pool.schema import Provenance
from dartune.pool.writer import PoolWriter

__all__ = [
    "OutcomeTable",
    "PoolWriter",
    "Provenance",
    "Tries",
    "iter_samples",
    "locate_samples",
    "read_outcomes",
    "read_queries",
    "read_samples",
    "read_settings",
    "read_spending",
]
