"""The parent's side of one grading process: start it, ask it, end it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

import dartune
from dartune.errors import DartuneError
from dartune.grading.case import Case
from dartune.grading.judges import JUDGES
from dartune.grading.parallel.wire import Settings, pack_cases, unpack_grades
from dartune.grading.symbolic.worker import body_length
from dartune.types import Grade

_N_STARTS = 3
_GRACE_S = 2.0


class Died(Exception):
    """The process is gone; what it was asked is open."""


class Closed(Exception):
    """The process was ended for good."""


class GradingProcess:
    """One process at a time, replaced when it has died. Asked by one thread; closed from any."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reads = JUDGES[settings.judge].reads
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id, or None where none is alive."""
        return None if self._process is None else self._process.pid

    def ask(self, cases: Sequence[Case]) -> list[Grade]:
        """The grades of `cases`. Raises Died where the process went before it had answered, Closed after `close`."""
        frame = pack_cases(cases, self._reads)
        process = self._process or self._start()
        try:
            _stream(process.stdin).write(frame)
            _stream(process.stdin).flush()
            return unpack_grades(_receive(process))
        except (Died, BrokenPipeError):
            self._bury(process)
            raise Died from None

    def request_end(self) -> None:
        """Ask the process to end, for good; `close` waits for that."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.terminate()

    def close(self) -> None:
        """End the process for good; who waits for its answer gets `Closed`."""
        self.request_end()
        process = self._process
        if process is not None:
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def release(self) -> None:
        """Give up the pipes of a process that was ended: called by the thread that asks, when it asks no more."""
        if self._process is not None:
            self._bury(self._process)

    def _start(self) -> subprocess.Popen[bytes]:
        """A process that is ready. Raises DartuneError where the system starts none."""
        for _ in range(_N_STARTS):
            with self._lock:
                if self._is_closed:
                    raise Closed
                self._process = process = self._spawn()
            try:
                _receive(process)
                return process
            except Died:
                self._bury(process)
        raise DartuneError(
            f"a process for grading ended {_N_STARTS} times before it was ready (exit code {process.returncode}); "
            "free memory, or ask for fewer workers"
        )

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "dartune.grading.parallel.worker", json.dumps(asdict(self._settings))]
        source = str(Path(dartune.__file__).parents[1])
        paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        except OSError as error:
            raise DartuneError(
                f"a process for grading cannot be started ({error.strerror}); ask for fewer workers"
            ) from error

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):  # what was written last may not have left the buffer
                _stream(stream).close()
        with self._lock:
            self._process = None
            if self._is_closed:
                raise Closed


def _receive(process: subprocess.Popen[bytes]) -> bytes:
    """The body of the next frame."""
    stdout = _stream(process.stdout)
    header = stdout.read(4)
    body = stdout.read(body_length(header)) if len(header) == 4 else b""
    if not body or len(body) != body_length(header):
        raise Died
    return body


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
