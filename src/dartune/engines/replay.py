"""An engine that gives out recorded responses: trial t of a query gets the t-th response recorded for it.

For real model text without a model: regrading, audits, and known answers in tests. A file may have the columns
query, response, finish_reason, n_tokens; where tokens were not recorded, words are counted instead.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from dartune.config import ReplayEngineConfig
from dartune.errors import DataError, EngineError
from dartune.queries.files import read_file
from dartune.queries.rows import Defect
from dartune.types import Query, Request, Response


class ReplayEngine:
    """Recorded responses by query and trial."""

    def __init__(self, config: ReplayEngineConfig, queries: Sequence[Query]) -> None:
        """Read the file and index it by the text of `queries`. Raises DataError if none of its rows belongs to one."""
        self._config = config
        self._model = _identity(config)
        self._responses: dict[str, list[Response]] = defaultdict(list)
        names = {
            field: config.columns.get(field, field) for field in ("query", "response", "finish_reason", "n_tokens")
        }
        ids: dict[str, list[str]] = defaultdict(list)
        for query in queries:
            ids[query.text.strip()].append(query.id)
        table = read_file(config.path)
        for row in table.rows:
            where = f"{config.path}: {table.unit} {row.number}"
            if isinstance(row, Defect):
                raise DataError(f"{where}: {row.message}")
            for field in ("query", "response"):
                if names[field] not in row.raw:
                    raise DataError(
                        f"{where}: column {names[field]!r} is missing, found {', '.join(sorted(row.raw))}; "
                        f"name the right one with --set engine.columns.{field}=NAME"
                    )
            for query_id in ids.get(str(row.raw[names["query"]]).strip(), ()):
                self._responses[query_id].append(_recorded(row.raw, names))
        if not self._responses:
            raise DataError(f"{config.path}: no row's {names['query']!r} is the text of a query in this run")

    @property
    def n_places(self) -> int:
        """Requests it wants in flight."""
        return self._config.n_places

    @property
    def model(self) -> str:
        """Name of the file, and hash of its bytes and of the columns that are read."""
        return self._model

    async def start(self) -> None:
        """Nothing to get ready."""

    async def generate(self, request: Request) -> Response:
        """The recorded response. Raises EngineError("exhausted") where the file holds no further one."""
        recorded = self._responses.get(request.key.query_id, [])
        if request.key.trial >= len(recorded):
            raise EngineError("exhausted", f"{len(recorded)} responses were recorded for this query")
        return recorded[request.key.trial]

    async def aclose(self) -> None:
        """Hold nothing, so release nothing."""


def _identity(config: ReplayEngineConfig) -> str:
    digest = hashlib.blake2b(json.dumps(config.columns, sort_keys=True).encode(), digest_size=6)
    digest.update(config.path.read_bytes() if config.path.is_file() else b"")
    return f"replay:{config.path.name}@{digest.hexdigest()}"


def _recorded(values: Mapping[str, object], names: dict[str, str]) -> Response:
    text = str(values[names["response"]] or "")
    n_tokens = values.get(names["n_tokens"])
    return Response(
        text=text,
        finish_reason="length" if values.get(names["finish_reason"]) == "length" else "stop",
        n_prompt_tokens=0,
        n_tokens=n_tokens if isinstance(n_tokens, int) else len(text.split()),
    )
