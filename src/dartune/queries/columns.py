"""Which column of a table gives which field of a query."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dartune.errors import ConfigError, DataError
from dartune.queries.rows import Problem, RawRow
from dartune.queries.wording import listed, nearest, quoted

DEFAULT_COLUMNS: dict[str, tuple[str, ...]] = {
    "text": ("text", "query", "problem", "question"),
    "ref_answer": ("ref_answer", "answer", "ref_ans"),
    "level": ("level",),
    "domain": ("domain",),
}
"""Query field -> columns that are tried, in order, where the mapping does not name one."""

_REQUIRED = ("text", "ref_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A settled mapping; calling it on a raw row gives the problem in it."""

    text: str
    ref_answer: str
    level: str | None = None
    domain: str | None = None
    meta: tuple[str, ...] = ()
    """Fields of the object in the column `meta` that the benchmark's judge reads."""

    def __call__(self, raw: RawRow) -> Problem:
        """The problem's values; a column that this one row lacks counts as empty."""
        meta = raw.get("meta")
        return Problem(
            text=raw.get(self.text),
            ref_answer=raw.get(self.ref_answer),
            level=raw.get(self.level) if self.level else None,
            domain=raw.get(self.domain) if self.domain else None,
            meta={name: meta.get(name) for name in self.meta} if isinstance(meta, Mapping) else {},
        )


CANONICAL = Columns(text="query", ref_answer="ref_answer", level="level", domain="domain")
"""Columns of the files in a benchmark data folder."""


def resolve_columns(given: Mapping[str, str], found: Iterable[str], where: str) -> Columns:
    """The columns named in `given`, else the first default that was found.

    Raises:
        ConfigError: `given` names a field that queries do not have.
        DataError: a named column, or any column for the text or the reference answer, is not in `where`.
    """
    known = list(dict.fromkeys(found))
    for field in given:
        if field not in DEFAULT_COLUMNS:
            raise ConfigError(
                f"queries.columns: expected fields among {', '.join(DEFAULT_COLUMNS)}, got {quoted(field)}"
                + nearest(field, DEFAULT_COLUMNS)
            )
    chosen = {field: _column(field, given.get(field), known, where) for field in DEFAULT_COLUMNS}
    text, ref_answer = chosen["text"], chosen["ref_answer"]
    assert text is not None
    assert ref_answer is not None
    return Columns(text=text, ref_answer=ref_answer, level=chosen["level"], domain=chosen["domain"])


def _column(field: str, given: str | None, known: Collection[str], where: str) -> str | None:
    if given is not None:
        if given in known:
            return given
        raise DataError(
            f"{where}: expected column {quoted(given)} for {field}, got columns {listed(known)}{nearest(given, known)}"
        )
    for column in DEFAULT_COLUMNS[field]:
        if column in known:
            return column
    if field not in _REQUIRED:
        return None
    raise DataError(
        f"{where}: expected a column for {field} named {' or '.join(DEFAULT_COLUMNS[field])}, got columns "
        f'{listed(known)}; name it with queries.columns = {{ {field} = "..." }}'
    )
