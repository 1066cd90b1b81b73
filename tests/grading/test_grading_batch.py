"""The batch API: order, all cores, deaths, endings."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dartune.errors import ConfigError, DataError, InputError
from dartune.grading import Grader
from dartune.grading.batch import Case, grade_many
from dartune.grading.parallel.crew import grade_all
from dartune.grading.parallel.process import Died
from dartune.grading.parallel.wire import WORKER_DEATH
from dartune.types import Grade

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


def cases(n: int) -> list[Case]:
    """Every third answer is wrong."""
    return [Case(ref_answer=str(i), response=f"So it is \\boxed{{{i + (i % 3 == 0)}}}.") for i in range(n)]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def await_death(pids: list[int], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(map(is_alive, pids)):
            return True
        time.sleep(0.02)
    return False


def children(pid: int) -> list[int]:
    """Process ids of the children of a process, of any of its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


@pytest.mark.parametrize("n_workers", [1, 2, None])
def test_grades_come_in_order_and_are_the_graders(n_workers: int | None) -> None:
    wanted = ["incorrect" if i % 3 == 0 else "correct" for i in range(1000)]
    assert [grade.verdict for grade in grade_many(cases(1000), n_workers=n_workers)] == wanted


def test_several_processes_say_what_one_says() -> None:
    rows = [
        Case(ref_answer="1,3", response="\\boxed{13}"),
        Case(ref_answer="C", response="The answer is 5.", query="Pick one. (A) 3 (B) 4 (C) 5"),
        Case(ref_answer="2", response="so \\boxed{2", finish_reason="length"),
        Case(ref_answer="\ud800", response="\x00\u202e \ud800 \\boxed{\ud800}"),
        Case(ref_answer="7", response="seven, or 7"),
        Case(ref_answer="x", response=""),
    ]
    for lenient in (False, True):
        one, two = (list(grade_many(rows, n_workers=n, lenient=lenient)) for n in (1, 2))
        assert one == two
        assert one[4].verdict == ("correct" if lenient else "no_answer")


def test_no_case_and_no_process() -> None:
    assert list(grade_many([], n_workers=2)) == []


def test_cases_are_taken_as_they_are_needed() -> None:
    n_taken = 0

    def endless() -> Iterator[Case]:
        nonlocal n_taken
        while True:
            n_taken += 1
            yield Case(ref_answer="1", response="\\boxed{1}")

    grades = grade_many(endless(), n_workers=2)
    for _ in range(3000):
        next(grades)
    grades.close()
    assert n_taken < 6000


def test_bad_input_is_named_before_anything_starts() -> None:
    with pytest.raises(InputError, match="expected one of"):
        grade_many([], judge="nosuch")
    with pytest.raises(ConfigError, match="n_workers: expected a whole number from 1, got 0"):
        grade_many([], n_workers=0)
    with pytest.raises(DataError, match="response: expected text, got NoneType"):
        Case(ref_answer="1", response=None)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="finish_reason: expected stop or length, got 'eos'"):
        Case(ref_answer="1", response="", finish_reason="eos")  # type: ignore[arg-type]


def test_processes_killed_in_the_middle_are_replaced_and_nothing_is_lost() -> None:
    before = set(children(os.getpid()))
    rows = cases(12_000)
    verdicts = []
    n_killed = 0
    for grade in grade_many(rows, n_workers=2):
        verdicts.append(grade.verdict)
        if len(verdicts) % 2000 == 0:
            for pid in set(children(os.getpid())) - before:
                os.kill(pid, signal.SIGKILL)
                n_killed += 1
    assert n_killed >= 5
    assert verdicts == ["incorrect" if i % 3 == 0 else "correct" for i in range(12_000)]


class Deadly:
    """A process that a case with the response "poison" kills, and that an accident ends now and then."""

    def __init__(self, accidents: set[int]) -> None:
        self.accidents = accidents
        self.n_asked = 0

    def ask(self, cases: list[Case]) -> list[Grade]:
        self.n_asked += 1
        if self.n_asked in self.accidents or any(case.response == "poison" for case in cases):
            raise Died
        return [Grade(verdict="correct", answer=case.response, rule="r") for case in cases]


@pytest.mark.parametrize("poisoned", [{0}, {5}, {127}, {0, 63, 64}, set()])
@pytest.mark.parametrize("n", [1, 2, 7, 128])
def test_only_the_case_that_kills_is_ungradable(poisoned: set[int], n: int) -> None:
    chunk = [Case(ref_answer="1", response="poison" if i in poisoned else str(i)) for i in range(n)]
    grades = grade_all(Deadly(set()), chunk)  # type: ignore[arg-type]
    dead = Grade(verdict="ungradable", answer=None, rule=WORKER_DEATH)
    assert grades == [dead if i in poisoned else Grade(verdict="correct", answer=str(i), rule="r") for i in range(n)]


@pytest.mark.parametrize("accident", [1, 2, 3])
def test_one_accident_judges_nobody(accident: int) -> None:
    chunk = [Case(ref_answer="1", response=str(i)) for i in range(3)]
    assert {grade.verdict for grade in grade_all(Deadly({accident}), chunk)} == {"correct"}  # type: ignore[arg-type]
    assert grade_all(Deadly({1}), chunk[:1])[0].verdict == "correct"  # type: ignore[arg-type]


SLOW = Case(ref_answer="\\int_0^1 x dx", response="\\boxed{(x+y+z+w)^{2000}}")
"""Takes up to its limit in symbolic algebra."""


def test_closing_ends_the_processes() -> None:
    before = set(children(os.getpid()))
    grades = grade_many([*cases(128), *[SLOW] * 4, *cases(2000)], n_workers=2, timeout_s=30)
    next(grades)
    started = list(set(children(os.getpid())) - before)
    assert started
    grades.close()
    assert await_death(started, 3.0)


def test_dropping_the_iterator_ends_the_processes() -> None:
    before = set(children(os.getpid()))
    for _grade in grade_many(cases(2000), n_workers=2):
        started = list(set(children(os.getpid())) - before)
        break
    assert started
    assert await_death(started)


def test_it_works_from_threads_at_once() -> None:
    found: dict[int, int] = {}

    def work(number: int) -> None:
        found[number] = sum(grade.verdict == "correct" for grade in grade_many(cases(300), n_workers=2))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: 200, 1: 200, 2: 200}


SCRIPT = """
import sys
from dartune.grading.batch import Case, grade_many

def endless():
    while True:
        yield Case(ref_answer="x+1", response="\\\\boxed{1+x}")

grades = grade_many(endless(), n_workers=2)
for number, grade in enumerate(grades):
    if number == 500:
        print("going", flush=True)
        if sys.argv[1] == "exit":
            sys.exit(0)
"""


def start_script(how: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"going\n"
    return process


def test_a_script_without_a_main_guard_ends_in_good_order() -> None:
    process = start_script("exit")
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_orphan_is_left(how: signal.Signals) -> None:
    process = start_script("run")
    started = children(process.pid)
    started += [grandchild for child in started for grandchild in children(child)]
    assert len(started) >= 2
    if how is signal.SIGINT:
        os.killpg(process.pid, how)  # a terminal sends it to the whole group
    else:
        process.send_signal(how)
    process.communicate(timeout=20)
    assert process.returncode
    assert await_death(started)


def test_the_callers_grader_is_left_alone(grader: Grader) -> None:
    pids = grader.worker_pids
    list(grade_many(cases(300), n_workers=2))
    assert grader.worker_pids == pids
