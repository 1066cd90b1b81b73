"""`dartune world`: the embedded arithmetic world."""

from pathlib import Path
from typing import Annotated

import typer

from dartune.cli.console import say

app = typer.Typer(
    help="The embedded arithmetic world and its tiny models.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def pretrain(
    pair: Annotated[str, typer.Argument(help="Which packaged pair to make again: a or b.")],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets teacher-<pair> and base-<pair>.")],
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
) -> None:
    """Make a teacher and its younger base from scratch, by the recipe of the packaged models (minutes on one core)."""
    from dartune.world.pretrain import packaged_config
    from dartune.world.pretrain import pretrain as make

    make(packaged_config(pair, device=device), out, watch=say)
