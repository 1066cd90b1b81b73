"""The most memory that processes have held, by Linux' own counts."""

import re
from pathlib import Path
from typing import NamedTuple


class Peaks(NamedTuple):
    """Largest resident sizes in MB; pages that processes share count in each of them."""

    own: float
    children: float
    """Of all that the process has started and that are alive, summed."""


def peaks(pid: int) -> Peaks:
    """Of a process so far; zeros for one that is gone."""
    return Peaks(_peak(pid), sum(map(_peak, descendants(pid))))


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and theirs."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return []
    children = [int(child) for line in lists for child in line.split()]
    return children + [below for child in children for below in descendants(child)]


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)  # a process that has ended has none
    return int(found[1]) / 1024 if found else 0.0
