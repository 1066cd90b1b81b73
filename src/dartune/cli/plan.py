"""`dartune plan`: what a recipe will cost, before it is spent."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.console import say
from dartune.cli.runs import AsJson, RecipeName, Sets
from dartune.errors import ConfigError

if TYPE_CHECKING:
    from dartune.config import Recipe
    from dartune.planning.beliefs import Belief
    from dartune.planning.plan import Plan

Pilot = Annotated[Path | None, typer.Option("--pilot", help="Pool with a few tries of each query, or of some of them.")]
PassRateFile = Annotated[
    Path | None, typer.Option("--pass-rates", metavar="FILE", help="File with a pass rate for each query or level.")
]
NExamples = Annotated[
    int | None, typer.Option("--n-examples", help="Suggest the cheapest settings for a set of this size.")
]
TokensPerS = Annotated[
    float | None, typer.Option("--tokens-per-s", help="Tokens that the engine makes in a second, all places together.")
]
Figure = Annotated[Path | None, typer.Option("--figure", help="Draw fill and raw samples by cap into this .svg file.")]


def register(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(plan)


def plan(
    recipe: RecipeName,
    pilot: Pilot = None,
    pass_rates: PassRateFile = None,
    n_examples: NExamples = None,
    tokens_per_s: TokensPerS = None,
    figure: Figure = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a recipe's methods, and others, would cost and give; asks no engine anything."""
    from dartune.analysis.figures.plan import plan_figure
    from dartune.config import prices_of
    from dartune.files import write_text
    from dartune.planning.as_json import plan_tree
    from dartune.planning.forecast import Rates
    from dartune.planning.plan import make_plan
    from dartune.recipes import load_recipe

    _refuse_impossible(pilot, pass_rates, figure)
    for option, value in (("--n-examples", n_examples), ("--tokens-per-s", tokens_per_s)):
        if value is not None and not value > 0:
            raise ConfigError(f"{option}: expected a number above 0, got {value:g}")
    opened = load_recipe(recipe, sets or ())
    belief = _belief(opened, pilot, pass_rates)
    rates = Rates(prices=prices_of(opened.engine), tokens_per_s=tokens_per_s or belief.tokens_per_s)
    made = make_plan(opened.name, opened.methods, belief, rates, n_examples=n_examples, budget=opened.budget)
    if figure is not None:
        write_text(figure, plan_figure(made))
    if as_json:
        return say(json.dumps(plan_tree(made)))
    _print(made)


def _refuse_impossible(pilot: Path | None, pass_rates: Path | None, figure: Path | None) -> None:
    if pilot is not None and pass_rates is not None:
        raise ConfigError("--pilot, --pass-rates: expected one of them, got both")
    if figure is not None and figure.suffix != ".svg":
        raise ConfigError(f"--figure {figure}: expected a file named .svg")


def _belief(recipe: "Recipe", pilot: Path | None, pass_rates: Path | None) -> "Belief":
    from dartune.planning.beliefs import from_pass_rates, from_pilot, from_shape
    from dartune.planning.made import read_made, refuse_other_settings, tokens_per_s_of
    from dartune.planning.pass_rates import read_pass_rates
    from dartune.planning.shapes import published_shape
    from dartune.queries import load_queries

    queries = load_queries(recipe.queries, seed=recipe.seed).queries
    if pass_rates is not None:
        return from_pass_rates(read_pass_rates(pass_rates, queries), source=f"{pass_rates}", seed=recipe.seed)
    if pilot is None:
        return from_shape(published_shape(), queries)
    refuse_other_settings(pilot, recipe)
    made = read_made(pilot, queries)
    n_tried = int((made.n_tries > 0).sum())
    source = f"{pilot}: {int(made.n_tries.sum()):,} tries of {n_tried:,} of {len(queries):,} queries"
    return from_pilot(made, queries, source=source, tokens_per_s=tokens_per_s_of(pilot, made), seed=recipe.seed)


def _print(made: "Plan") -> None:
    from rich.console import Console

    from dartune.analysis.drawing.grid import to_rich
    from dartune.analysis.tables.plan import plan_grids

    console = Console()
    if not console.is_terminal:  # a file has no edge
        console = Console(width=160)
    say(f"from {made.source}")
    for name, share in made.budget_covers.items():
        say(f"the recipe's budget pays for {share:.0%} of what {name} alone is expected to take")
    say("")
    for grid in plan_grids(made):
        console.print(to_rich(grid))
    if made.suggestions is not None:
        say(f"# in place of [methods] and [curation]\n{made.suggestions.toml}")
