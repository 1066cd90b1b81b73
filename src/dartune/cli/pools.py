"""`dartune pool`: look into a pool, and make sure that it is whole."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dartune.cli.console import say
from dartune.errors import PoolError

app = typer.Typer(help="Look after a pool of samples.", no_args_is_help=True, rich_markup_mode=None)

Pool = Annotated[Path, typer.Argument(help="Folder of the pool, e.g. runs/demo/pool.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def show(pool: Pool, as_json: AsJson = False) -> None:
    """Show a pool's settings and what it holds: samples, verdicts, failures, fail rate by level."""
    from dartune.pool.overview import describe_pool

    overview = describe_pool(pool)
    if as_json:
        return say(json.dumps(asdict(overview)))
    say("\n".join(f"{key}: {value}" for key, value in overview.settings.items()))
    say(f"{overview.n_samples:,} samples of {overview.n_queries:,} queries, {overview.n_tokens:,} tokens")
    say("verdicts: " + ", ".join(f"{name} {n:,}" for name, n in overview.verdicts.items()))
    if overview.failures:
        say("failures: " + ", ".join(f"{name} {n:,}" for name, n in overview.failures.items()))
    for level in overview.levels:
        say(
            f"level {'-' if level.level is None else level.level}: {level.n_queries:,} queries, "
            f"{level.n_samples:,} tries, fail rate {level.fail_rate:.1%}, {level.n_solved:,} solved at least once"
        )


@app.command()
def verify(pool: Pool) -> None:
    """Read every shard and check keys, seeds and columns."""
    from dartune.pool.overview import find_faults

    faults = find_faults(pool)
    if faults:
        raise PoolError(f"{pool}: {len(faults)} faults: {'; '.join(faults[:5])}")
    say(f"{pool}: whole")
