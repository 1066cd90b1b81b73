"""From a pool to training sets: one for each method of a recipe, each with its manifest."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from dartune.config import CurationConfig, MethodConfig
from dartune.curation.choose import Choice, Examples, choose_for_query, cut_to_examples, cut_to_tokens
from dartune.curation.contamination import dropped_queries, find_contamination
from dartune.curation.content import TrainingSet
from dartune.curation.export import write_set
from dartune.curation.histories import Histories, Wanted, read_histories, read_texts
from dartune.curation.job import CurationJob
from dartune.curation.manifest import SetManifest, build_manifest, current_manifest, settings_hash
from dartune.curation.process import load_check
from dartune.curation.rl import choose_prompts
from dartune.errors import ConfigError, DataError
from dartune.methods import method_targets


def curate(pool: Path, job: CurationJob, *, out: Path) -> dict[str, SetManifest]:
    """Write the training set of every method of `job` to `out`/<method>; return their manifests.

    A set that is there already, made from the same pool by the same settings, is left as it is. Memory is bounded by
    the largest of the sets, whatever the size of the pool. Raises DataError if a method would get no example at all,
    ConfigError if methods match their tokens in a circle.
    """
    order = curation_order(job.methods)
    matches = find_contamination(job)
    dropped = dropped_queries(job, matches)
    histories = read_histories(pool, _wanted(job))
    manifests: dict[str, SetManifest] = {}
    for name in order:
        folder = out / name
        current = current_manifest(
            folder, pool_hash=histories.pool_hash, settings_hash=settings_hash(name, job, matches)
        )
        if current is not None:
            manifests[name] = current
            continue
        choices = _without(dropped, _choose(job, name, histories))
        reference = job.methods[name].equal_tokens_with
        wanted_tokens = job.config.n_tokens if reference is None else manifests[reference].response_tokens
        examples = _cut(job, choices, wanted_tokens)
        if not len(examples):
            raise _empty(pool, name, job.config, n_queries=len(choices), n_dropped=len(dropped))
        content = TrainingSet(
            job=job,
            choices=choices,
            examples=examples,
            texts=read_texts(pool, histories.outcomes, list(choices), examples),
            matches=matches,
            prompts=choose_prompts(job, choices, dropped),
        )
        manifests[name] = build_manifest(name, content, pool_hash=histories.pool_hash, wanted_tokens=wanted_tokens)
        write_set(folder, content, manifests[name])
    return {name: manifests[name] for name in job.methods}


def _wanted(job: CurationJob) -> Wanted:
    config = job.config
    return Wanted(
        teachers=config.teachers,
        is_sound=load_check(config.process, job.queries) if config.process else None,
        drops_unsound=config.process is not None and config.process.action == "drop",
        sketches=config.pick == "diverse",
    )


def _choose(job: CurationJob, name: str, histories: Histories) -> dict[str, Choice]:
    ids = [query.id for query in job.queries]
    targets = method_targets(job.methods[name], ids, histories.outcomes)
    return {
        query_id: choose_for_query(histories.of(query_id), target, job.config)
        for query_id, target in zip(ids, targets, strict=True)
    }


def _without(dropped: Collection[str], choices: Mapping[str, Choice]) -> dict[str, Choice]:
    """The choices with nothing taken from the dropped queries; what those cost stays counted."""
    return {
        query_id: replace(choice, trials=choice.trials[:0], n_tokens=choice.n_tokens[:0])
        if query_id in dropped
        else choice
        for query_id, choice in choices.items()
    }


def _empty(pool: Path, name: str, config: CurationConfig, *, n_queries: int, n_dropped: int) -> DataError:
    if config.n_tokens is not None:
        return DataError(
            f"{pool}: the training set of method {name!r} would be empty: no example has {config.n_tokens} response "
            "tokens or fewer, or there is none; raise curation.n_tokens, or look at 'dartune pool show'"
        )
    if n_dropped:
        return DataError(
            f"{pool}: the training set of method {name!r} would be empty: {n_dropped} of its {n_queries} queries are "
            "asked by a benchmark; take other queries, or see curation.decontamination"
        )
    by_whom = f" by {' or '.join(config.teachers)}" if config.teachers else ""
    return DataError(
        f"{pool}: no correct response{by_whom} for method {name!r}, so its training set would be empty; "
        "sample more, or look at the verdicts with 'dartune pool show'"
    )


def _cut(job: CurationJob, choices: Mapping[str, Choice], wanted_tokens: int | None) -> Examples:
    if wanted_tokens is not None:
        return cut_to_tokens(choices, wanted_tokens, seed=job.seed)
    return cut_to_examples(choices, job.config.n_examples, seed=job.seed)


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
