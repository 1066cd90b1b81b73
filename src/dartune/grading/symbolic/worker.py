"""The process in which symbolic algebra runs: `python -m dartune.grading.symbolic.worker MEMORY_MB TIMEOUT_S`.

It reads requests from standard input and writes replies to standard output, each one a frame: four bytes of length,
big-endian, then JSON. First of all it writes {"ready": true}. It ends when its input ends.

It cannot outlive its parent by more than the time limit: idle it sees the end of its input, and busy it runs into its
own limit on CPU seconds. The kernel refuses it memory beyond its limit.
"""

import json
import os
import resource
import struct
import sys
from typing import BinaryIO

from dartune.grading.symbolic.algebra import judge

MAX_FRAME = 1 << 20
"""Longest frame, in bytes, that either side accepts."""

_SPARE_CPU_S = 2
_HEADER = struct.Struct(">I")
_WARM_UP = (
    ("\\frac{1}{2}", "2^{-1}"),
    ("x^2+2x+1", "(x+1)^2"),
    ("(1,\\sqrt{2})", "(1,2^{1/2})"),
    ("x>1", "(1,\\infty)"),
)


def pack(message: dict[str, object]) -> bytes:
    """One frame."""
    body = json.dumps(message).encode("ascii")
    return _HEADER.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Length in bytes of the body that follows a frame's four-byte header."""
    (length,) = _HEADER.unpack(header)
    return int(length)


def main() -> None:
    """Serve until the input ends."""
    memory_mb, timeout_s = int(sys.argv[1]), float(sys.argv[2])
    replies = _take_stdout()
    sys.setrecursionlimit(20_000)
    for ref, answer in _WARM_UP:
        judge(ref, answer)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory = _Memory(memory_mb << 20)
    replies.write(pack({"ready": True}))
    while header := sys.stdin.buffer.read(_HEADER.size):
        request = json.loads(sys.stdin.buffer.read(body_length(header)))
        _limit_cpu(timeout_s)
        replies.write(pack({"id": request["id"], "judgement": _judge(request["ref"], request["answer"], memory)}))


def _take_stdout() -> BinaryIO:
    """The real standard output, for frames alone: whatever else prints goes nowhere."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return replies


def _judge(ref: str, answer: str, memory: "_Memory") -> str:
    """The judgement, or "failed" where an error or a lack of memory may have decided it."""
    try:
        judgement = judge(ref, answer)
    except Exception:  # the boundary of a third-party library over hostile text: its failure is an answer
        return "failed"
    return "failed" if judgement != "equal" and memory.was_short() else judgement


def _limit_cpu(timeout_s: float) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(usage.ru_utime + usage.ru_stime + timeout_s) + _SPARE_CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


class _Memory:
    """The limit on address space, and whether it may have been felt.

    Math-Verify takes any exception, MemoryError too, for "not equal". An integer that outgrows the limit doubles until
    then, so a peak beyond a quarter of it makes an unfavourable judgement untrustworthy.
    """

    def __init__(self, allowed: int) -> None:
        baseline = _peak_bytes()
        self._suspicious = baseline + allowed // 4
        if baseline:
            resource.setrlimit(resource.RLIMIT_AS, (baseline + allowed, baseline + allowed))
        else:
            resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))

    def was_short(self) -> bool:
        return _peak_bytes() > self._suspicious


def _peak_bytes() -> int:
    """Peak of this process's address space; 0 where /proc does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith("VmPeak:"))
    except OSError:
        return 0
    return int(line.split()[1]) << 10


if __name__ == "__main__":
    main()
