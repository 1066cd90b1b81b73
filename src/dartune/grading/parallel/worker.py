"""A process that grades: `python -m dartune.grading.parallel.worker SETTINGS`, settings as JSON.

It reads frames of cases from standard input and writes frames of grades to standard output, in order; first of all it
writes {"ready": true}. It ends, with its own workers, as soon as its input ends, even in the middle of a case: a parent
that was killed leaves nobody behind.
"""

import json
import os
import queue
import signal
import sys
import threading
from types import FrameType

from dartune.grading.case import grade_case
from dartune.grading.grader import Grader
from dartune.grading.parallel.wire import Settings, pack_grades, unpack_cases
from dartune.grading.symbolic.worker import body_length, pack


def main() -> None:
    """Serve until the input ends."""
    settings = Settings(**json.loads(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what it means
    grader = Grader(lenient=settings.lenient, timeout_s=settings.timeout_s, memory_mb=settings.memory_mb)

    def terminate(signum: int, frame: FrameType | None) -> None:
        _end(grader)

    signal.signal(signal.SIGTERM, terminate)
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(frames, grader), daemon=True).start()
    _send(pack({"ready": True}))
    while True:
        cases = unpack_cases(frames.get())
        _send(pack_grades([grade_case(grader, case, judge=settings.judge) for case in cases]))


def _receive(frames: queue.SimpleQueue[bytes], grader: Grader) -> None:
    """Read in a thread of its own, so that the end of the input is seen while a case is being graded."""
    stdin = sys.stdin.buffer
    while len(header := stdin.read(4)) == 4:
        frames.put(stdin.read(body_length(header)))
    _end(grader)


def _send(frame: bytes) -> None:
    sys.stdout.buffer.write(frame)
    sys.stdout.buffer.flush()


def _end(grader: Grader) -> None:
    grader.close()
    os._exit(0)


if __name__ == "__main__":
    main()
