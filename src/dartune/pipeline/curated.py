"""What the training sets of a run say of themselves, read back for its summary."""

import json
from collections.abc import Iterator
from heapq import nsmallest
from pathlib import Path

import pyarrow.parquet as pq
from pydantic import TypeAdapter

from dartune.analysis.collect import QueryTally
from dartune.analysis.curated import (
    BenchmarkMatches,
    Contamination,
    CurationSummary,
    MatchedPair,
    Omissions,
    ProcessCheck,
    UnsoundLevel,
)
from dartune.config import CurationConfig
from dartune.curation import SetManifest
from dartune.curation.contamination import FILE_NAME as CONTAMINATION
from dartune.curation.manifest import FILE_NAME as MANIFEST
from dartune.pipeline.folder import RunFolder
from dartune.types import Difficulty, Target

N_PAIRS = 12
"""Pairs of a query and a benchmark's problem that a summary holds; the set's folder holds all."""

_MANIFEST = TypeAdapter(SetManifest)


def read_tallies(folder: Path) -> list[QueryTally]:
    """Every query as the method of the set in `folder` treats it."""
    return [
        QueryTally(
            level=row["level"],
            target=Target(n_correct=row["target"], max_trials=row["max_trials"], min_trials=row["min_trials"]),
            difficulty=Difficulty(n_trials=row["n_raw"], n_correct=row["n_correct"]),
            raw_tokens=row["raw_tokens"],
            n_examples=row["n_examples"],
            response_tokens=row["response_tokens"],
            prompt_tokens=row["prompt_tokens"],
        )
        for row in pq.read_table(folder / "queries.parquet").to_pylist()
    ]


def read_omissions(folder: Path) -> Omissions:
    """What was left out of the set in `folder`, and what it lacks."""
    manifest = _read_manifest(folder)
    return Omissions(
        n_duplicates=manifest.n_duplicates,
        n_near_duplicates=manifest.n_near_duplicates,
        n_unsound=manifest.n_unsound,
        n_dropped_queries=manifest.n_dropped_queries,
        n_missing=manifest.n_missing,
        n_missing_tokens=manifest.n_missing_tokens,
        n_unfinished=manifest.n_unfinished,
        levels=tuple(
            UnsoundLevel(level=level.level, n_correct=level.n_correct, n_unsound=level.n_unsound)
            for level in manifest.levels
        ),
    )


def curation_summary(config: CurationConfig, folder: RunFolder, method: str) -> CurationSummary:
    """What was looked for in the sets of a run, and which queries a benchmark asks too.

    That is the same for all methods: it is read from the set of `method`.
    """
    process = config.process
    return CurationSummary(
        process=ProcessCheck(check=process.check, action=process.action) if process else None,
        contamination=_contamination(config, folder, method),
    )


def _contamination(config: CurationConfig, folder: RunFolder, method: str) -> Contamination | None:
    looked = config.decontamination
    if looked.action == "off":
        return None
    manifest = _read_manifest(folder.sets / method)
    path = folder.sets / method / CONTAMINATION
    return Contamination(
        action=looked.action,
        n=looked.n,
        min_overlap=looked.min_overlap,
        same_numbers=looked.same_numbers,
        benchmarks=tuple(
            BenchmarkMatches(
                benchmark=overlap.benchmark,
                n_problems=overlap.n_problems,
                n_exact=overlap.n_exact,
                n_ngram=overlap.n_ngram,
                n_queries=overlap.n_queries,
            )
            for overlap in manifest.overlaps
        ),
        n_queries=manifest.n_contaminated,
        n_pairs=sum(overlap.n_exact + overlap.n_ngram for overlap in manifest.overlaps),
        pairs=tuple(nsmallest(N_PAIRS, _read_pairs(path), key=lambda pair: (pair.kind == "exact", pair.overlap))),
        file=path.relative_to(folder.path).as_posix(),
    )


def _read_pairs(path: Path) -> Iterator[MatchedPair]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield MatchedPair(
                query=row["query"],
                benchmark=row["benchmark"],
                benchmark_query=row["benchmark_query"],
                kind=row["kind"],
                overlap=row["overlap"],
            )


def _read_manifest(folder: Path) -> SetManifest:
    return _MANIFEST.validate_json((folder / MANIFEST).read_bytes())
