"""Every measure of difficulty on the queries of a pool, and how far the measures agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dartune.difficulty.combination import combine, parse_combination
from dartune.difficulty.correlations import RankCorrelation, rank_correlations
from dartune.difficulty.evidence import Evidence, Tally
from dartune.difficulty.measures import MEASURES, Values
from dartune.errors import ConfigError, DataError
from dartune.measuring.scores import read_scores
from dartune.measuring.tally import tally_pool
from dartune.planning.pass_rates import read_pass_rates
from dartune.pool import read_queries
from dartune.types import Query

COMBINED = "combined"
"""Name of the weighted combination among the measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringJob:
    """Where the measures are taken from."""

    pool: Path
    others: tuple[Path, ...] = ()
    """Pools of other models."""
    pass_rates: tuple[Path, ...] = ()
    """Files with the pass rates of other models, one model each."""
    scores: Path | None = None
    """File with a judge's score of each query."""
    combination: str | None = None
    """A weighted combination of measures, such as "0.7*fail_rate + 0.3*answer_entropy"."""
    first: int | None = None
    """Only this many first tries of each query count, in all pools; None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The measures of a pool's queries."""

    queries: tuple[Query, ...]
    """In the pool's order, which is that of all values."""
    tallies: tuple[Tally, ...]
    values: Mapping[str, Values]
    """By measure; the combination is named "combined". Measures that say nothing about any query are left out."""
    correlations: tuple[RankCorrelation, ...]
    """Of each pair of measures in `values`."""


def measure_pool(job: MeasuringJob) -> Measured:
    """Take every measure on every query of a pool, and correlate them.

    Raises:
        PoolError: a pool cannot be read.
        ConfigError: the combination makes no sense, or uses a measure that nothing was given for.
        DataError: a file cannot be read, or says nothing about any query of the pool.
    """
    terms = parse_combination(job.combination) if job.combination is not None else ()
    if job.first is not None and job.first < 1:
        raise ConfigError(f"first: expected a whole number from 1, got {job.first}")
    queries = tuple(read_queries(job.pool))
    if not queries:
        raise DataError(f"{job.pool}: expected a pool with queries, got none; sample some first")
    evidence = _evidence(job, queries)
    values = {name: measure.values(evidence) for name, measure in MEASURES.items()}
    values = {name: found for name, found in values.items() if not np.isnan(found).all()}
    if terms:
        for term in terms:
            if term.measure not in values:
                raise ConfigError(
                    f"combination: expected measures that something is known of ({', '.join(values)}), "
                    f"got {term.measure}"
                )
        values[COMBINED] = combine(terms, values)
    return Measured(
        queries=queries,
        tallies=tuple(one.tally for one in evidence),
        values=values,
        correlations=rank_correlations(values),
    )


def _evidence(job: MeasuringJob, queries: tuple[Query, ...]) -> list[Evidence]:
    tallies = tally_pool(job.pool, first=job.first)
    others = [_known(path, _pool_rates(path, job.first), queries) for path in job.others]
    others += [_known(path, _file_rates(path), queries) for path in job.pass_rates]
    scores = {} if job.scores is None else _known(job.scores, read_scores(job.scores), queries)
    return [
        Evidence(
            tally=tallies.get(query.id, Tally()),
            level=query.level,
            others=tuple(rates[query.id] for rates in others if query.id in rates),
            score=scores.get(query.id),
        )
        for query in queries
    ]


def _pool_rates(pool: Path, first: int | None) -> dict[str, float]:
    rates = ((query_id, tally.pass_rate) for query_id, tally in tally_pool(pool, first=first).items())
    return {query_id: rate for query_id, rate in rates if rate is not None}


def _file_rates(path: Path) -> dict[str, float]:
    found = read_pass_rates(path)
    return dict(zip(found.query_ids, found.pass_rate.tolist(), strict=True))


def _known(path: Path, values: Mapping[str, float], queries: Sequence[Query]) -> Mapping[str, float]:
    """The values, of which at least one must be of a query of the pool."""
    if not any(query.id in values for query in queries):
        raise DataError(
            f"{path}: expected ids of the pool's queries, such as {queries[0].id}, got none of them among "
            f"{len(values):,} rows; was it made with other queries?"
        )
    return values
