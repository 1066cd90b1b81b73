"""Scores that others have published, from the data file beside this one: never mixed with scores of one's own."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

_FILE = Path(__file__).with_name("published.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedScores:
    """One model's row of a published table."""

    model: str
    base: str
    """The model that was fine-tuned."""
    accuracy: Mapping[str, float]
    """Benchmark -> share of right answers in [0, 1], to three digits."""
    source: str
    is_vrt: bool
    """Whether it is the baseline that the paper's gains on its base are over: vanilla rejection tuning."""

    def average(self, of: Collection[str] | None = None) -> float:
        """Plain mean over the benchmarks `of`, or over all. Raises StatisticsError where it has none of them."""
        return fmean(value for name, value in self.accuracy.items() if of is None or name in of)


@cache
def published_scores() -> tuple[PublishedScores, ...]:
    """All rows of the data file, in its order."""
    document = json.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(
        PublishedScores(
            model=row["model"],
            base=row["base"],
            accuracy={name: value / 100 for name, value in zip(document["benchmarks"], row["scores"], strict=True)},
            source=document["vrt_source" if row.get("is_vrt") else "source"],
            is_vrt=row.get("is_vrt", False),
        )
        for row in document["rows"]
    )
