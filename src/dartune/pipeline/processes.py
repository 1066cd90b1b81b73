"""Several jobs of a run at a time, each a process of its own with its own log."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dartune.errors import DartuneError, InputError
from dartune.files import write_error

PARENT_VARIABLE = "DARTUNE_PARENT"
"""Environment variable by which a job knows the process that it must not outlive."""

_PR_SET_PDEATHSIG = 1
_BAD_INPUT = 2
_GRACE_S = 10.0
_TAIL_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A chain of dartune commands: each starts when the one before it has succeeded."""

    name: str
    commands: Sequence[Sequence[str]]
    """Arguments of `dartune`."""
    log: Path


def run_tasks(tasks: Sequence[Task], *, n_at_once: int, announce: Callable[[str], None]) -> None:
    """Run all `tasks`, `n_at_once` at a time; `announce` is told when one has ended.

    Raises DartuneError naming the log if one fails; the others are stopped then, as they are by Ctrl-C.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=n_at_once) as pool:
        futures = [pool.submit(_run_task, task, stop, announce) for task in tasks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
    for future in futures:
        future.result()


def _run_task(task: Task, stop: threading.Event, announce: Callable[[str], None]) -> None:
    start = time.monotonic()
    for command in task.commands:
        if stop.is_set():
            return
        try:
            task.log.parent.mkdir(parents=True, exist_ok=True)
            log = task.log.open("ab")
        except OSError as error:
            raise write_error(task.log, error) from error
        with log:
            _run_command(task, command, log, stop)
    if not stop.is_set():
        announce(f"{task.name} in {time.monotonic() - start:.0f} s")


def _run_command(task: Task, command: Sequence[str], log: IO[bytes], stop: threading.Event) -> None:
    environment = {**os.environ, PARENT_VARIABLE: str(os.getpid())}
    start = log.tell()
    process = subprocess.Popen(
        [sys.executable, "-m", "dartune", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
    )
    try:
        while process.poll() is None and not stop.wait(0.1):
            pass
    finally:
        _end(process)
    if process.returncode and not stop.is_set():
        said = task.log.read_bytes()[start:].decode("utf-8", "replace").strip().splitlines()[-_TAIL_LINES:]
        ended = f"killed by signal {-process.returncode}" if process.returncode < 0 else f"exit {process.returncode}"
        kind = InputError if process.returncode == _BAD_INPUT else DartuneError
        raise kind(f"{task.name} failed ({' | '.join([*said, ended])}); its log is {task.log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that a process is gone: asked first, then killed."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def die_with_parent() -> None:
    """Have the system end this process when the run that started it ends, even by kill -9; a no-op elsewhere.

    Otherwise a job that lost its run would go on writing where the resumed run starts the same job again. Linux only:
    other systems have no such call.
    """
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it ended before the call
        sys.exit(1)
