"""What a training set says of itself: where it came from and what is in it, level by level."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dartune import __version__
from dartune.curation.choose import Choice
from dartune.curation.contamination import BenchmarkOverlap, count_overlaps, dropped_queries
from dartune.curation.content import QuerySums, TrainingSet
from dartune.curation.job import CurationJob
from dartune.decontamination import Match

SCHEMA_VERSION = 2
FILE_NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCount:
    """The part of a set that belongs to queries of one level."""

    level: int | None
    n_queries: int
    n_covered: int
    """Queries with at least one example."""
    n_examples: int
    response_tokens: int
    n_correct: int
    """Correct responses in the tries that the method made."""
    n_unsound: int
    """Of these, those that the check of the process found fault with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManifest:
    """One training set in numbers."""

    method: str
    policy: dict[str, object]
    """The method's settings in the recipe."""
    pool_hash: str
    """Hash of every sample in the pool, whatever the order of arrival."""
    settings_hash: str
    """Hash of the queries, methods, curation settings, template and seed. Equal hashes mean equal sets."""
    n_examples: int
    n_missing: int
    """Examples fewer than the recipe's `n_examples` asks for."""
    n_missing_tokens: int
    """Response tokens fewer than `n_tokens` or the set whose tokens this one was to match, where all that there is was
    not enough."""
    n_unfinished: int
    """Queries that sampling has not brought to their target or their cap yet."""
    n_duplicates: int
    """Correct responses left out because an earlier one reads the same."""
    n_near_duplicates: int
    """Others left out because an earlier one reads nearly the same."""
    n_unsound: int
    """Correct responses that the check of the process found fault with; left out unless the recipe says otherwise."""
    overlaps: tuple[BenchmarkOverlap, ...]
    """Queries that a benchmark asks too, by benchmark."""
    n_contaminated: int
    """Queries that any benchmark asks too."""
    n_dropped_queries: int
    """Queries left out for that, with all their responses."""
    n_prompts: int
    """Queries given to trainers that sample for themselves; 0 where the recipe asks for none."""
    response_tokens: int
    """Completion tokens, by the sampled model's tokenizer."""
    prompt_tokens: int
    levels: tuple[LevelCount, ...]
    template: str
    seed: int
    schema_version: int = SCHEMA_VERSION
    dartune_version: str = __version__


def build_manifest(name: str, content: TrainingSet, *, pool_hash: str, wanted_tokens: int | None) -> SetManifest:
    """Count what was chosen; `wanted_tokens` are those that it was cut to, if any."""
    job, choices, examples = content.job, content.choices.values(), content.examples
    response_tokens = int(examples.n_tokens.sum(dtype=np.int64))
    wanted = job.config.n_examples if wanted_tokens is None else None
    is_all = len(examples) == sum(len(choice.trials) for choice in choices)
    return SetManifest(
        method=name,
        policy=job.methods[name].model_dump(mode="json"),
        pool_hash=pool_hash,
        settings_hash=settings_hash(name, job, content.matches),
        n_examples=len(examples),
        n_missing=max(0, (wanted or 0) - len(examples)),
        n_missing_tokens=max(0, (wanted_tokens or 0) - response_tokens) if is_all else 0,
        n_unfinished=sum(not choice.is_finished for choice in choices),
        n_duplicates=sum(choice.n_duplicates for choice in choices),
        n_near_duplicates=sum(choice.n_near_duplicates for choice in choices),
        n_unsound=sum(choice.n_unsound for choice in choices),
        overlaps=count_overlaps(job, content.matches),
        n_contaminated=len({match.query.id for match in content.matches}),
        n_dropped_queries=len(dropped_queries(job, content.matches)),
        n_prompts=len(content.prompts),
        response_tokens=response_tokens,
        prompt_tokens=int(content.texts.n_prompt_tokens.sum(dtype=np.int64)),
        levels=_levels(job, content.sums(), list(choices)),
        template=job.template.name,
        seed=job.seed,
    )


def _levels(job: CurationJob, sums: QuerySums, choices: Sequence[Choice]) -> tuple[LevelCount, ...]:
    places: dict[int | None, list[int]] = {}
    for place, query in enumerate(job.queries):
        places.setdefault(query.level, []).append(place)
    return tuple(
        LevelCount(
            level=level,
            n_queries=len(of_level),
            n_covered=int(np.count_nonzero(sums.n_examples[of_level])),
            n_examples=int(sums.n_examples[of_level].sum()),
            response_tokens=int(sums.response_tokens[of_level].sum()),
            n_correct=sum(choices[place].cost.n_correct for place in of_level),
            n_unsound=sum(choices[place].n_unsound for place in of_level),
        )
        for level, of_level in sorted(places.items(), key=lambda item: (item[0] is None, item[0] or 0))
    )


def settings_hash(name: str, job: CurationJob, matches: Sequence[Match]) -> str:
    """Hash of everything beside the pool that decides a method's set."""
    parts = {
        "method": name,
        "methods": {n: method.model_dump() for n, method in job.methods.items()},
        "config": job.config.model_dump(),
        "template": job.template.name,
        "seed": job.seed,
        "benchmarks": {name: len(problems) for name, problems in job.benchmarks.items()},
        "matches": [(match.query.id, match.benchmark, match.asked.id) for match in matches],
    }
    digest = hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16)
    for query in job.queries:
        # The prompt itself: a template's name says nothing of the chat template behind it.
        row = (query.id, query.level, query.domain, job.template.render(query.text))
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def current_manifest(folder: Path, *, pool_hash: str, settings_hash: str) -> SetManifest | None:
    """The manifest of the set in `folder` if it is complete and was made from the same pool and settings, else None."""
    try:
        stored = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(stored, dict):
        return None
    wanted = {"pool_hash": pool_hash, "settings_hash": settings_hash, "schema_version": SCHEMA_VERSION}
    if any(stored.get(key) != value for key, value in wanted.items()):
        return None
    levels = tuple(LevelCount(**level) for level in stored.pop("levels"))
    overlaps = tuple(BenchmarkOverlap(**overlap) for overlap in stored.pop("overlaps"))
    return SetManifest(**stored, levels=levels, overlaps=overlaps)
