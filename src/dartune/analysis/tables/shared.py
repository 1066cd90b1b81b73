"""What several tables have in common. Pure."""

from collections.abc import Iterable

OVER_QUERIES = (
    "In %, with the 95 % interval over a benchmark's queries; the spread between training seeds is not in it."
)
HEADLINE = "Headline: mean over levels, or plain accuracy where there are none."


def sorted_levels(levels: Iterable[int | None]) -> list[int]:
    """The levels that there are, rising."""
    return sorted({level for level in levels if level is not None})
