"""What a judge is: how one benchmark decides whether a final answer is its reference."""

from collections.abc import Callable
from dataclasses import dataclass

from dartune.grading.comparison.decision import Decision, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The rule of one benchmark."""

    name: str
    decide: Callable[[Task], Decision]
    """Pure. Leaves to symbolic algebra what it gives back as a `pair`."""
    reads: tuple[str, ...] = ()
    """Names of the `meta` fields that `decide` looks at."""
