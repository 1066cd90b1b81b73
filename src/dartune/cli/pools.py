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


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A published set: JSONL, JSON, CSV or Parquet.")],
    schema: Annotated[str, typer.Option("--schema", help="What its columns are: dart, metamath, tora, ...")],
    queries: Annotated[str, typer.Option("--queries", help="What it was made from: a named set, a file, hf:...")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the new pool.")],
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Folder with the benchmark files.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a pool of a published set's responses, matched to queries and graded."""
    from dartune.config import QueriesConfig
    from dartune.importing import import_pool
    from dartune.queries import load_queries

    asked = load_queries(QueriesConfig(source=queries, data_dir=data_dir)).queries
    report = import_pool(file, schema, asked, out)
    if as_json:
        return say(json.dumps(asdict(report)))
    say(
        f"{report.n_rows:,} rows: {report.n_exact:,} matched exactly, {report.n_fuzzy:,} to the nearest query; "
        f"{report.n_derived:,} ask a rewritten problem, {report.n_unmatched:,} none of the queries, "
        f"{report.n_faulty:,} have no problem or response: see unmatched.jsonl"
    )
    say(f"{report.n_correct:,} are right; {report.n_asked:,} of {report.n_queries:,} queries have a response; {out}")


@app.command()
def verify(pool: Pool) -> None:
    """Read every shard and check keys, seeds and columns."""
    from dartune.pool.overview import find_faults

    faults = find_faults(pool)
    if faults:
        raise PoolError(f"{pool}: {len(faults)} faults: {'; '.join(faults[:5])}")
    say(f"{pool}: whole")
