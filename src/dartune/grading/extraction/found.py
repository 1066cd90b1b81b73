"""What a rule of extraction is, and what it gives back."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

_EMPTY = re.compile(r"[\s.$*_:#`]*")


class Found(NamedTuple):
    """What a rule found."""

    answer: str
    complete: bool
    """Whether the answer is known to be finished: something after it closes it."""


class Rule(NamedTuple):
    """A named way to find the final answer; `find` is pure and takes time linear in the text."""

    name: str
    description: str
    """What the rule reads and takes, in one line."""
    find: Callable[[str], Found | None]
    reads: Literal["spoken", "thought"] = "spoken"
    """Which part of a response it is given."""


def is_empty(answer: str) -> bool:
    """Whether nothing is left of `answer` but white space and marks that only look."""
    return _EMPTY.fullmatch(answer) is not None
