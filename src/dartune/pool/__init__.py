"""The pool: every response ever sampled, right or wrong, in Parquet shards that survive a crash."""

from dartune.pool.counts import read_outcomes
from dartune.pool.reader import read_queries, read_samples, read_settings
from dartune.pool.schema import Provenance
from dartune.pool.writer import PoolWriter

__all__ = [
    "PoolWriter",
    "Provenance",
    "read_outcomes",
    "read_queries",
    "read_samples",
    "read_settings",
]
