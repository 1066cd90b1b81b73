"""Where problems come from: files, the hub, published benchmarks, the embedded world."""

from dartune.queries.catalog import SetInfo, describe_sets
from dartune.queries.checking import CheckReport, Finding, check_queries
from dartune.queries.loading import load_queries
from dartune.queries.records import Attempt, Origin, QuerySet, SourceReport
from dartune.queries.rows import Defect

__all__ = [
    "Attempt",
    "CheckReport",
    "Defect",
    "Finding",
    "Origin",
    "QuerySet",
    "SetInfo",
    "SourceReport",
    "check_queries",
    "describe_sets",
    "load_queries",
]
