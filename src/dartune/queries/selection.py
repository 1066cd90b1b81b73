"""Which rows of a source are used: by level, by domain, the first n, a seeded sample. Pure."""

import hashlib
from collections.abc import Iterable, Sequence

from dartune.config import QueriesConfig
from dartune.errors import DataError
from dartune.queries.records import SourceReport
from dartune.queries.wording import listed, nearest, quoted
from dartune.types import Query


def select_rows(rows: Sequence[Query], config: QueriesConfig, seed: int, report: SourceReport) -> tuple[Query, ...]:
    """The rows that pass the filters of `config`, in their order.

    `limit` keeps the rows of the first so many different queries; `sample` then draws from these by content and seed
    alone, so that the order of the source does not matter. Domains match whatever their case.

    Raises:
        DataError: a level or domain that the source lacks, filters that leave nothing, a sample larger than the set.
    """
    _refuse_unknown(config, report)
    domains = None if config.domains is None else {domain.casefold() for domain in config.domains}
    chosen = [
        query
        for query in rows
        if (config.levels is None or query.level in config.levels)
        and (domains is None or (query.domain is not None and query.domain.casefold() in domains))
    ]
    if not chosen:
        raise DataError(
            f"{report.name}: expected some of {len(rows)} rows to pass queries.levels and queries.domains, got none; "
            f"levels are {_known(report.n_by_level)}, domains are {_known(report.n_by_domain)}"
        )
    ids = list(dict.fromkeys(query.id for query in chosen))
    if config.limit is not None:
        ids = ids[: config.limit]
    if config.sample is not None:
        if config.sample > len(ids):
            raise DataError(
                f"{report.name}: expected at least queries.sample = {config.sample} different queries after the "
                f"filters, got {len(ids)}; ask for fewer"
            )
        ids = sorted(ids, key=lambda id_: hashlib.blake2b(f"{seed}\0{id_}".encode()).digest())[: config.sample]
    kept = frozenset(ids)
    return tuple(query for query in chosen if query.id in kept)


def _refuse_unknown(config: QueriesConfig, report: SourceReport) -> None:
    for level in config.levels or ():
        if level not in report.n_by_level:
            raise DataError(
                f"{report.name}: expected levels among those of the set ({_known(report.n_by_level)}), got {level}"
            )
    known = [domain for domain in report.n_by_domain if domain is not None]
    for domain in config.domains or ():
        if domain.casefold() not in {name.casefold() for name in known}:
            raise DataError(
                f"{report.name}: expected domains among those of the set ({_known(report.n_by_domain)}), "
                f"got {quoted(domain)}{nearest(domain, known)}"
            )


def _known(counts: Iterable[int | None] | Iterable[str | None]) -> str:
    return listed(name for name in counts if name is not None) or "none"
