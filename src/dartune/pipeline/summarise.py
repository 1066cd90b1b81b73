"""From what a run left in its folder to the numbers of its summary."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import pyarrow as pa
import pyarrow.compute as pc

from dartune.analysis.collect import evaluation_summary, method_summary
from dartune.analysis.summary import EvaluationSummary, HardExample, MethodSummary, PoolSummary, RunSummary
from dartune.config import MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.curation.process import load_check
from dartune.evaluation.run import scored_rows
from dartune.pipeline.curated import curation_summary, read_omissions, read_tallies
from dartune.pipeline.stages import Run
from dartune.pool import OutcomeTable, Tries, iter_samples, read_outcomes, read_spending
from dartune.pool.outcomes import CORRECT, FAILED, INCORRECT
from dartune.recipes import recipe_hash, recipe_toml
from dartune.types import Difficulty, Query
from dartune.versions import installed_versions

_VERSIONED = ("torch", "transformers", "trl", "math-verify", "pyarrow", "numpy")
_N_HARD_EXAMPLES = 6


def summarise(run: Run) -> RunSummary:
    """The summary of a run whose stages are done."""
    recipe, folder = run.recipe, run.folder
    queries = run.queries().queries
    outcomes = read_outcomes(folder.pool)
    timings = folder.read_timings()
    return RunSummary(
        name=recipe.name,
        seed=recipe.seed,
        recipe_hash=recipe_hash(recipe),
        recipe=recipe_toml(recipe),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=installed_versions(_VERSIONED),
        queries=recipe.queries.source,
        sampled_model=getattr(recipe.engine, "model", recipe.engine.name),
        student=recipe.training.model if recipe.training else None,
        pool=_pool_summary(run, outcomes, timings.get("sample", 0.0)),
        methods=tuple(_method_summary(run, name) for name in recipe.methods),
        curation=curation_summary(recipe.curation, folder, next(iter(recipe.methods))),
        evaluations=tuple(_evaluations(run)),
        hard_examples=tuple(_hard_examples(run, queries, outcomes)),
        timings=timings,
    )


def describe_policy(method: MethodConfig) -> str:
    """A method's policy in words."""
    match method:
        case VanillaMethod():
            words = f"{method.n_trials} tries for every query"
        case UniformMethod():
            words = f"until {method.k} are correct, at most {method.max_trials} tries"
        case Prop2DiffMethod():
            power = "the fail rate" if method.alpha == 1 else f"the fail rate to the power {method.alpha:g}"
            words = (
                f"correct responses in proportion to {power}, {method.k:g} for the hardest query and at least "
                f"{method.cover}, at most {method.max_trials} tries; fail rates from {method.n_pilot} tries"
            )
        case _:
            assert_never(method)
    if not isinstance(method, VanillaMethod) and method.give_up is not None:
        words += f"; given up below a chance of {method.give_up.below:g} and {method.give_up.min_yield:g} right per try"
    return words if method.equal_tokens_with is None else f"{words}; cut to the tokens of {method.equal_tokens_with}"


def _pool_summary(run: Run, outcomes: OutcomeTable, seconds: float) -> PoolSummary:
    return PoolSummary(
        n_queries=len(outcomes),
        n_raw=outcomes.count(CORRECT) + outcomes.count(INCORRECT),
        n_failures=outcomes.count(FAILED),
        raw_tokens=read_spending(run.folder.pool).n_tokens,
        seconds_sampling=seconds,
    )


def _method_summary(run: Run, name: str) -> MethodSummary:
    folder = run.folder.sets / name
    words = describe_policy(run.recipe.methods[name])
    return method_summary(name, words, read_tallies(folder), read_omissions(folder))


def _evaluations(run: Run) -> list[EvaluationSummary]:
    if run.recipe.evaluation is None:
        return []
    benchmarks = run.benchmarks()
    in_domain = run.recipe.evaluation.in_domain
    return [
        evaluation_summary(model, benchmark, in_domain=benchmark in in_domain, rows=rows)
        for model in run.evaluated
        for benchmark, rows in scored_rows(run.folder.evaluation(model, run.recipe.seed), benchmarks).items()
    ]


def _hard_examples(run: Run, queries: Sequence[Query], outcomes: OutcomeTable) -> list[HardExample]:
    """The first right answers to the queries that fail most and were solved at all."""
    rates = {query.id: _difficulty(outcomes.get(query.id)) for query in queries}
    solved = [query for query in queries if rates[query.id].n_correct > 0]
    hardest = sorted(solved, key=lambda q: (-rates[q.id].fail_rate, q.id))[:_N_HARD_EXAMPLES]
    first_right = _first_right(run.folder.pool, [query.id for query in hardest])
    process = run.recipe.curation.process
    is_sound = load_check(process, hardest) if process else None
    return [
        HardExample(
            query=query.text,
            level=query.level,
            ref_answer=query.ref_answer,
            fail_rate=rates[query.id].fail_rate,
            n_trials=rates[query.id].n_trials,
            response=first_right[query.id],
            is_sound=is_sound(query.id, first_right[query.id]) if is_sound else None,
        )
        for query in hardest
    ]


def _first_right(pool: Path, query_ids: Sequence[str]) -> dict[str, str]:
    """The correct response with the lowest trial of each of some queries."""
    wanted = pa.array(query_ids, pa.string())
    found: dict[str, tuple[int, str]] = {}
    for batch in iter_samples(pool, ["query_id", "trial", "response", "verdict"]):
        is_right = pc.equal(batch["verdict"].dictionary_decode(), "correct")
        is_wanted = pc.is_in(batch["query_id"].dictionary_decode(), value_set=wanted)
        for row in batch.filter(pc.and_(is_wanted, is_right)).to_pylist():
            first = (row["trial"], row["response"])
            found[row["query_id"]] = min(first, found.get(row["query_id"], first))
    return {query_id: response for query_id, (_, response) in found.items()}


def _difficulty(tries: Tries | None) -> Difficulty:
    if tries is None:
        return Difficulty(n_trials=0, n_correct=0)
    return Difficulty(n_trials=len(tries) - tries.n_failures, n_correct=tries.n_correct)
