"""`dartune queries`: what problems there are, and whether a source of them is sound."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.console import say

if TYPE_CHECKING:
    from dartune.config import QueriesConfig

app = typer.Typer(help="Look after query sets.", no_args_is_help=True, rich_markup_mode=None)

Source = Annotated[str, typer.Argument(help='A named set, a file, or "hf:<dataset id or folder>".')]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="FIELD=COLUMN", help="Where text, ref_answer, level or domain are."),
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", exists=True, file_okay=False, help="Folder with the benchmark files.")
]
Split = Annotated[str, typer.Option("--split", help="Split of a Hugging Face dataset.")]
Levels = Annotated[list[int] | None, typer.Option("--level", help="Only these levels.")]
Domains = Annotated[list[str] | None, typer.Option("--domain", help="Only these domains.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="The first this many.")]
Sample = Annotated[int | None, typer.Option("--sample", min=1, help="A seeded sample of this many.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the sample.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command("list")
def list_sets(as_json: AsJson = False) -> None:
    """Show the named sets and where each is looked for."""
    from dartune.queries import describe_sets
    from dartune.queries.tables import sets_table

    sets = describe_sets()
    if as_json:
        return say(json.dumps([asdict(info) for info in sets]))
    _render(sets_table(sets))


@app.command()
def show(
    source: Source,
    column: Columns = None,
    data_dir: DataDir = None,
    split: Split = "train",
    level: Levels = None,
    domain: Domains = None,
    limit: Limit = 5,
    sample: Sample = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Show some problems of a source, with their reference answers."""
    from dartune.queries import load_queries
    from dartune.queries.tables import queries_table

    config = _config(source, column, data_dir, split, level, domain, None if sample else limit, sample)
    queries = load_queries(config, seed=seed).queries
    if as_json:
        return say("\n".join(json.dumps(asdict(query)) for query in queries))
    _render(queries_table(queries))


@app.command()
def check(
    source: Source,
    column: Columns = None,
    data_dir: DataDir = None,
    split: Split = "train",
    level: Levels = None,
    domain: Domains = None,
    limit: Limit = None,
    sample: Sample = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Read a source to its end and report its size, checksum, repeated rows and every fault."""
    from dartune.queries import check_queries
    from dartune.queries.tables import check_view

    found = check_queries(_config(source, column, data_dir, split, level, domain, limit, sample), seed=seed)
    if as_json:
        say(json.dumps({"is_ok": found.is_ok, **asdict(found)}))
    else:
        _render(check_view(found))
    if not found.is_ok:
        raise typer.Exit(2)


def _config(
    source: str,
    column: list[str] | None,
    data_dir: Path | None,
    split: str,
    level: list[int] | None,
    domain: list[str] | None,
    limit: int | None,
    sample: int | None,
) -> "QueriesConfig":
    from dartune.config import QueriesConfig
    from dartune.errors import ConfigError

    pairs = [text.partition("=") for text in column or ()]
    for field, separator, name in pairs:
        if not (field and separator and name):
            raise ConfigError(f"--column {field}{separator}{name}: expected FIELD=COLUMN, for example text=problem")
    return QueriesConfig(
        source=source,
        columns={field: name for field, _, name in pairs},
        data_dir=data_dir,
        split=split,
        levels=tuple(level) if level else None,
        domains=tuple(domain) if domain else None,
        limit=limit,
        sample=sample,
    )


def _render(renderable: object) -> None:
    from rich.console import Console

    Console().print(renderable)
