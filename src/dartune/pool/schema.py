"""The pool's format on disk.

    pool/
      pool.json                          schema version, settings of the run that fills it
      queries.parquet                    every query ever asked
      shard-00000000-00000000.parquet    samples; shards N to M of the writer's sequence, merged

Invariants:
- A shard is written whole under another name, fsynced, and renamed; a file with a shard's name is complete.
- Shards never change. Merging writes one shard that spans several, then deletes them; a shard whose span lies inside
  another's is a leftover of an interrupted merge and is ignored.
- Shards are written in the order in which samples were counted, so that what is on disk after a crash is a state that
  the run was in.
- (query_id, trial) is unique over all shards.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dartune.types import Sample, SamplingParams

SCHEMA_VERSION = 1

_TAG = pa.dictionary(pa.int32(), pa.string())

SAMPLE_SCHEMA = pa.schema(
    [
        pa.field("query_id", pa.string(), nullable=False),
        pa.field("trial", pa.int32(), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("response", pa.string()),
        pa.field("finish_reason", _TAG),
        pa.field("n_prompt_tokens", pa.int32()),
        pa.field("n_tokens", pa.int32()),
        pa.field("sum_logprob", pa.float64()),
        pa.field("verdict", _TAG),
        pa.field("answer", pa.string()),
        pa.field("rule", _TAG),
        pa.field("failure", _TAG),
        pa.field("model", _TAG, nullable=False),
        pa.field("template", _TAG, nullable=False),
        pa.field("temperature", pa.float64(), nullable=False),
        pa.field("top_p", pa.float64(), nullable=False),
        pa.field("max_new_tokens", pa.int32(), nullable=False),
    ],
    metadata={"dartune_schema": str(SCHEMA_VERSION)},
)

QUERY_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("ref_answer", pa.string(), nullable=False),
        pa.field("level", pa.int32()),
        pa.field("domain", pa.string()),
        pa.field("source", pa.string()),
    ]
)

_SHARD_NAME = re.compile(r"shard-(\d{8})-(\d{8})\.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made the samples of one run: stored with each of them, and compared when a pool is opened again."""

    model: str
    template: str
    params: SamplingParams
    run_seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A shard file and the span of the writer's sequence that it holds."""

    path: Path
    first: int
    last: int


def shard_path(pool: Path, first: int, last: int) -> Path:
    """Path of the shard that spans `first` to `last`, both included."""
    return pool / f"shard-{first:08d}-{last:08d}.parquet"


def list_shards(pool: Path) -> list[Shard]:
    """The shards that count, in the order of writing; leftovers of an interrupted merge are left out."""
    found = [
        Shard(path=path, first=int(match[1]), last=int(match[2]))
        for path in pool.iterdir()
        if (match := _SHARD_NAME.fullmatch(path.name))
    ]
    live: list[Shard] = []
    for shard in sorted(found, key=lambda s: (s.first, -s.last)):
        if not live or shard.last > live[-1].last:
            live.append(shard)
    return live


def sample_columns(samples: list[Sample], provenance: Provenance) -> pa.Table:
    """Samples as a table of `SAMPLE_SCHEMA`."""
    responses = [s.response for s in samples]
    grades = [s.grade for s in samples]
    n = len(samples)
    columns = {
        "query_id": [s.key.query_id for s in samples],
        "trial": [s.key.trial for s in samples],
        "seed": [s.seed for s in samples],
        "response": [_storable(r.text) if r else None for r in responses],
        "finish_reason": [r.finish_reason if r else None for r in responses],
        "n_prompt_tokens": [r.n_prompt_tokens if r else None for r in responses],
        "n_tokens": [r.n_tokens if r else None for r in responses],
        "sum_logprob": [r.sum_logprob if r else None for r in responses],
        "verdict": [g.verdict if g else None for g in grades],
        "answer": [_storable(g.answer) if g and g.answer is not None else None for g in grades],
        "rule": [g.rule if g else None for g in grades],
        "failure": [s.failure for s in samples],
        "model": [provenance.model] * n,
        "template": [provenance.template] * n,
        "temperature": [provenance.params.temperature] * n,
        "top_p": [provenance.params.top_p] * n,
        "max_new_tokens": [provenance.params.max_new_tokens] * n,
    }
    return pa.table(columns, schema=SAMPLE_SCHEMA)


def _storable(text: str) -> str:
    # A lone surrogate, which a server's JSON may carry, cannot be written as UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")
