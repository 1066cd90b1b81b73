"""Killable processes for symbolic algebra.

What holds: a request ends with exactly one reply, within its limit; a worker that overran or died is never used
again; a failure of a worker is told apart from a judgement. Calls may come from any thread; each waits for a free
worker. Workers start when first needed. The limit is in CPU seconds of the worker where the system tells them (so that
a busy machine changes no verdict), and at most `WALL_FACTOR` times as long by the clock.
"""

import os
import queue
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal, cast

import dartune
from dartune.grading.comparison.decision import Pair
from dartune.grading.symbolic.algebra import Judgement
from dartune.grading.symbolic.worker import MAX_FRAME, body_length, pack

START_TIMEOUT_S = 60.0
"""Longest time, by the clock, that a worker may take to be ready."""

WALL_FACTOR = 5
"""A request may take this many times its CPU limit by the clock."""

Reply = Judgement | Literal["failed", "timeout"]
"""A judgement; or "failed": the worker died or ran out of memory, twice; or "timeout": it was killed at the limit."""


class _Died(Exception):
    """The worker is gone."""


class _Overran(Exception):
    """The worker was killed at its limit."""


class _Worker:
    """One process. Used by one thread at a time."""

    def __init__(self, timeout_s: float, memory_mb: int) -> None:
        self._timeout_s = timeout_s
        self._n_requests = 0
        command = [sys.executable, "-P", "-m", "dartune.grading.symbolic.worker", str(memory_mb), str(timeout_s)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            bufsize=0,
        )
        try:
            self._receive(deadline=time.monotonic() + START_TIMEOUT_S, cpu_limit_s=None)
        except _Overran as error:
            raise _Died from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def judge(self, pair: Pair) -> str:
        """The reply of the process; raises `_Overran` or `_Died`, and the process is then no more."""
        self._n_requests += 1
        start = time.monotonic()
        cpu_before = _cpu_seconds(self.pid)
        frame = pack({"id": self._n_requests, "ref": pair.ref, "answer": pair.answer})
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(frame)
        except OSError as error:
            self.kill()
            raise _Died from error
        if cpu_before is None:
            return self._receive(deadline=start + self._timeout_s, cpu_limit_s=None)
        deadline = start + WALL_FACTOR * self._timeout_s
        return self._receive(deadline=deadline, cpu_limit_s=cpu_before + self._timeout_s)

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def abandon(self) -> None:
        """Close our ends of the pipes and leave the process to whom it belongs."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.returncode = 0  # not our child: keeps Popen from warning about it

    def _receive(self, *, deadline: float, cpu_limit_s: float | None) -> str:
        import json

        try:
            length = body_length(self._read(4, deadline, cpu_limit_s))
            if length > MAX_FRAME:
                raise _Died
            message = json.loads(self._read(length, deadline, cpu_limit_s))
        except (_Died, _Overran):
            self.kill()
            raise
        return str(message.get("judgement", "ready"))

    def _read(self, n_bytes: int, deadline: float, cpu_limit_s: float | None) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        received = b""
        while len(received) < n_bytes:
            self._wait_readable(stdout.fileno(), deadline, cpu_limit_s)
            chunk = stdout.read(n_bytes - len(received))
            if not chunk:
                raise _Overran if self._process.wait() == -signal.SIGXCPU else _Died
            received += chunk
        return received

    def _wait_readable(self, descriptor: int, deadline: float, cpu_limit_s: float | None) -> None:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN | select.POLLHUP)
        while True:
            wall_s = deadline - time.monotonic()
            cpu_s = _cpu_seconds(self.pid) if cpu_limit_s is not None else None
            left_s = wall_s if cpu_s is None or cpu_limit_s is None else min(wall_s, cpu_limit_s - cpu_s)
            if poller.poll(max(0.0, left_s) * 1000 + 1):
                return
            if wall_s <= 0 or (left_s <= 0 and cpu_s is not None):
                raise _Overran


class WorkerPool:
    """Up to `n_workers` processes, each with its limits; safe to use from many threads."""

    def __init__(self, n_workers: int, *, timeout_s: float, memory_mb: int) -> None:
        self.n_workers = n_workers
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._renew()

    def judge(self, pair: Pair) -> Reply:
        """Judge in a free worker, waiting for one. A worker that dies is tried once again, with a new one."""
        if self._owner != os.getpid():
            self._renew()
        places = self._places
        worker = places.get()
        try:
            for _attempt in range(2):
                if worker is None:
                    worker = self._start()
                reply = self._ask(worker, pair) if worker is not None else "failed"
                if reply not in ("failed", "timeout"):
                    return reply
                worker = None
                if reply == "timeout":
                    return reply
            return "failed"
        finally:
            places.put(worker)

    def _ask(self, worker: _Worker, pair: Pair) -> Reply:
        """Ask a worker; after "failed" and "timeout" it is no more."""
        try:
            reply = cast(Reply, worker.judge(pair))
        except _Overran:
            reply = "timeout"
        except _Died:
            reply = "failed"
        if reply in ("failed", "timeout"):
            self._alive.discard(worker)
            worker.kill()
        return reply

    def close(self) -> None:
        """End all workers; those in use are ended under their callers' hands."""
        for worker in list(self._alive):
            if self._owner == os.getpid():
                worker.kill()
            else:
                worker.abandon()
        self._alive.clear()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that are alive."""
        return [worker.pid for worker in list(self._alive)]

    def _renew(self) -> None:
        """Forget everything: a new pool, or a child of `fork`, whose parent owns the processes and the locks."""
        self._owner = os.getpid()
        self._alive: set[_Worker] = set()
        self._places: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(self.n_workers):
            self._places.put(None)

    def _start(self) -> _Worker | None:
        """A new worker; None where the machine could not start one."""
        try:
            worker = _Worker(self._timeout_s, self._memory_mb)
        except (_Died, OSError):
            return None
        self._alive.add(worker)
        return worker


def _environment() -> dict[str, str]:
    """The parent's, with one thread for numeric libraries and this very dartune on the path."""
    source = str(Path(dartune.__file__).parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def _cpu_seconds(pid: int) -> float | None:
    """CPU seconds that a process has used; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
