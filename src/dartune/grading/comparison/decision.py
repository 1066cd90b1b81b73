"""What is compared, and what comparing comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Pair(NamedTuple):
    """A reference and an answer in canonical spelling, fit to be compared."""

    ref: str
    answer: str


class Decision(NamedTuple):
    """What comparing came to without symbolic algebra."""

    equal: bool | None
    """None where it is not decided."""
    rule: str
    """Name of the step that decided; "limit" where one side is too long or too deep,
    "prose" where the reference is a phrase that other words may say, "symbolic" for what is left."""
    pair: Pair | None = None
    """What symbolic algebra is to compare; None where it must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One final answer to be judged."""

    ref_answer: str
    """As the data set writes it."""
    answer: str
    """As extracted, before normalisation."""
    query: str | None = None
    meta: Mapping[str, object] = field(default_factory=dict)
    """Fields of the query's row that say how it is graded, such as `answer_type` or `error`."""
