"""What an evaluation leaves beside its pool: how the model was asked, on which data, and which answer stands for what.

<evaluation>/
  pool.json, queries.parquet, shard-*.parquet   every response, as in any pool
  evaluation.json                               how it was asked: everything that a score depends on
  rows.parquet                                  benchmark, query, level, domain of every row that is scored
  grades.parquet                                verdicts of a later grader, where there is one
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from dartune.config import EvaluationConfig
from dartune.errors import PoolError
from dartune.files import write_text
from dartune.prompts import Template
from dartune.queries import QuerySet
from dartune.types import SamplingParams

SCHEMA_VERSION: Final = 1
FILE: Final = "evaluation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkRecord:
    """One benchmark as it was asked."""

    name: str
    """In the tables."""
    source: str
    """The file, address or set that it was read from."""
    sha256: str | None
    """Of the file's bytes, where it is a file."""
    checksum: str
    """16 hex digits over texts and references of all rows in their order: the same for every copy of the same data."""
    queries: Mapping[str, object] | None
    """How its queries were asked for, as a recipe says it; None where they were given as they are."""
    n_rows: int
    n_trials: int
    """Tries of every query."""
    in_domain: bool
    template: str | None = None
    """Its own, where the benchmarks of the evaluation have several; None for the evaluation's."""
    prompt: str | None = None
    """What `template` makes of `{query}`."""


class Prompt(NamedTuple):
    """How a model was asked."""

    template: str
    text: str
    """With `{query}` for the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """Everything that the scores of one evaluation depend on."""

    model: str
    """Identity of the model, as the engine gives it."""
    engine: str
    versions: Mapping[str, str]
    """Package -> version, dartune's own included."""
    template: str
    prompt: str
    """What a model is asked, with `{query}` for the query."""
    sampling: SamplingParams
    seed: int
    grader: str
    """Version of the grader whose verdicts count, from `grader_version`."""
    benchmarks: tuple[BenchmarkRecord, ...]
    created: str
    """ISO 8601 with zone."""

    def prompt_of(self, part: BenchmarkRecord) -> Prompt:
        """How a benchmark was asked."""
        return Prompt(part.template or self.template, part.prompt or self.prompt)


_RECORD: Final = TypeAdapter(EvaluationRecord)


def describe_benchmark(
    name: str, queries: QuerySet, config: EvaluationConfig, template: Template | None = None
) -> BenchmarkRecord:
    """The record of one set of queries as `config` asks it, with a `template` of its own where it has one."""
    asked_for = config.benchmarks.get(name)
    return BenchmarkRecord(
        name=name,
        source=queries.report.origin.source,
        sha256=queries.report.origin.sha256,
        checksum=rows_checksum(queries.rows),
        queries=asked_for.model_dump(mode="json", exclude_defaults=True, exclude={"data_dir"}) if asked_for else None,
        n_rows=len(queries.rows),
        n_trials=config.n_trials,
        in_domain=name in config.in_domain,
        template=template.name if template else None,
        prompt=template.render("{query}") if template else None,
    )


def rows_checksum(rows: Sequence[str]) -> str:
    """16 hex digits over the query ids of all rows, which are hashes of their text and reference."""
    return hashlib.blake2b("\0".join(rows).encode(), digest_size=8).hexdigest()


def write_record(folder: Path, record: EvaluationRecord) -> None:
    """Write `evaluation.json`, whole or not at all. Raises WriteError."""
    document = {"schema_version": SCHEMA_VERSION, **asdict(record)}
    write_text(folder / FILE, json.dumps(document, indent=1) + "\n")


def read_record(folder: Path) -> EvaluationRecord:
    """What `write_record` wrote. Raises PoolError if it is missing, malformed or of another schema version."""
    path = folder / FILE
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise PoolError(
            f"{folder}: not an evaluation ({FILE} is missing); expected a folder made by 'dartune evaluate'"
        ) from None
    except (OSError, ValueError) as error:
        raise PoolError(f"{path}: expected a JSON object ({error}); run the evaluation again to write it") from None
    if not isinstance(document, dict):
        raise PoolError(f"{path}: expected a JSON object, got {type(document).__name__}; run the evaluation again")
    version = document.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise PoolError(f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version!r}; run the evaluation again")
    try:
        return _RECORD.validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise PoolError(f"{path}: {field}: {first['msg']}, got {first['input']!r:.80}") from None
