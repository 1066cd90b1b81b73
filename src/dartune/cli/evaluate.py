"""`dartune evaluate`: a model, or the models of a recipe, on benchmarks."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.compare import print_grids, same_answers, say_notes
from dartune.cli.console import say
from dartune.cli.runs import DryRun, Only, Quiet, Sets, open_run
from dartune.errors import ConfigError, Interrupted

if TYPE_CHECKING:
    from dartune.evaluation.model import ModelEvaluation
    from dartune.pool.overview import PoolOverview

STOPPED = "stopped; everything graded is on the disk; run the same command to go on"

Target = Annotated[
    str,
    typer.Argument(
        metavar="MODEL|RECIPE|FOLDER",
        help="A model folder, a hub id or world:NAME; a recipe, whose models are then evaluated; or, with --regrade, "
        "the folder of an evaluation.",
    ),
]
Benchmarks = Annotated[
    str, typer.Option("--benchmarks", help='Named sets or files, parted by commas; "six" are the paper\'s.')
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder of the evaluation; evals/<model> by default.")]
PromptName = Annotated[
    str | None, typer.Option("--template", help="How the model is asked; by its name or folder if not given.")
]
EngineName = Annotated[str, typer.Option("--engine", help="Engine, as in a recipe; its keys by --set engine.KEY.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", exists=True, file_okay=False, help="Folder with the benchmark files.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="The first so many problems of each benchmark.")]
Regrade = Annotated[bool, typer.Option("--regrade", help="Grade the responses that are there again; ask nothing.")]
LmEval = Annotated[Path | None, typer.Option("--lm-eval", help="Write the scores as a result file of lm_eval.")]
Lighteval = Annotated[Path | None, typer.Option("--lighteval", help="Write them as a result file of lighteval.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the scores, and all that they depend on, as JSON.")]


_USES = {
    "with --regrade": (
        {"target", "regrade", "data_dir", "lm_eval", "lighteval", "as_json", "quiet"},
        "an evaluation is graded again as it was asked",
    ),
    "for a recipe": (
        {"target", "out", "sets", "only", "quiet"},
        "the recipe says what its models are asked, and --set changes it",
    ),
    "for a model": (
        {"target", "benchmarks", "out", "template", "engine", "sets", "data_dir", "limit"}
        | {"lm_eval", "lighteval", "as_json", "quiet", "dry_run"},
        "it chooses among the models of a recipe",
    ),
}
"""Use of the command -> its parameters, and what to say of another one."""


def register(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(evaluate)


def evaluate(
    context: typer.Context,
    target: Target,
    benchmarks: Benchmarks = "six",
    out: Out = None,
    template: PromptName = None,
    engine: EngineName = "transformers",
    sets: Sets = None,
    data_dir: DataDir = None,
    limit: Limit = None,
    only: Only = None,
    regrade: Regrade = False,
    lm_eval: LmEval = None,
    lighteval: Lighteval = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
) -> None:
    """Score a model on benchmarks, each response kept; run it again to go on after an interruption."""
    from dartune.cli.watching import watching
    from dartune.evaluation.model import prepare_evaluation
    from dartune.evaluation.sets import choose_benchmarks

    if regrade:
        _refuse_stray(context, "with --regrade")
        _regrade(Path(target), data_dir)
        return _show(Path(target), lm_eval, lighteval, as_json)
    if _is_recipe(target):
        _refuse_stray(context, "for a recipe")
        return _evaluate_recipe(target, out, sets, only, quiet)
    _refuse_stray(context, "for a model")
    names = [name.strip() for name in benchmarks.split(",") if name.strip()]
    chosen = choose_benchmarks(names, data_dir=data_dir, limit=limit)
    prepared = prepare_evaluation(target, chosen, engine=engine, template=template, overrides=sets or ())
    if dry_run:
        return _show_plan(prepared)
    folder = out or Path("evals") / prepared.name
    with watching(is_quiet=quiet) as watch:
        done = prepared.run(folder, watch)
    if done.is_interrupted:
        raise Interrupted(STOPPED)
    _show(folder, lm_eval, lighteval, as_json)


def _refuse_stray(context: typer.Context, use: str) -> None:
    """Raise ConfigError for an option that would be ignored in this use of the command."""
    known, mend = _USES[use]
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and name not in known:
            raise ConfigError(f"{option.opts[0]}: has no meaning {use}; {mend}")


def _is_recipe(target: str) -> bool:
    from dartune.recipes import packaged_recipes

    return target.endswith(".toml") or (target in packaged_recipes() and not Path(target).is_dir())


def _evaluate_recipe(recipe: str, out: Path | None, sets: list[str] | None, only: str | None, quiet: bool) -> None:
    """Let a run's models answer its benchmarks."""
    from dartune.cli.watching import watching

    opened = open_run(recipe, out, sets)
    for model in [only] if only else opened.evaluated:
        with watching(is_quiet=quiet) as watch:
            done = opened.evaluate(model, watch)
        if done.is_interrupted:
            raise Interrupted(STOPPED)
        if not quiet:
            say(f"{model}: {done.n_correct:,} of {done.n_samples:,} new answers are right")


def _regrade(folder: Path, data_dir: Path | None) -> None:
    from dartune.cli.console import complain
    from dartune.evaluation.regrade import regrade_evaluation
    from dartune.grading import Grader

    with Grader() as grader:
        report = regrade_evaluation(folder, grader=grader, data_dir=data_dir)
    complain(f"{folder}: {report.n_graded:,} responses graded again, {sum(report.changed.values()):,} verdicts changed")
    for (before, now), n in report.changed.items():
        complain(f"  {before} -> {now}: {n:,}")


def _show(folder: Path, lm_eval: Path | None, lighteval: Path | None, as_json: bool) -> None:
    """Print and write the scores of a finished evaluation."""
    from dartune.analysis.tables.evaluation import (
        Scores,
        details_grid,
        domain_grid,
        level_grid,
        main_grid,
        settings_text,
        tries_grid,
    )
    from dartune.evaluation.exchange import write_lighteval, write_lm_eval
    from dartune.evaluation.results import average, read_evaluation, score_evaluation
    from dartune.files import write_json
    from dartune.pool.overview import describe_pool

    evaluation = read_evaluation(folder)
    pool = describe_pool(folder)
    with same_answers() as same:
        model = Scores(name=evaluation.name, scores=score_evaluation(evaluation, same))
    document = {
        "record": asdict(evaluation.record),
        "scores": [asdict(score) for score in model.scores],
        "averages": asdict(average(model.scores)),
        "failures": pool.failures,
    }
    write_json(folder / "scores.json", document)
    if lm_eval is not None:
        write_lm_eval(lm_eval, evaluation.record, model.scores)
    if lighteval is not None:
        write_lighteval(lighteval, evaluation.record, model.scores)
    if as_json:
        return say(json.dumps(document))
    names = [score.benchmark for score in model.scores]
    by_part = [make([model], name) for name in names for make in (domain_grid, level_grid)]
    print_grids([main_grid([model]), details_grid(model), tries_grid(model), *by_part])
    say(settings_text(evaluation.name, evaluation.record))
    if pool.failures:
        say(_failures_text(pool))
    say_notes(names)
    say(f"scores: {folder / 'scores.json'}")


def _failures_text(pool: "PoolOverview") -> str:
    """How many tries the engine did not answer, and why."""
    n_failures = sum(pool.failures.values())
    causes = ", ".join(f"{cause} {n:,}" for cause, n in pool.failures.items())
    n_tries = pool.n_samples + n_failures
    return f"  not answered, and counted as not correct: {n_failures:,} of {n_tries:,} tries ({causes})"


def _show_plan(prepared: "ModelEvaluation") -> None:
    """What an evaluation would do, without asking an engine anything."""
    job = prepared.job
    n = sum(len(benchmark.queries) for benchmark in job.benchmarks.values())
    if not n:
        raise ConfigError("--benchmarks: expected problems, got none")
    say(f"# engine\n{prepared.engine.model_dump_json(indent=1)}\n# sampling\n{job.params}")
    shown: set[str] = set()
    for name, benchmark in job.benchmarks.items():
        template = job.by_benchmark.get(name, job.template)
        if benchmark.queries and template.name not in shown:
            shown.add(template.name)
            say(f"# template {template.name}, first prompt\n{template.render(benchmark.queries[0].text)}\n")
    for name, benchmark in job.benchmarks.items():
        say(f"# {name}: {len(benchmark.rows):,} rows from {benchmark.report.origin.source}")
    say(f"# {n * job.config.n_trials:,} prompts")
