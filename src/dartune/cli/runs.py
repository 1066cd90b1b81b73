"""Commands that work on a run: the whole loop, or one of its stages."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.console import complain, say
from dartune.errors import ConfigError, Interrupted

if TYPE_CHECKING:
    from dartune.analysis.summary import Summary
    from dartune.pipeline.stages import Run
    from dartune.sampling.job import SamplingReport

RecipeName = Annotated[str, typer.Argument(help="A TOML file, or the name of a packaged recipe.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of the run; runs/<name of the recipe> by default.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the recipe.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the recipe, the first prompt and the tries; ask nothing.")
]
PushTo = Annotated[
    str | None,
    typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Upload each set as the dataset NAME-<method>."),
]
Public = Annotated[bool, typer.Option("--public", help="Datasets that this makes on the hub are public.")]
Only = Annotated[str | None, typer.Option("--only", help="This model alone.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Models trained and evaluated at a time.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    for command in (demo, run, sample, curate, train, report):
        app.command()(command)


def demo(out: Out = None, sets: Sets = None, jobs: Jobs = None, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Run the whole method on the embedded world: offline, in minutes, on two cores."""
    from dartune.cli.extras import bring_demo_libraries

    bring_demo_libraries()
    run("demo", out, sets, jobs, as_json, quiet)


def run(
    recipe: RecipeName,
    out: Out = None,
    sets: Sets = None,
    jobs: Jobs = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
) -> None:
    """Run a recipe to its report; run it again to go on after an interruption."""
    from dartune.analysis.summary import to_json
    from dartune.cli.watching import watching
    from dartune.pipeline.rounds import run_rounds
    from dartune.pipeline.run import Observer, run_recipe
    from dartune.pipeline.study import run_study

    opened = _open(recipe, out, sets)
    if dry_run:
        return _show_plan(opened)
    announce = (lambda line: None) if quiet else complain
    observer = Observer(announce=announce, watching=partial(watching, is_quiet=quiet))
    work = run_study if opened.recipe.study else run_rounds if opened.recipe.rounds > 1 else run_recipe
    summary = work(opened.recipe, opened.folder, observer, n_jobs=jobs)
    if as_json:
        return say(to_json(summary))
    _print_tables(summary)
    say(f"report: {opened.folder.report}\nnumbers: {opened.folder.summary}")


def sample(
    recipe: RecipeName,
    out: Out = None,
    sets: Sets = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
) -> None:
    """Sample until every method of the recipe has what it asks for; run it again to go on."""
    from dartune.cli.watching import watching

    opened = open_run(recipe, out, sets)
    if dry_run:
        return _show_plan(opened)
    opened.check()
    opened.folder.claim(opened.recipe)
    with watching(is_quiet=quiet) as watch:
        done = opened.sample(watch)
    say(json.dumps(asdict(done)) if as_json else f"{_describe(done)}; pool: {opened.folder.pool}")
    if done.is_interrupted:
        raise Interrupted("stopped; everything graded is on the disk; run the same command to go on")


def _describe(done: "SamplingReport") -> str:
    cost = f" for {done.cost:,.2f}" if done.cost else ""
    return (
        f"{done.n_samples:,} samples, {done.n_correct:,} correct, {done.n_failures:,} failed, "
        f"{done.n_tokens:,} tokens{cost} in {done.elapsed_s:.1f} s{'; the budget is spent' * done.is_spent}"
    )


def curate(
    recipe: RecipeName,
    out: Out = None,
    sets: Sets = None,
    as_json: AsJson = False,
    push_to_hub: PushTo = None,
    public: Public = False,
) -> None:
    """Choose the training set of every method from the run's pool."""
    from dartune.curation.hub import push_sets
    from dartune.pipeline.run import describe_set

    opened = open_run(recipe, out, sets)
    manifests = opened.curate()
    if push_to_hub:
        folders = {name: opened.folder.sets / name for name in manifests}
        for address in push_sets(folders, push_to_hub, is_private=not public).values():
            complain(f"uploaded: {address}")
    if as_json:
        return say(json.dumps({name: asdict(manifest) for name, manifest in manifests.items()}))
    for name, manifest in manifests.items():
        say(f"{describe_set(manifest)}; {opened.folder.sets / name}")


def train(recipe: RecipeName, out: Out = None, sets: Sets = None, only: Only = None, quiet: Quiet = False) -> None:
    """Fine-tune the base model on every method's set."""
    from dartune.cli.watching import watching_steps
    from dartune.training.ranks import is_main

    opened = open_run(recipe, out, sets)
    quiet = quiet or not is_main()
    for method in [only] if only else opened.students:
        with watching_steps(is_quiet=quiet) as watch:
            opened.train(method, watch)
        if not quiet:
            say(f"{method}: {opened.folder.model(method, opened.recipe.seed)}")


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, a study or rounds, with its summary.json.")],
) -> None:
    """Write a run's report again and print its tables."""
    from dartune.analysis.report import write_report
    from dartune.analysis.summary import read_summary
    from dartune.pipeline.folder import RunFolder

    paths = RunFolder(path=folder)
    summary = read_summary(paths.summary)
    write_report(summary, paths.report)
    _print_tables(summary)
    say(f"report: {paths.report}")


def _open(name: str, out: Path | None, overrides: list[str] | None) -> "Run":
    from dartune.pipeline.folder import RunFolder
    from dartune.pipeline.stages import Run
    from dartune.recipes import load_recipe

    recipe = load_recipe(name, overrides or ())
    return Run(recipe=recipe, folder=RunFolder(path=out or Path("runs") / recipe.name))


def open_run(name: str, out: Path | None, overrides: list[str] | None) -> "Run":
    """The same for a command that works on one run."""
    opened = _open(name, out, overrides)
    if opened.recipe.study:
        raise ConfigError(f"{name}: a study; 'dartune run' runs it, and each of its cells is a recipe in its folder")
    if opened.recipe.rounds > 1:
        raise ConfigError(f"{name}: rounds; 'dartune run' runs them, and each of them is a recipe in its folder")
    return opened


def _show_plan(opened: "Run") -> None:
    """What a run would do, without asking an engine anything."""
    from dartune.methods import least_trials, most_trials
    from dartune.recipes import recipe_hash, recipe_toml

    queries = opened.queries()
    n = len(queries.queries)
    most = max(most_trials(method) for method in opened.recipe.methods.values())
    least = max(least_trials(method) for method in opened.recipe.methods.values())
    say(f"# recipe {recipe_hash(opened.recipe)}\n{recipe_toml(opened.recipe)}")
    say(f"# first prompt\n{opened.template().render(queries.queries[0].text)}\n")
    say(f"# {n:,} queries, at least {least * n:,} and at most {most * n:,} tries")


def _print_tables(summary: "Summary") -> None:
    from rich.console import Console

    from dartune.analysis.drawing.grid import to_rich
    from dartune.analysis.report import summary_grids

    console = Console()
    for grid in summary_grids(summary):
        console.print(to_rich(grid))
