"""Bringing in what the demo needs beyond a plain installation."""

import subprocess
import sys
from importlib.util import find_spec

from dartune.cli.console import complain
from dartune.errors import MissingExtra

_NEEDED = ("torch", "transformers", "trl", "accelerate", "datasets")


def bring_demo_libraries() -> None:
    """Install the `train` extra if something of it is missing, saying so first.

    A newcomer's second command is the demo; it should not fail for want of a third. Outside a virtual environment,
    where installing could disturb other programs, raises MissingExtra with the command instead.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if not missing:
        return
    if sys.prefix == sys.base_prefix:
        raise MissingExtra(missing[0], "train")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "dartune[train]"]
    complain(f"the demo needs {', '.join(missing)}; running: pip install 'dartune[train]'")
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise MissingExtra(missing[0], "train")
