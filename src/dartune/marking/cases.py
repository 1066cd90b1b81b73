"""From a raw row to a case, or to the defect that keeps it from being graded. Pure."""

import json
from collections.abc import Mapping, Sequence

from dartune.errors import DataError
from dartune.grading.case import Case
from dartune.queries.rows import Defect, NumberedRow, RawRow, as_text
from dartune.queries.wording import quoted

ADDED = ("answer", "verdict", "rule")
"""Columns that grading adds."""

FIELDS = ("ref_answer", "response", "query", "finish_reason", "meta")
"""Columns that are read, beside those that the judge reads."""


class _Fault(Exception):
    """A field cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read_case(row: NumberedRow, reads: Sequence[str]) -> Case | Defect:
    """The case in a row; of `meta`, an object or JSON text of one, and of the other columns, what the judge `reads`.

    A null response is an empty one. A reference may be a number.
    """
    raw = row.raw
    try:
        _refuse_added(raw)
        ref_answer = _text(raw, "ref_answer")
        if not ref_answer.strip():
            raise _Fault("ref_answer", "expected the known answer, got nothing; remove the row")
        finish_reason = _text(raw, "finish_reason", default="stop") or "stop"
        return Case(
            ref_answer=ref_answer,
            response=_text(raw, "response"),
            query=_text(raw, "query", default="") or None,
            finish_reason=finish_reason,  # type: ignore[arg-type]  # Case says what it must be
            meta=_meta(raw, reads) if reads else {},
        )
    except _Fault as fault:
        return Defect(number=row.number, field=fault.field, kind="malformed", message=str(fault))
    except DataError as error:
        field, _, message = str(error).partition(": ")
        return Defect(number=row.number, field=field, kind="malformed", message=message)


def _refuse_added(raw: RawRow) -> None:
    for name in ADDED:
        if name in raw:
            raise _Fault(name, "expected no such column, for grading adds it; rename or drop it")


def _text(raw: RawRow, field: str, *, default: str | None = None) -> str:
    if field not in raw:
        if default is not None:
            return default
        raise _Fault(field, f"expected this column, got {', '.join(list(raw)[:12])}; rename the one that holds it")
    value = raw[field]
    if field != "ref_answer" and not isinstance(value, str | None):
        raise _Fault(field, f"expected text, got {quoted(value)}")
    try:
        return as_text(value)
    except ValueError as error:
        raise _Fault(field, str(error)) from None


def _meta(raw: RawRow, reads: Sequence[str]) -> dict[str, object]:
    meta = raw.get("meta")
    if isinstance(meta, str):
        try:
            meta = json.loads(meta)
        except (ValueError, RecursionError):
            raise _Fault("meta", f"expected an object, or JSON text of one, got {quoted(meta)}") from None
    if not isinstance(meta, Mapping | None):
        raise _Fault("meta", f"expected an object, or JSON text of one, got {quoted(meta)}")
    known = {**raw, **(meta or {})}
    read = {name: known[name] for name in reads if name in known}
    for name, value in read.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise _Fault(name, f"expected a value that JSON has, got {quoted(value)}") from None
    return read
