"""A recipe over seeds and variants: every cell is an ordinary run in a folder of its own."""

from datetime import UTC, datetime
from pathlib import Path

from dartune.analysis.report import write_report
from dartune.analysis.study import StudyRun, study
from dartune.analysis.summary import RunSummary, StudySummary, read_summary, write_summary
from dartune.config import Recipe, VanillaMethod
from dartune.errors import DataError
from dartune.files import write_text
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.processes import Task, run_tasks
from dartune.pipeline.run import Observer, default_jobs
from dartune.pipeline.stages import Run
from dartune.recipes import change_recipe, recipe_toml


def study_cells(recipe: Recipe) -> list[tuple[str, Recipe]]:
    """(variant, recipe of the run) for every variant and seed of a study's recipe."""
    assert recipe.study is not None
    return [
        (variant, change_recipe(recipe, {**changes, "seed": seed, "name": f"{variant}-{seed}", "study": None}))
        for variant, changes in recipe.study.variants.items()
        for seed in recipe.study.seeds
    ]


def run_study(recipe: Recipe, folder: RunFolder, observer: Observer, *, n_jobs: int | None = None) -> StudySummary:
    """Run every cell that is not done, `n_jobs` at a time, and gather their summaries. Resumes as runs do."""
    cells = study_cells(recipe)
    for _, cell in cells:
        Run(recipe=cell, folder=folder).check()
    folder.claim(recipe)
    tasks = []
    for _, cell in cells:
        path = folder.path / f"{cell.name}.toml"
        write_text(path, recipe_toml(cell))
        command = ["run", str(path), "--out", str(folder.path / cell.name), "--jobs", "1"]
        tasks.append(Task(name=cell.name, commands=[command], log=folder.log(cell.name)))
    observer.announce(f"study of {len(tasks)} runs")
    run_tasks(tasks, n_at_once=n_jobs or default_jobs(recipe), announce=observer.announce)
    runs = [
        StudyRun(variant=variant, path=cell.name, summary=_run_summary(folder.path / cell.name))
        for variant, cell in cells
    ]
    baselines = tuple(name for name, method in recipe.methods.items() if isinstance(method, VanillaMethod))
    summary = study(recipe.name, datetime.now(UTC).isoformat(timespec="seconds"), runs, baselines)
    write_summary(summary, folder.summary)
    write_report(summary, folder.report)
    return summary


def _run_summary(folder: Path) -> RunSummary:
    summary = read_summary(RunFolder(path=folder).summary)
    if not isinstance(summary, RunSummary):
        raise DataError(
            f"{folder}: expected the summary of a run, got that of a study; delete the folder and run again"
        )
    return summary
