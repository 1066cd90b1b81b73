"""`dartune difficulty`: every measure of difficulty on a pool, and how far they agree."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.console import complain, say

if TYPE_CHECKING:
    from dartune.measuring import Measured

Pool = Annotated[Path, typer.Argument(help="Folder of the pool, e.g. runs/demo/pool.")]
Others = Annotated[list[Path] | None, typer.Option("--pool", help="Pool of another model on the same queries.")]
Rates = Annotated[list[Path] | None, typer.Option("--pass-rates", help="File of another model: id, pass_rate.")]
Scores = Annotated[Path | None, typer.Option("--scores", help="File of a judge: id, score; higher is harder.")]
Combination = Annotated[
    str | None, typer.Option("--combine", metavar="SPEC", help='Such as "0.7*fail_rate + 0.3*answer_entropy".')
]
First = Annotated[int | None, typer.Option("--first", help="Count only this many first tries of each query.")]
Out = Annotated[Path | None, typer.Option("--out", help="Measures of each query: a .jsonl, .csv or .parquet file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def register(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(difficulty)


def difficulty(
    pool: Pool,
    others: Others = None,
    pass_rates: Rates = None,
    scores: Scores = None,
    combination: Combination = None,
    first: First = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Measure how hard each query of a pool is, in several ways, and show how far they agree."""
    from dartune.measuring import MeasuringJob, find_writer, measure_pool, write_measures
    from dartune.measuring.tables import matrix_table, measures_table, pairs_table

    if out is not None:
        find_writer(out)
    job = MeasuringJob(
        pool=pool,
        others=tuple(others or ()),
        pass_rates=tuple(pass_rates or ()),
        scores=scores,
        combination=combination,
        first=first,
    )
    measured = measure_pool(job)
    if out is not None:
        write_measures(out, measured)
        complain(f"{out}: measures of {len(measured.queries):,} queries")
    if as_json:
        return say(json.dumps(_summary(measured)))
    say(measures_table(measured))
    say(f"\nSpearman's rho below the diagonal, Kendall's tau-b above\n{matrix_table(measured)}")
    say(f"\nwith 95 % intervals over queries\n{pairs_table(measured.correlations)}")


def _summary(measured: "Measured") -> dict[str, object]:
    return {
        "n_queries": len(measured.queries),
        "measures": {
            name: {
                "n_queries": len(known),
                "mean": math.fsum(known) / len(known),
                "least": min(known),
                "most": max(known),
            }
            for name, values in measured.values.items()
            if (known := [value for value in values.tolist() if not math.isnan(value)])
        },
        "correlations": [
            {
                **asdict(pair),
                "spearman": pair.spearman and pair.spearman._asdict(),
                "kendall": pair.kendall and pair.kendall._asdict(),
            }
            for pair in measured.correlations
        ],
    }
