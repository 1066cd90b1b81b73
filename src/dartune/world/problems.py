"""Arithmetic problems whose answers are known by construction.

A problem is a chain: a start value and steps of + - * / whose every value is an integer in 1..99. The three families
are wordings of the same chains, so the content of a problem is its chain, whatever the names, objects or family.
Content decides the bucket: no chain that pretraining words in any family is ever a training or a held-out query.
"""

import hashlib
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

Family = Literal["story", "expr", "rev"]
Bucket = Literal["pretrain", "train", "held-out"]
Operator = Literal["+", "-", "*", "/"]

LARGEST = 99
"""Every value of a chain lies in 1..LARGEST; each number is one token."""

STEPS_OF_LEVEL: dict[int, tuple[int, int]] = {1: (1, 1), 2: (2, 2), 3: (3, 4), 4: (5, 6), 5: (7, 9), 6: (10, 12)}
"""Level -> fewest and most steps."""

_BUCKETS: tuple[Bucket, ...] = get_args(Bucket)
_LARGEST_TERM = 20
_LARGEST_FACTOR = 9
_INVERSE: dict[Operator, Operator] = {"+": "-", "-": "+", "*": "/", "/": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation on the value so far."""

    operator: Operator
    operand: int

    def apply(self, value: int) -> int:
        """Value after the step; a division is exact by construction."""
        match self.operator:
            case "+":
                return value + self.operand
            case "-":
                return value - self.operand
            case "*":
                return value * self.operand
            case "/":
                return value // self.operand

    def inverse(self) -> "Step":
        """The step that undoes this one."""
        return Step(operator=_INVERSE[self.operator], operand=self.operand)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A chain to be computed: what a solution does, in whichever family it is asked."""

    start: int
    steps: tuple[Step, ...]

    @property
    def values(self) -> tuple[int, ...]:
        """The start and the value after every step."""
        values = [self.start]
        for step in self.steps:
            values.append(step.apply(values[-1]))
        return tuple(values)

    @property
    def answer(self) -> int:
        """The last value."""
        return self.values[-1]

    @property
    def content(self) -> str:
        """Canonical text: equal for two problems whose chains are the same up to the order of the first + or *."""
        start, first = self.start, self.steps[0]
        if first.operator in "+*" and first.operand < start:
            start, first = first.operand, Step(operator=first.operator, operand=start)
        return " ".join([str(start), *(f"{s.operator} {s.operand}" for s in (first, *self.steps[1:]))])

    @property
    def bucket(self) -> Bucket:
        """Which third of all chains this one belongs to: a hash of its content."""
        digest = hashlib.blake2b(self.content.encode(), digest_size=8).digest()
        return _BUCKETS[int.from_bytes(digest, "big") % len(_BUCKETS)]


def random_step(rng: Random, value: int) -> Step:
    """One step from `value` (1..99) to another value in range: an operator that can be applied, then its operand."""
    choices: list[tuple[Operator, range | list[int]]] = []
    if value < LARGEST:
        choices.append(("+", range(1, min(_LARGEST_TERM, LARGEST - value) + 1)))
    if value > 1:
        choices.append(("-", range(1, min(_LARGEST_TERM, value - 1) + 1)))
    if 2 * value <= LARGEST:
        choices.append(("*", range(2, min(_LARGEST_FACTOR, LARGEST // value) + 1)))
    if divisors := [d for d in range(2, _LARGEST_FACTOR + 1) if value % d == 0]:
        choices.append(("/", divisors))
    operator, operands = rng.choice(choices)
    return Step(operator=operator, operand=rng.choice(operands))


def random_problem(rng: Random, level: int, bucket: Bucket) -> Problem:
    """A problem of the level whose content lies in the bucket."""
    while True:
        value = start = rng.randint(2, LARGEST)
        steps = []
        for _ in range(rng.randint(*STEPS_OF_LEVEL[level])):
            step = random_step(rng, value)
            value = step.apply(value)
            steps.append(step)
        problem = Problem(start=start, steps=tuple(steps))
        if problem.bucket == bucket:
            return problem
