"""What hostile texts cost: CPU seconds, memory of the symbolic worker, and whether anything stops or runs.

    python benchmarks/grading_hostile.py [--json] [--quick]

Each answer of `graders/hostile.py` is graded in a box against `5`, as the reference of `x+1`, and as the reference of
itself plus one; each response against `5`. After each of them a plain case must be graded right. CPU time of the worker
and its peak of resident memory (`VmHWM`) are read from /proc every few milliseconds, so that a worker that is
killed is counted as well; elsewhere than on Linux they are 0.

The last line is one JSON object. `stopped_ms` is the longest time by the clock that the plain case took after a
hostile one, `code_ran` whether a text was evaluated, `wrong` how often a text was graded `correct`: none of them is.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from dartune.grading import Grader
from dartune.types import Grade
from graders.hostile import ANSWERS, RESPONSES, SENTINEL

QUICK_STRIDE = 10
POLL_S = 0.005


class Attack(NamedTuple):
    """One hostile call."""

    name: str
    ref_answer: str
    text: str
    is_response: bool
    """Whether an answer is to be found in `text` first."""

    def grade(self, grader: Grader) -> Grade:
        """Do it."""
        if self.is_response:
            return grader.grade(ref_answer=self.ref_answer, response=self.text)
        return grader.grade_answer(ref_answer=self.ref_answer, answer=self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one attack took."""

    name: str
    verdict: str
    rule: str
    cpu_ms: float
    """Of the thread that asks."""
    worker_cpu_ms: float
    """Of the worker; the start of a new one, where the last was killed, is about 700 ms of it."""
    worker_mb: float
    """Peak of resident memory of the worker, if one ran, its libraries (about 100 MB) included."""
    wall_ms: float
    stopped_ms: float
    """By the clock, for the plain case after it."""


class Watch(threading.Thread):
    """Reads CPU time and peak memory of a grader's workers until it is left."""

    def __init__(self, grader: Grader) -> None:
        super().__init__(daemon=True)
        self._grader = grader
        self._left = threading.Event()
        self._before = {pid: _cpu_s(pid) for pid in grader.worker_pids}
        self._cpu_s: dict[int, float] = {}
        self.peak_mb = 0.0

    def run(self) -> None:
        """Look every few milliseconds."""
        while not self._left.wait(POLL_S):
            self._look()

    def _look(self) -> None:
        for pid in self._grader.worker_pids:
            used = _cpu_s(pid)
            if used > self._cpu_s.get(pid, self._before.get(pid, 0.0)):
                self._cpu_s[pid] = used
                self.peak_mb = max(self.peak_mb, _peak_mb(pid))

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the workers while this watched."""
        return sum(used - self._before.get(pid, 0.0) for pid, used in self._cpu_s.items())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self.join()
        self._look()


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def attacks() -> Iterator[Attack]:
    """Every hostile text in every place."""
    for name, text in ANSWERS.items():
        yield Attack(f"answer: {name}", "5", f"So it is \\boxed{{{text}}}.", True)
        yield Attack(f"reference: {name}", text, "x+1", False)
        yield Attack(f"both: {name}", text, f"{text}+1", False)
    for name, text in RESPONSES.items():
        yield Attack(f"response: {name}", "5", text, True)


def measure(attack: Attack, grader: Grader, number: int) -> Cost:
    """One attack, and a plain case after it that no memory of earlier cases answers."""
    with Watch(grader) as watch:
        cpu, wall = time.thread_time(), time.perf_counter()
        grade = attack.grade(grader)
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    begin = time.perf_counter()
    plain = grader.grade(ref_answer=str(number), response=f"The answer is {number}.0")
    stopped = time.perf_counter() - begin
    assert plain.verdict == "correct", (attack.name, plain)
    return Cost(
        name=attack.name,
        verdict=grade.verdict,
        rule=grade.rule,
        cpu_ms=round(1000 * cpu, 2),
        worker_cpu_ms=round(1000 * watch.cpu_s, 1),
        worker_mb=round(watch.peak_mb, 1),
        wall_ms=round(1000 * wall, 2),
        stopped_ms=round(1000 * stopped, 3),
    )


def summary(costs: list[Cost], *, code_ran: bool) -> dict[str, object]:
    """The benchmark's last line."""
    verdicts = [cost.verdict for cost in costs]
    return {
        "n": len(costs),
        "wrong": verdicts.count("correct"),
        "verdicts": {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))},
        "code_ran": code_ran,
        "max_cpu_ms": max(cost.cpu_ms for cost in costs),
        "max_worker_cpu_ms": max(cost.worker_cpu_ms for cost in costs),
        "max_wall_ms": max(cost.wall_ms for cost in costs),
        "max_worker_mb": max(cost.worker_mb for cost in costs),
        "stopped_ms": max(cost.stopped_ms for cost in costs),
    }


def main() -> None:
    """Attack, print what each took, and as the last line one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK_STRIDE}th attack")
    options = parser.parse_args()
    chosen = list(attacks())[:: QUICK_STRIDE if options.quick else 1]
    costs = []
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with Grader() as grader:
            grader.grade_answer(ref_answer="\\sum_{k=1}^{3} k", answer="6")  # a worker's start is no attack's cost
            for number, attack in enumerate(chosen):
                costs.append(measure(attack, grader, number))
                if not options.json:
                    print("  ".join(f"{value}" for value in asdict(costs[-1]).values()), flush=True)
        code_ran = Path(SENTINEL).exists()
        os.chdir(home)
    print(json.dumps(summary(costs, code_ran=code_ran)))


if __name__ == "__main__":
    main()
