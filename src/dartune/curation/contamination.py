"""Training problems that score the model as well: which there are, and what a set says of them."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dartune.curation.job import CurationJob
from dartune.decontamination import Match, find_matches
from dartune.files import write_text

FILE_NAME = "contamination.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOverlap:
    """One benchmark against the training problems."""

    benchmark: str
    n_problems: int
    """The benchmark's problems; all were compared."""
    n_exact: int
    """Pairs whose words are the same."""
    n_ngram: int
    """Pairs with common runs of words."""
    n_queries: int
    """Training problems in any of its pairs."""


def find_contamination(job: CurationJob) -> list[Match]:
    """Every pair of a query of `job` and a benchmark's problem that match; none if it is not to look."""
    config = job.config.decontamination
    if config.action == "off":
        return []
    return find_matches(
        job.queries, job.benchmarks, n=config.n, min_overlap=config.min_overlap, same_numbers=config.same_numbers
    )


def dropped_queries(job: CurationJob, matches: Sequence[Match]) -> frozenset[str]:
    """Ids of the queries that must not give examples."""
    if job.config.decontamination.action != "drop":
        return frozenset()
    return frozenset(match.query.id for match in matches)


def count_overlaps(job: CurationJob, matches: Sequence[Match]) -> tuple[BenchmarkOverlap, ...]:
    """The matches by benchmark, those without any included; empty if nothing was compared."""
    if job.config.decontamination.action == "off":
        return ()
    kinds = Counter((match.benchmark, match.kind) for match in matches)
    return tuple(
        BenchmarkOverlap(
            benchmark=name,
            n_problems=len(problems),
            n_exact=kinds[name, "exact"],
            n_ngram=kinds[name, "ngram"],
            n_queries=len({match.query.id for match in matches if match.benchmark == name}),
        )
        for name, problems in job.benchmarks.items()
    )


def write_matches(folder: Path, matches: Sequence[Match]) -> None:
    """Write every pair with both texts, one JSON object a line; an empty file says that there is none."""
    lines = (
        json.dumps(
            {
                "query_id": match.query.id,
                "benchmark": match.benchmark,
                "benchmark_id": match.asked.id,
                "kind": match.kind,
                "overlap": round(match.overlap, 4),
                "query": match.query.text,
                "benchmark_query": match.asked.text,
            },
            ensure_ascii=False,
        )
        for match in matches
    )
    write_text(folder / FILE_NAME, "".join(f"{line}\n" for line in lines))
