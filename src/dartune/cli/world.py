"""`dartune world`: the embedded arithmetic world."""

from pathlib import Path
from typing import Annotated

import typer

from dartune.cli.console import complain, say
from dartune.errors import ConfigError

app = typer.Typer(
    help="The embedded arithmetic world and its tiny models.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _group() -> None:
    """Keep `pretrain` a command of its own: typer would fold a group of one into the group."""


@app.command()
def pretrain(
    pair: Annotated[str, typer.Argument(help="Which packaged pair to make again: a or b.")],
    out: Annotated[Path, typer.Option("--out", help="Folder that gets teacher-<pair>, base-<pair>, recipe and log.")],
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
) -> None:
    """Make a teacher and its younger base from scratch, by the recipe of the packaged models (minutes on one core)."""
    from dataclasses import replace

    from dartune.world.pretrain import PACKAGED_RECIPES, LogLine
    from dartune.world.pretrain import pretrain as make

    if pair not in PACKAGED_RECIPES:
        raise ConfigError(f"pair: expected one of {', '.join(PACKAGED_RECIPES)}, got {pair!r}")
    config = replace(PACKAGED_RECIPES[pair], device=device)

    def show(line: LogLine) -> None:
        accuracy = " ".join(f"{level}:{share:.0%}" for level, share in line.greedy_accuracy.items())
        left_s = line.seconds * (config.teacher_tokens / line.n_tokens - 1)
        complain(f"{line.n_tokens:,} tokens, loss {line.loss:.3f}, greedy {accuracy}, about {left_s:.0f} s left")

    make(config, out, report=show)
    say(f"{out / f'teacher-{pair}'}\n{out / f'base-{pair}'}")
