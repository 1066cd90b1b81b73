"""`dartune compare`: evaluations side by side, and whether their differences are more than luck."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.console import say
from dartune.errors import ConfigError

if TYPE_CHECKING:
    from dartune.analysis.drawing.grid import Grid
    from dartune.evaluation.comparison import Aspect
    from dartune.evaluation.results import Evaluation
    from dartune.evaluation.tries import Same

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="EVALUATION...",
        help="Folders made by 'dartune evaluate', the baseline first; also result files of lm_eval or lighteval.",
    ),
]
Published = Annotated[bool, typer.Option("--published", help="Show published rows beside, marked, with their source.")]
Allow = Annotated[
    list[str] | None, typer.Option("--allow", metavar="ASPECT", help="Let prompt, sampling or grader differ.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def register(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(compare)


def compare(sources: Sources, published: Published = False, allow: Allow = None, as_json: AsJson = False) -> None:
    """Compare models on the same queries; refuses evaluations that were not made in the same way."""
    from dartune.analysis.tables import evaluation as tables
    from dartune.evaluation.comparison import compare_evaluations
    from dartune.evaluation.exchange import read_scores
    from dartune.evaluation.published import published_scores
    from dartune.evaluation.results import read_evaluation, score_evaluation

    allowed = _aspects(allow or [])
    files = [path for path in sources if path.suffix == ".json"]
    evaluations = _named_apart([read_evaluation(path) for path in sources if path.suffix != ".json"])
    imported = [read_scores(path) for path in files]
    compared = compare_evaluations(evaluations, allow=allowed) if len(evaluations) > 1 else []
    with same_answers() as same:
        models = [tables.Scores(name=e.name, scores=score_evaluation(e, same)) for e in evaluations]
    if as_json:
        return say(
            json.dumps(
                {
                    "evaluations": {e.name: asdict(e.record) for e in evaluations},
                    "scores": {model.name: [asdict(score) for score in model.scores] for model in models},
                    "imported": [asdict(row) for row in imported],
                    "differences": [asdict(one) for one in compared],
                }
            )
        )
    shown = published_scores() if published else ()
    names = dict.fromkeys(part.name for evaluation in evaluations for part in evaluation.record.benchmarks)
    print_grids(
        [
            tables.main_grid(models, published=shown, imported=imported),
            tables.gains_grid(models, published=shown),
            *(make(models, name) for name in names for make in (tables.domain_grid, tables.level_grid)),
            *map(tables.details_grid, models),
            tables.differences_grid(compared),
        ]
    )
    for evaluation in evaluations:
        say(tables.settings_text(evaluation.name, evaluation.record))
    say_notes(names)


@contextmanager
def same_answers() -> "Iterator[Same]":
    """Whether two answers are certainly the same, by the default judge."""
    from dartune.grading import Grader

    with Grader() as grader:
        yield lambda one, other: grader.grade_answer(ref_answer=one, answer=other).verdict == "correct"


def print_grids(grids: "Sequence[Grid]") -> None:
    """Print the tables that have rows, those that are too wide for the terminal in several parts."""
    from rich.console import Console
    from rich.measure import Measurement

    from dartune.analysis.drawing.grid import Grid, to_rich
    from dartune.analysis.tables.folding import fold

    console = Console()
    if not console.is_terminal:  # a file has no edge
        console = Console(width=200)
    boundless = console.options.update(max_width=10_000)

    def fits(grid: Grid) -> bool:
        # Not the minimum: where headings have to be broken, rich may cut off the last column.
        return Measurement.get(console, boundless, to_rich(grid)).maximum <= console.width

    for grid in grids:
        if grid.rows:
            for part in fold(grid, fits):
                console.print(to_rich(part))


def say_notes(benchmarks: Iterable[str]) -> None:
    """Say what is known of some benchmarks being in training data."""
    from dartune.queries import describe_sets

    known = {info.name: info.contamination for info in describe_sets()}
    for name in benchmarks:
        if known.get(name):
            say(f"  note on {name}: {known[name]}")


def _aspects(names: Sequence[str]) -> "list[Aspect]":
    from dartune.evaluation.comparison import ALLOWABLE

    strangers = [name for name in names if name not in ALLOWABLE]
    if strangers:
        raise ConfigError(f"--allow: expected some of {', '.join(ALLOWABLE)}, got {strangers[0]!r}")
    return [aspect for aspect in ALLOWABLE if aspect in names]


def _named_apart(evaluations: "Sequence[Evaluation]") -> "list[Evaluation]":
    """The same with different names, where folders of the same name were given."""
    from dataclasses import replace

    named: list[Evaluation] = []
    for evaluation in evaluations:
        taken = {other.name for other in named}
        free = (name for i in range(len(evaluations)) if (name := f"{evaluation.name}#{i + 2}") not in taken)
        named.append(replace(evaluation, name=next(free)) if evaluation.name in taken else evaluation)
    return named
