from itertools import pairwise
from random import Random
from typing import get_args

import pytest

from dartune.world.problems import LARGEST, STEPS_OF_LEVEL, Bucket, Problem, Step, random_problem


def problems(level: int, bucket: Bucket, n: int) -> list[Problem]:
    rng = Random(f"{level}/{bucket}")
    return [random_problem(rng, level, bucket) for _ in range(n)]


@pytest.mark.parametrize("level", STEPS_OF_LEVEL)
def test_chains_stay_in_range_and_divide_exactly(level: int) -> None:
    fewest, most = STEPS_OF_LEVEL[level]
    for problem in problems(level, "train", 500):
        assert fewest <= len(problem.steps) <= most
        assert all(1 <= value <= LARGEST for value in problem.values)
        for step, (before, after) in zip(problem.steps, pairwise(problem.values), strict=True):
            assert step.inverse().apply(after) == before


@pytest.mark.parametrize("level", STEPS_OF_LEVEL)
def test_every_length_and_operator_of_a_level_occurs(level: int) -> None:
    drawn = problems(level, "held-out", 500)
    fewest, most = STEPS_OF_LEVEL[level]
    assert {len(p.steps) for p in drawn} == set(range(fewest, most + 1))
    assert {s.operator for p in drawn for s in p.steps} == set("+-*/")


@pytest.mark.parametrize("level", STEPS_OF_LEVEL)
def test_buckets_share_no_content(level: int) -> None:
    contents = {bucket: {p.content for p in problems(level, bucket, 3000)} for bucket in get_args(Bucket)}
    assert not contents["pretrain"] & contents["train"]
    assert not contents["pretrain"] & contents["held-out"]
    assert not contents["train"] & contents["held-out"]


def test_content_ignores_the_order_of_the_first_operands_only() -> None:
    def chain(start: int, *steps: tuple[str, int]) -> Problem:
        return Problem(start=start, steps=tuple(Step(operator=op, operand=n) for op, n in steps))  # type: ignore[arg-type]

    assert chain(40, ("+", 2)).content == chain(2, ("+", 40)).content
    assert chain(8, ("*", 3), ("-", 1)).content == chain(3, ("*", 8), ("-", 1)).content
    assert chain(40, ("-", 2)).content != chain(2, ("-", 40)).content
    assert chain(5, ("-", 1), ("+", 3)).content != chain(5, ("-", 3), ("+", 1)).content
    assert chain(40, ("+", 2)).bucket == chain(2, ("+", 40)).bucket
