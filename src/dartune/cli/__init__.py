"""The command line: parse, call one function of the library, print. Heavy imports wait until a command runs."""

from dartune.cli.main import main

__all__ = ["main"]
