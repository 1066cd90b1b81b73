"""`python -m dartune` is the same as `dartune`."""

from dartune.cli import main

main()
