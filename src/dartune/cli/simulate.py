"""`dartune simulate`: a recipe's sampling on given pass rates, without an engine."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.console import complain, say
from dartune.cli.runs import AsJson, Quiet, RecipeName, Sets

if TYPE_CHECKING:
    from dartune.analysis.drawing.grid import Grid
    from dartune.simulation.report import LevelAccount, SimulationReport

PassRatesFile = Annotated[
    Path, typer.Option("--pass-rates", metavar="FILE", help="Pass rate of each query: JSONL, JSON, CSV or Parquet.")
]
Places = Annotated[
    int | None, typer.Option("--places", min=1, help="Requests that run at a time; the engine's n_places by default.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands to `app`."""
    app.command()(simulate)


def simulate(
    recipe: RecipeName,
    pass_rates: PassRatesFile,
    places: Places = None,
    sets: Sets = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a recipe's sampling on given pass rates and lengths, without an engine."""
    from dartune.cli.watching import watching_simulation
    from dartune.planning.pass_rates import read_pass_rates
    from dartune.queries import load_queries
    from dartune.recipes import load_recipe
    from dartune.simulation.from_recipe import simulation_of
    from dartune.simulation.simulate import simulate as run_simulation

    loaded = load_recipe(recipe, sets or ())
    queries = load_queries(loaded.queries, seed=loaded.seed).queries
    job = simulation_of(loaded, read_pass_rates(pass_rates, queries), n_places=places)
    if loaded.second_chance:
        complain("the second chance is left out: these pass rates are of the first way of asking")
    with watching_simulation(is_quiet=quiet) as watch:
        report = run_simulation(job, watch)
    if as_json:
        return say(_to_json(report))
    _print(report)


def _to_json(report: "SimulationReport") -> str:
    methods = {
        name: [{**asdict(level), "coverage": level.coverage, "fill": level.fill} for level in levels]
        for name, levels in report.methods.items()
    }
    return json.dumps({**asdict(report), "methods": methods})


def _print(report: "SimulationReport") -> None:
    from rich.console import Console

    from dartune.analysis.drawing.grid import to_rich

    Console().print(to_rich(_grid(report)))
    say(
        f"{report.n_raw:,} samples of {report.n_queries:,} queries, {report.n_correct:,} correct, {report.n_kept:,} "
        f"chosen, {report.surplus:.2%} surplus, {report.n_ahead:,} samples ahead of need"
    )
    say(
        f"{report.n_tokens:,} tokens on {report.n_places:,} places: {report.occupancy:.2%} occupied, "
        f"{report.makespan:,} tokens' time, {report.makespan_over_bound:.3f} of the least"
    )
    say(f"{report.mean_tokens_chosen:,.1f} tokens in a chosen response, {report.mean_tokens_correct:,.1f} in a correct")


def _grid(report: "SimulationReport") -> "Grid":
    from dartune.analysis.drawing.grid import Grid

    return Grid(
        title="Simulated sampling",
        columns=("method", "level", "queries", "covered", "chosen", "filled", "samples", "tokens"),
        rows=tuple(
            row
            for name, levels in report.methods.items()
            for row in (*(_row(name, str(level.level or "-"), [level]) for level in levels), _row(name, "all", levels))
        ),
        n_words=2,
        note="samples and tokens: what the method alone would need; all share one pool",
    )


def _row(name: str, level: str, parts: Iterable["LevelAccount"]) -> tuple[str, ...]:
    parts = list(parts)
    n_queries, n_covered, n_wanted, n_kept, n_raw, n_tokens = (
        sum(values)
        for values in zip(
            *((p.n_queries, p.n_covered, p.n_wanted, p.n_kept, p.n_raw, p.n_tokens) for p in parts), strict=True
        )
    )
    filled = f"{n_kept / n_wanted:.1%}" if n_wanted else "-"
    coverage = f"{n_covered / n_queries:.1%}"
    return name, level, f"{n_queries:,}", coverage, f"{n_kept:,}", filled, f"{n_raw:,}", f"{n_tokens:,}"
