"""One thing to grade, with the truth."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A response, or a final answer given as such, and whether it is right."""

    ref_answer: str
    text: str
    right: bool
    origin: str
    """File of the recorded outputs, or name of the transformation."""
    query: str | None = None
    """The problem that a whole response answers; None where `text` is a final answer."""
    judge: str = "default"
    """Whose rules decide."""
