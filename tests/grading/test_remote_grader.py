"""Graders on a real Ray cluster: the grades are those of a grader here, whoever dies."""

import asyncio
import os
import signal

import pytest

from cluster.loopback import ray_alone, replica_pids
from dartune.errors import ConfigError, InputError
from dartune.grading import Grader
from dartune.grading.remote import RemoteGrader
from dartune.types import Grade

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]

RESPONSES = ["\\boxed{12}", "\\boxed{13}", "I do not know", "So x = 12", "\\boxed{(x+1)^2 - x^2 - 2x + 11}"]
CASES = [("12", response) for response in RESPONSES * 200]
HARD = [(f"(x+{i})^3", f"\\boxed{{x^3 + {3 * i}x^2 + {3 * i * i}x + {i**3}}}") for i in range(1, 60)]


async def grade_all(grader: Grader | RemoteGrader, cases: list[tuple[str, str]]) -> list[Grade]:
    return await asyncio.gather(*(grader.grade_async(ref_answer=ref, response=text) for ref, text in cases))


def test_grades_are_the_same_though_a_grader_is_killed() -> None:
    with Grader(n_workers=2) as grader:
        expected = asyncio.run(grade_all(grader, CASES + HARD))

    async def main(remote: RemoteGrader) -> list[Grade]:
        await remote.grade_async(ref_answer="1", response="\\boxed{1}")
        assert remote._fleet is not None
        fleet = await remote._fleet
        while fleet.n_places < 128:
            await asyncio.sleep(0.05)
        victim = replica_pids()[0]
        os.kill(victim, signal.SIGSTOP)  # what it gets now, it will have when it dies
        grades = asyncio.create_task(grade_all(remote, CASES + HARD))
        await asyncio.sleep(2)
        assert not grades.done()
        os.kill(victim, signal.SIGKILL)
        await asyncio.wait([grades])
        assert fleet.stats.n_asked_again == 64
        return await grades

    with ray_alone(), RemoteGrader(2, None) as remote:
        assert asyncio.run(main(remote)) == expected
    assert {grade.verdict for grade in expected} >= {"correct", "incorrect", "no_answer"}


def test_what_cannot_be_is_an_error_of_the_user() -> None:
    with ray_alone(), RemoteGrader(1000, None) as remote:
        with pytest.raises(InputError, match="judge 'nosuch'"):
            asyncio.run(remote.grade_async(ref_answer="1", response="1", judge="nosuch"))
        with pytest.raises(ConfigError, match="1000 graders of 1 CPU do not fit into the cluster"):
            asyncio.run(remote.grade_async(ref_answer="1", response="1"))
