"""Lines on the terminal; text that may come from a model or a file cannot steer it."""

import sys

from dartune.visible import visible


def say(text: str) -> None:
    """Print a line to standard output."""
    print(visible(text), flush=True)


def complain(text: str) -> None:
    """Print a line to standard error."""
    print(visible(text), file=sys.stderr, flush=True)
