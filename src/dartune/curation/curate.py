"""From a pool to training sets: one for each method of a recipe, each with its manifest."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dartune.config import MethodConfig
from dartune.curation.choose import Candidate, Choice, choose_for_query, cut_to_examples, cut_to_tokens
from dartune.curation.export import TrainingSet, write_set
from dartune.curation.job import CurationJob
from dartune.curation.manifest import SetManifest, build_manifest, current_manifest
from dartune.errors import ConfigError, DataError
from dartune.methods import method_targets
from dartune.pool import read_samples
from dartune.types import Key, Outcomes

_COLUMNS = ["query_id", "trial", "response", "n_prompt_tokens", "n_tokens", "verdict", "failure"]


def curate(pool: Path, job: CurationJob, *, out: Path) -> dict[str, SetManifest]:
    """Write the training set of every method of `job` to `out`/<method>; return their manifests.

    A set that is there already, made from the same pool by the same settings, is left as it is. Raises DataError if a
    method would get no example at all, ConfigError if methods match their tokens in a circle.
    """
    candidates = _read_candidates(pool)
    outcomes = {query_id: {c.key.trial: c.is_correct for c in tries} for query_id, tries in candidates.items()}
    pool_hash = _pool_hash(candidates)
    manifests: dict[str, SetManifest] = {}
    for name in curation_order(job.methods):
        folder = out / name
        if (current := current_manifest(folder, name, job, pool_hash)) is not None:
            manifests[name] = current
            continue
        choices = _choose(job, name, candidates, outcomes)
        reference = job.methods[name].equal_tokens_with
        wanted_tokens = None if reference is None else manifests[reference].response_tokens
        chosen = _cut(job, choices, wanted_tokens)
        if not chosen:
            raise DataError(
                f"{pool}: no correct response for method {name!r}, so its training set would be empty; "
                "sample more, or look at the verdicts with 'dartune pool show'"
            )
        manifest = build_manifest(name, job, choices, chosen, pool_hash=pool_hash, wanted_tokens=wanted_tokens)
        write_set(
            folder, TrainingSet(queries=job.queries, template=job.template, choices=choices, chosen=chosen), manifest
        )
        manifests[name] = manifest
    return {name: manifests[name] for name in job.methods}


def _choose(
    job: CurationJob, name: str, candidates: Mapping[str, list[Candidate]], outcomes: Outcomes
) -> dict[str, Choice]:
    ids = [query.id for query in job.queries]
    targets = method_targets(job.methods[name], ids, outcomes)
    return {
        query_id: choose_for_query(candidates.get(query_id, []), target, deduplicate=job.config.deduplicate)
        for query_id, target in zip(ids, targets, strict=True)
    }


def _cut(job: CurationJob, choices: Mapping[str, Choice], wanted_tokens: int | None) -> list[Candidate]:
    if wanted_tokens is not None:
        return cut_to_tokens(choices, wanted_tokens, seed=job.seed)
    n_all = sum(len(choice.chosen) for choice in choices.values())
    return cut_to_examples(choices, job.config.n_examples or n_all, seed=job.seed)


def curation_order(methods: Mapping[str, MethodConfig]) -> list[str]:
    """Names with every method after the one whose tokens it matches. Raises ConfigError where that cannot be."""
    ordered: list[str] = []
    waiting = dict(methods)
    while waiting:
        ready = [n for n, m in waiting.items() if m.equal_tokens_with is None or m.equal_tokens_with in ordered]
        if not ready:
            name, method = next(iter(waiting.items()))
            raise ConfigError(
                f"methods.{name}.equal_tokens_with: expected another method of this recipe that does not itself "
                f"depend on {name!r}, got {method.equal_tokens_with!r}"
            )
        ordered.extend(ready)
        for name in ready:
            del waiting[name]
    return ordered


def _read_candidates(pool: Path) -> dict[str, list[Candidate]]:
    """Every try of every query, in trial order. Only correct responses keep their text: most of a pool is wrong."""
    table = read_samples(pool, _COLUMNS)
    is_correct = pc.equal(table["verdict"].cast(pa.string()), "correct").fill_null(False)
    texts = pc.if_else(is_correct, table["response"], "")
    columns = [table[name].to_pylist() for name in ("query_id", "trial", "n_prompt_tokens", "n_tokens", "failure")]
    tries: defaultdict[str, list[Candidate]] = defaultdict(list)
    for query_id, trial, n_prompt, n_tokens, failure, is_right, text in zip(
        *columns, is_correct.to_pylist(), texts.to_pylist(), strict=True
    ):
        tries[query_id].append(
            Candidate(
                key=Key(query_id, trial),
                is_correct=None if failure is not None else is_right,
                text=text or "",
                n_tokens=n_tokens or 0,
                n_prompt_tokens=n_prompt or 0,
            )
        )
    for candidates in tries.values():
        candidates.sort(key=lambda candidate: candidate.key.trial)
    return tries


def _pool_hash(candidates: Mapping[str, list[Candidate]]) -> str:
    """Hash of all that the choice can depend on, whatever the order of arrival."""
    digest = hashlib.blake2b(digest_size=16)
    for query_id in sorted(candidates):
        for c in candidates[query_id]:
            digest.update(f"{query_id}\0{c.key.trial}\0{c.is_correct}\0{c.n_tokens}\0".encode())
            digest.update(c.text.encode("utf-8", "replace"))
    return digest.hexdigest()
