"""What processes have used, by Linux' own counts: memory at most, processor time."""

import os
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


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and of all that it has started and that are alive, so far."""
    return sum(map(_cpu_s, [pid, *descendants(pid)]))


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and theirs."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return []
    children = [int(child) for line in lists for child in line.split()]
    return children + [below for child in children for below in descendants(child)]


def _cpu_s(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    # The name, which may hold spaces, ends with the last bracket; user and system time are the 14th and 15th field.
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)  # a process that has ended has none
    return int(found[1]) / 1024 if found else 0.0
