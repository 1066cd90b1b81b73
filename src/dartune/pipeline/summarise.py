"""From what a run left in its folder to the numbers of its summary."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import assert_never

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dartune import __version__
from dartune.analysis.collect import QueryTally, evaluation_summary, method_summary
from dartune.analysis.summary import EvaluationSummary, HardExample, MethodSummary, PoolSummary, RunSummary
from dartune.config import MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.evaluation.run import scored_rows
from dartune.pipeline.stages import Run
from dartune.pool import read_outcomes, read_samples
from dartune.recipes import recipe_hash, recipe_toml
from dartune.types import Difficulty, Outcomes, Query, Target

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
        versions=_versions(),
        queries=recipe.queries.source,
        sampled_model=getattr(recipe.engine, "model", recipe.engine.name),
        student=recipe.training.model if recipe.training else None,
        pool=_pool_summary(run, outcomes, timings.get("sample", 0.0)),
        methods=tuple(_method_summary(run, name) for name in recipe.methods),
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
    return words if method.equal_tokens_with is None else f"{words}; cut to the tokens of {method.equal_tokens_with}"


def _pool_summary(run: Run, outcomes: Outcomes, seconds: float) -> PoolSummary:
    tokens = read_samples(run.folder.pool, ["n_tokens"]).column("n_tokens")
    recorded = [outcome for tries in outcomes.values() for outcome in tries.values()]
    return PoolSummary(
        n_queries=len(outcomes),
        n_raw=sum(outcome is not None for outcome in recorded),
        n_failures=sum(outcome is None for outcome in recorded),
        raw_tokens=pc.sum(tokens).as_py() or 0,
        seconds_sampling=seconds,
    )


def _method_summary(run: Run, name: str) -> MethodSummary:
    rows = pq.read_table(run.folder.sets / name / "queries.parquet").to_pylist()
    tallies = [
        QueryTally(
            level=row["level"],
            target=Target(n_correct=row["target"], max_trials=row["max_trials"]),
            difficulty=Difficulty(n_trials=row["n_raw"], n_correct=row["n_correct"]),
            raw_tokens=row["raw_tokens"],
            n_examples=row["n_examples"],
            response_tokens=row["response_tokens"],
            prompt_tokens=row["prompt_tokens"],
        )
        for row in rows
    ]
    return method_summary(name, describe_policy(run.recipe.methods[name]), tallies)


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


def _hard_examples(run: Run, queries: Sequence[Query], outcomes: Outcomes) -> list[HardExample]:
    """The first right answers to the queries that fail most and were solved at all."""
    rates = {query.id: _difficulty(outcomes.get(query.id, {})) for query in queries}
    solved = [query for query in queries if rates[query.id].n_correct > 0]
    hardest = sorted(solved, key=lambda q: (-rates[q.id].fail_rate, q.id))[:_N_HARD_EXAMPLES]
    wanted = [query.id for query in hardest]
    table = read_samples(run.folder.pool, ["query_id", "trial", "response", "verdict"])
    is_right = pc.equal(table["verdict"].cast(pa.string()), "correct")
    is_hard = pc.is_in(table["query_id"], value_set=pa.array(wanted, pa.string()))
    rights = sorted(table.filter(pc.and_(is_hard, is_right)).to_pylist(), key=lambda row: -row["trial"])
    first_right = {row["query_id"]: row["response"] for row in rights}
    return [
        HardExample(
            query=query.text,
            level=query.level,
            ref_answer=query.ref_answer,
            fail_rate=rates[query.id].fail_rate,
            n_trials=rates[query.id].n_trials,
            response=first_right[query.id],
        )
        for query in hardest
    ]


def _difficulty(tries: Mapping[int, bool | None]) -> Difficulty:
    graded = [outcome for outcome in tries.values() if outcome is not None]
    return Difficulty(n_trials=len(graded), n_correct=sum(graded))


def _versions() -> dict[str, str]:
    versions = {"dartune": __version__, "python": platform.python_version()}
    for package in _VERSIONED:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
