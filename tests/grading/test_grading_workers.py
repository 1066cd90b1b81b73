"""Workers are killed in the middle, at their limits and with their parents; no failure of theirs is a verdict."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dartune.grading import Grader
from dartune.grading.comparison.decision import Pair
from dartune.grading.symbolic.pool import WorkerPool

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ENDLESS = r"\sum_{k=1}^{100000} \frac{\sin k}{k^3}"
"""An answer whose comparison with a number takes longer than any limit used here."""


def _sum(n: int) -> dict[str, str]:
    """An equality that is left to a worker."""
    return {"ref_answer": str(n * (n + 1) // 2), "answer": rf"\sum_{{k=1}}^{{{n}}} k"}


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _await_death(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_a_worker_over_its_limit_is_killed_and_replaced() -> None:
    with Grader(timeout_s=0.5) as grader:
        assert grader.grade_answer(**_sum(3)).verdict == "correct"
        (first,) = grader.worker_pids
        grade = grader.grade_answer(ref_answer="5", answer=ENDLESS)
        assert (grade.verdict, grade.rule) == ("timeout", "given/symbolic")
        assert not _is_alive(first)
        assert grader.grade_answer(**_sum(4)).verdict == "correct"
        assert grader.worker_pids != [first]


def test_a_worker_killed_in_the_middle_is_never_incorrect() -> None:
    with Grader(timeout_s=20) as grader:
        assert grader.grade_answer(**_sum(3)).verdict == "correct"
        with ThreadPoolExecutor(1) as thread:
            pending = thread.submit(grader.grade_answer, ref_answer="5", answer=ENDLESS)
            killed: set[int] = set()
            while not pending.done() and len(killed) < 2:
                for pid in set(grader.worker_pids) - killed:
                    time.sleep(0.2)
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
            assert pending.result(timeout=30).verdict == "ungradable"
        assert len(killed) == 2


def test_a_worker_killed_while_idle_is_not_noticed() -> None:
    with Grader() as grader:
        assert grader.grade_answer(**_sum(3)).verdict == "correct"
        os.kill(grader.worker_pids[0], signal.SIGKILL)
        assert grader.grade_answer(**_sum(4)).verdict == "correct"


def test_too_little_memory_is_ungradable() -> None:
    pool = WorkerPool(1, timeout_s=20, memory_mb=8)
    try:
        assert pool.judge(Pair("5", "(x+y+z+w)^{60}-(x+y+z+w)^{59}")) in ("failed", "timeout")
    finally:
        pool.close()


def test_a_worker_that_cannot_start_is_ungradable(monkeypatch: pytest.MonkeyPatch) -> None:
    with Grader() as grader:
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")
        assert grader.grade_answer(**_sum(3)).verdict == "ungradable"
        monkeypatch.undo()
        assert grader.grade_answer(**_sum(3)).verdict == "correct"


def test_grades_from_threads_agree() -> None:
    with Grader(n_workers=2) as grader, ThreadPoolExecutor(8) as threads:
        answers = [rf"\sum_{{k=1}}^{{{n}}} k" for n in range(1, 41)]
        refs = [str(n * (n + 1) // 2 - n % 2) for n in range(1, 41)]
        grades = list(threads.map(lambda n: grader.grade_answer(ref_answer=refs[n], answer=answers[n]), range(40)))
        assert [grade.verdict for grade in grades] == ["incorrect", "correct"] * 20
        assert len(grader.worker_pids) <= 2


def test_short_lived_threads_do_not_take_the_worker_with_them() -> None:
    with Grader() as grader:
        for n in (1, 2):
            thread = threading.Thread(target=grader.grade_answer, kwargs=_sum(n))
            thread.start()
            thread.join()
            if n == 1:
                pids = grader.worker_pids
        assert grader.worker_pids == pids


def test_the_event_loop_runs_on_while_a_worker_is_busy() -> None:
    async def scenario() -> tuple[str, int]:
        with Grader(timeout_s=0.5) as grader:
            pending = asyncio.create_task(grader.grade_async(ref_answer="5", response=f"\\boxed{{{ENDLESS}}}"))
            n_turns = 0
            while not pending.done():
                await asyncio.sleep(0.01)
                n_turns += 1
            return pending.result().verdict, n_turns

    verdict, n_turns = asyncio.run(scenario())
    assert verdict == "timeout"
    assert n_turns > 5


def test_the_fast_path_starts_no_worker() -> None:
    async def scenario(grader: Grader) -> str:
        return (await grader.grade_async(ref_answer="\\frac{1}{2}", response="\\boxed{0.5}")).verdict

    with Grader() as grader:
        assert asyncio.run(scenario(grader)) == "correct"
        assert grader.worker_pids == []


def test_a_repeated_comparison_is_remembered() -> None:
    with Grader() as grader:
        assert grader.grade_answer(**_sum(3)).verdict == "correct"
        os.kill(grader.worker_pids[0], signal.SIGKILL)
        assert _await_death(grader.worker_pids[0], 5)
        pids = grader.worker_pids
        again = {"ref_answer": "6", "answer": r"\displaystyle\sum_{k=1}^{3}k"}
        assert grader.grade_answer(**again).verdict == "correct"
        assert grader.worker_pids == pids


def test_the_memory_of_comparisons_is_bounded() -> None:
    with Grader(memo_size=1) as grader:
        for n in (3, 4):
            assert grader.grade_answer(**_sum(n)).verdict == "correct"
        os.kill(grader.worker_pids[0], signal.SIGKILL)
        before = grader.worker_pids
        assert grader.grade_answer(**_sum(3)).verdict == "correct"
        assert grader.worker_pids != before


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


def test_a_plain_program_needs_no_set_up_and_leaves_no_worker() -> None:
    done = _run(
        "import dartune.grading as g\n"
        f"print(g.equivalent(**{_sum(3)!r}), g.grade(ref_answer='2', response='A: 3').verdict)\n"
        "print(g._default[0].worker_pids[0])"
    )
    assert done.stderr == ""
    first, pid = done.stdout.split("\n")[:2]
    assert first == "True incorrect"
    assert _await_death(int(pid), 10)


def test_an_idle_worker_dies_with_a_killed_parent() -> None:
    done = _run(
        "import dartune.grading as g, os, signal\n"
        f"g.equivalent(**{_sum(3)!r})\n"
        "print(g._default[0].worker_pids[0], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert done.returncode == -signal.SIGKILL
    assert _await_death(int(done.stdout), 10)


def test_a_busy_worker_dies_soon_after_its_killed_parent() -> None:
    done = _run(
        "import dartune.grading as g, os, signal, threading, time\n"
        "grader = g.Grader(timeout_s=1.0)\n"
        f"grader.grade_answer(**{_sum(3)!r})\n"
        f"ask = dict(ref_answer='5', answer={ENDLESS!r})\n"
        "threading.Thread(target=grader.grade_answer, kwargs=ask, daemon=True).start()\n"
        "time.sleep(0.3)\n"
        "print(grader.worker_pids[0], flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert _await_death(int(done.stdout), 40)


def test_a_forked_child_has_workers_of_its_own() -> None:
    done = _run(
        "import dartune.grading as g, os\n"
        "grader = g.Grader()\n"
        f"assert grader.grade_answer(**{_sum(3)!r}).verdict == 'correct'\n"
        "mine = grader.worker_pids\n"
        "if (child := os.fork()) == 0:\n"
        f"    same = grader.grade_answer(**{_sum(4)!r}).verdict == 'correct'\n"
        "    fresh = grader.worker_pids != mine\n"
        "    grader.close()\n"
        "    os._exit(0 if same and fresh else 1)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        f"assert grader.grade_answer(**{_sum(5)!r}).verdict == 'correct'\n"
        "assert grader.worker_pids == mine"
    )
    assert (done.returncode, done.stderr) == (0, "")
