"""A recipe in rounds: what one has trained, the next one samples. Every round is an ordinary run in its own folder.

The first round is the recipe itself, all methods on one pool. From then on each method goes its own way: its run
samples the model that its last round trained, with the same seeds, so that rounds differ by the model alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from dartune.analysis.drawing.formats import count, percent
from dartune.analysis.report import write_report
from dartune.analysis.summary import RoundsSummary, RoundSummary, RunSummary, read_summary, write_summary
from dartune.config import Recipe, with_model
from dartune.curation.solutions import Solutions, distinct_solutions
from dartune.errors import DataError
from dartune.files import write_text
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.processes import Task, run_tasks
from dartune.pipeline.run import Observer, default_jobs
from dartune.pipeline.stages import BASE, TEACHER, Run
from dartune.recipes import change_recipe, recipe_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRun:
    """One run of a round."""

    round: int
    recipe: Recipe
    folder: RunFolder


def round_runs(recipe: Recipe, folder: RunFolder) -> list[list[RoundRun]]:
    """The runs of every round. Raises ConfigError if the engine cannot load the models that are trained."""
    first = change_recipe(recipe, {"name": "round-1", "rounds": 1})
    rounds = [[RoundRun(round=1, recipe=first, folder=RunFolder(path=folder.path / first.name))]]
    while len(rounds) < recipe.rounds:
        rounds.append([_next_run(run, method) for run in rounds[-1] for method in run.recipe.methods])
    return rounds


def _next_run(last: RoundRun, method: str) -> RoundRun:
    """A method's run in the round after `last`."""
    number, recipe = last.round + 1, last.recipe
    # Absolute: the run may be gone on with from elsewhere.
    model = last.folder.model(method, recipe.seed).absolute()
    changes: dict[str, object] = {
        "name": f"round-{number}-{method}",
        "engine": with_model(recipe.engine, str(model)).model_dump(mode="json", exclude_none=True),
        "prompt.template": recipe.prompt.student or recipe.prompt.template,
        "methods": {method: recipe.methods[method].model_dump(mode="json", exclude_none=True)},
    }
    if recipe.evaluation:
        # The first round has them.
        changes |= {"evaluation.include_base": False, "evaluation.include_teacher": False}
    later = change_recipe(recipe, changes)
    return RoundRun(round=number, recipe=later, folder=RunFolder(path=last.folder.path.with_name(later.name)))


def run_rounds(recipe: Recipe, folder: RunFolder, observer: Observer, *, n_jobs: int | None = None) -> RoundsSummary:
    """Bring every round to its end, one after the other, and gather what each came to. Resumes as runs do."""
    assert recipe.training is not None
    rounds = round_runs(recipe, folder)
    Run(recipe=rounds[0][0].recipe, folder=rounds[0][0].folder).check()
    folder.claim(recipe)
    found: dict[str, Solutions] = {}
    rows: list[RoundSummary] = []
    for runs in rounds:
        tasks = [_task(run, folder, alone=len(runs) == 1, n_jobs=n_jobs) for run in runs]
        names = ", ".join(task.name for task in tasks)
        observer.announce(f"round {runs[0].round} of {len(rounds)}: {names}; progress in {tasks[0].log.parent}")
        run_tasks(tasks, n_at_once=n_jobs or default_jobs(recipe), announce=observer.announce)
        for row in (row for run in runs for row in _round_rows(run, found)):
            rows.append(row)
            observer.announce(describe_round(row))
    first = _read(rounds[0][0].folder)
    summary = RoundsSummary(
        name=recipe.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        student=recipe.training.model,
        rounds=tuple(rows),
        references=tuple(row for row in first.evaluations if row.method in (BASE, TEACHER)),
    )
    write_summary(summary, folder.summary)
    write_report(summary, folder.report)
    return summary


def describe_round(row: RoundSummary) -> str:
    """What a round of one method came to, in a line."""
    return (
        f"round {row.round}, {row.method.name}: {percent(row.method.coverage)} % of the queries covered, "
        f"{percent(row.method.acceptance)} % of {count(row.method.n_raw)} tries accepted, "
        f"{count(row.n_distinct)} distinct solutions, {count(row.n_new)} of them new"
    )


def _task(run: RoundRun, folder: RunFolder, *, alone: bool, n_jobs: int | None) -> Task:
    path = folder.path / f"{run.recipe.name}.toml"
    write_text(path, recipe_toml(run.recipe))
    command = ["run", str(path), "--out", str(run.folder.path)]
    if not alone or n_jobs:
        command += ["--jobs", str(n_jobs if alone else 1)]
    return Task(name=run.recipe.name, commands=[command], log=folder.log(run.recipe.name))


def _round_rows(run: RoundRun, found: dict[str, Solutions]) -> Iterator[RoundSummary]:
    """A finished run, method by method; `found` holds the solutions of earlier rounds, and gets those of this one."""
    summary = _read(run.folder)
    query_ids = [query.id for query in Run(recipe=run.recipe, folder=run.folder).queries().queries]
    for method in summary.methods:
        solutions = distinct_solutions(run.folder.pool, run.recipe.methods[method.name], query_ids)
        before = found.get(method.name, solutions[:0])
        found[method.name] = np.union1d(before, solutions)
        yield RoundSummary(
            round=run.round,
            path=run.recipe.name,
            recipe_hash=summary.recipe_hash,
            sampled_model=summary.sampled_model,
            method=method,
            n_distinct=len(solutions),
            n_new=len(found[method.name]) - len(before),
            evaluations=tuple(row for row in summary.evaluations if row.method == method.name),
        )


def _read(folder: RunFolder) -> RunSummary:
    summary = read_summary(folder.summary)
    if not isinstance(summary, RunSummary):
        raise DataError(f"{folder.path}: expected the summary of a run, got another; delete the folder and run again")
    return summary
