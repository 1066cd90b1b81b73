"""Mathematical expressions: read within limits, compared by their values at a few points."""

from dartune.grading.expressions.probe import constant_ratio, constant_value, same_value
from dartune.grading.expressions.reader import read

__all__ = ["constant_ratio", "constant_value", "read", "same_value", "value_of"]


def value_of(text: str) -> complex | None:
    """The value of a constant expression in canonical text; None where it cannot be read, has variables or no value."""
    expression = read(text)
    return constant_value(expression) if expression is not None else None
