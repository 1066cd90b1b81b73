"""The `dartune` command: its commands, and how errors end it.

Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted with Ctrl-C (run the same command to go on).
"""

import os
import sys

import typer

from dartune import __version__
from dartune.cli import compare, difficulty, evaluate, grade, plan, pools, queries, runs, simulate, world
from dartune.cli.console import complain
from dartune.errors import DartuneError, InputError, Interrupted
from dartune.pipeline.processes import die_with_parent

_INTERRUPTED = 130
_GO_ON = "interrupted; what was done is kept; run the same command to go on"

app = typer.Typer(
    name="dartune",
    help="Difficulty-aware rejection tuning: from problems with known answers to a training set and its proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
runs.register(app)
evaluate.register(app)
compare.register(app)
grade.register(app)
difficulty.register(app)
plan.register(app)
simulate.register(app)
app.add_typer(queries.app, name="queries")
app.add_typer(pools.app, name="pool")
app.add_typer(world.app, name="world")


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        typer.echo(f"dartune {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line and end the process with its exit code."""
    die_with_parent()
    # Read by OpenMP when torch is first imported: threads that spin while they wait take the cores of all others.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit code. What goes wrong on purpose is one line on standard error."""
    try:
        code = app(arguments, standalone_mode=False)
        if code == _INTERRUPTED:  # typer's own answer to Ctrl-C
            complain(_GO_ON)
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        complain(f"error: {' '.join(error.format_message().split())}")
        return 2
    except Interrupted as error:
        complain(str(error))
        return _INTERRUPTED
    except InputError as error:
        complain(f"error: {error}")
        return 2
    except DartuneError as error:
        complain(f"failed: {error}")
        return 1
    except (KeyboardInterrupt, typer.Abort):
        complain(_GO_ON)
        return _INTERRUPTED
