"""Ends vLLM's processes when the process that asked for them is killed, as nothing in vLLM does.

Without it they would go on for ever, with the memory of the device. It is a program of its own, for a killed process
can do nothing any more: `python guard.py PARENT PID...`. Processes are held by descriptor: a number may be given anew.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence


def start_guard(pids: Sequence[int]) -> subprocess.Popen[bytes]:
    """A process that kills `pids` when this one ends; end it once they are gone."""
    command = [sys.executable, "-S", "-E", __file__, str(os.getpid()), *map(str, pids)]
    # A session of its own: Ctrl-C in the terminal is for the run.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def main(parent: int, pids: Sequence[int]) -> None:
    """Wait for the end of `parent`, then kill `pids`."""
    watched = [os.pidfd_open(pid) for pid in pids]
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(parent)], [], [])
    for process in watched:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(pid) for pid in sys.argv[2:]])
