"""The whole loop: sample, curate, train, evaluate, summarise, report. Run again, it goes on where it stopped."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from dartune.analysis.report import write_report
from dartune.analysis.summary import RunSummary, write_summary
from dartune.config import Recipe
from dartune.curation import SetManifest
from dartune.errors import Interrupted
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.processes import Task, run_tasks
from dartune.pipeline.stages import Run
from dartune.pipeline.summarise import summarise
from dartune.sampling.run import Watcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Who is told what happens."""

    announce: Callable[[str], None]
    """Gets a line when a stage starts or a job ends."""
    watching: Callable[[], AbstractContextManager[Watcher | None]] = nullcontext
    """Opens a watcher for as long as sampling goes on."""


def run_recipe(recipe: Recipe, folder: RunFolder, observer: Observer, *, n_jobs: int | None = None) -> RunSummary:
    """Bring a run to its report, doing only what is not done yet.

    `n_jobs` models are trained and evaluated at a time; None: as many as the recipe's threads leave cores for.
    Raises Interrupted after Ctrl-C, or the error of the stage that failed; what was done stays done.
    """
    run = Run(recipe=recipe, folder=folder)
    run.check()
    folder.claim(recipe)
    with observer.watching() as watch:
        observer.announce("sampling")
        report = run.sample(watch)
    if report.is_interrupted:
        raise Interrupted(
            f"stopped while sampling; everything graded is in {folder.pool}; run the same command to go on"
        )
    with _stage(folder, "curate"):
        for manifest in run.curate().values():
            observer.announce(f"set {describe_set(manifest)}")
    if run.students or run.evaluated:
        with _stage(folder, "train and evaluate"):
            tasks = _model_tasks(run)
            observer.announce(f"{', '.join(task.name for task in tasks)}; progress in {tasks[0].log.parent}")
            run_tasks(tasks, n_at_once=n_jobs or default_jobs(recipe), announce=observer.announce)
    summary = summarise(run)
    write_summary(summary, folder.summary)
    write_report(summary, folder.report)
    return summary


def describe_set(manifest: SetManifest) -> str:
    """A set's size in a line, with whatever it lacks."""
    lacks = {
        "examples missing": manifest.n_missing,
        "response tokens missing": manifest.n_missing_tokens,
        "queries not yet sampled to their end": manifest.n_unfinished,
        "duplicates left out": manifest.n_duplicates,
        "near duplicates left out": manifest.n_near_duplicates,
        "queries left out that a benchmark asks too": manifest.n_dropped_queries,
        "right answers by a false step": manifest.n_unsound,
    }
    size = f"{manifest.method}: {manifest.n_examples:,} examples, {manifest.response_tokens:,} response tokens"
    return "; ".join([size, *(f"{what}: {n:,}" for what, n in lacks.items() if n)])


def default_jobs(recipe: Recipe) -> int:
    """Models that this machine trains at a time: one for each `n_threads` cores, one alone where that is not set."""
    n_threads = recipe.training.n_threads if recipe.training else None
    return max(1, (os.cpu_count() or 1) // n_threads) if n_threads else 1


def _model_tasks(run: Run) -> list[Task]:
    """For every model of the run, training (if it is trained) and then evaluation, each in a process of its own."""
    tasks = []
    for model in dict.fromkeys([*run.students, *run.evaluated]):
        stages = ["train"] * (model in run.students) + ["evaluate"] * (model in run.evaluated)
        commands = [[stage, str(run.folder.recipe), "--out", str(run.folder.path), "--only", model] for stage in stages]
        tasks.append(Task(name=f"{' and '.join(stages)} {model}", commands=commands, log=run.folder.log(model)))
    return tasks


@contextmanager
def _stage(folder: RunFolder, name: str) -> Iterator[None]:
    """Count the seconds of a block that comes to its end towards a stage."""
    start = time.monotonic()
    yield
    folder.add_timing(name, time.monotonic() - start)
