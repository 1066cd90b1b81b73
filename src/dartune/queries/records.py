"""What is known of a set of queries: where it came from, what was found there, and the queries themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dartune.queries.rows import Defect, Row, Unit
from dartune.types import Query

Checksum = Literal["verified", "differs", "not verified"]
"""Whether the file is the known one; "not verified" where there is no file or no known checksum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A source that was tried and did not answer."""

    source: str
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The source that answered."""

    source: str
    """A path, an address, "hf:..." or the name of a procedural set."""
    unit: Unit = "row"
    path: str | None = None
    """The file that was read, where it is one."""
    sha256: str | None = None
    """Of the file's bytes."""
    checksum: Checksum = "not verified"
    n_rows_expected: int | None = None
    """Rows that this source is known to have."""
    tried: tuple[Attempt, ...] = ()
    """Sources tried before this one, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An answering source, its rows still to be read."""

    name: str
    """What errors and `Query.source` call it."""
    origin: Origin
    rows: Iterator[Row | Defect]
    judge: str = "default"
    """Whose rules decide whether an answer is the reference."""
    is_benchmark: bool
    """Published benchmarks keep their rows without a reference; a user's set may have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What a source holds, before any filter."""

    name: str
    origin: Origin
    n_rows: int
    """All rows, defects included."""
    n_duplicates: int
    """Rows whose text and reference an earlier row already has: they share its id."""
    n_conflicting_texts: int
    """Texts that occur with more than one reference."""
    defects: tuple[Defect, ...]
    """Rows from which no query could be made, in source order."""
    n_by_level: Mapping[int | None, int]
    """Usable rows of each level, in order; None counts those without one."""
    n_by_domain: Mapping[str | None, int]

    @property
    def empty_rows(self) -> tuple[int, ...]:
        """Numbers of the rows that lack a text or a reference."""
        return tuple(defect.number for defect in self.defects if defect.kind == "empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySet:
    """The chosen problems, and what is known of their source."""

    queries: tuple[Query, ...]
    """Different ones, each where it first occurs in the source."""
    rows: tuple[str, ...]
    """Query id of every chosen row, duplicates included: a benchmark is scored row by row."""
    report: SourceReport
