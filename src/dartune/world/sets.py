"""The named query sets of the embedded world."""

from dataclasses import dataclass
from random import Random

from dartune.errors import ConfigError
from dartune.types import Query
from dartune.world.problems import Bucket, Family, random_problem
from dartune.world.wording import word_query

_REPEATS_BEFORE_EXHAUSTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSet:
    """A named family of query sets; a seed picks one."""

    family: Family
    bucket: Bucket
    levels: tuple[int, ...] = (1, 2, 3, 4, 5)
    description: str


WORLD_SETS: dict[str, WorldSet] = {
    "world/train": WorldSet(family="story", bucket="train", description="Stories of levels 1-5 to train on"),
    "world/held-out": WorldSet(family="story", bucket="held-out", description="Stories of levels 1-5 to test on"),
    "world/expr": WorldSet(
        family="expr", bucket="held-out", description="Out of domain: bare expressions of levels 1-5 to test on"
    ),
    "world/rev": WorldSet(
        family="rev", bucket="held-out", description="Out of domain: stories of levels 1-5 asked backwards"
    ),
    "world/level-6": WorldSet(
        family="story", bucket="held-out", levels=(6,), description="Out of domain: stories longer than any trained on"
    ),
}
"""Name -> what the set holds. No chain of numbers and operations is in two buckets."""


def world_queries(name: str, *, n: int, seed: int, levels: tuple[int, ...] | None = None) -> list[Query]:
    """The first `n` queries of a seeded endless list in which levels take turns; all texts differ.

    A shorter list is a prefix of a longer one. Two seeds of one name give different queries, apart from repeats by
    chance in the small space of level 1.

    Raises:
        ConfigError: unknown name or level, a negative n, or more queries than the set has different ones.
    """
    if name not in WORLD_SETS:
        raise ConfigError(f"query set: expected one of {', '.join(WORLD_SETS)}, got {name!r}")
    if n < 0:
        raise ConfigError(f"{name}: n must be 0 or more, got {n}")
    chosen = WORLD_SETS[name]
    levels = chosen.levels if levels is None else levels
    if not levels or not set(levels) <= set(chosen.levels):
        raise ConfigError(f"{name}: levels must be among {chosen.levels}, got {levels}")
    rng = Random(f"{name}/{seed}")
    queries: dict[str, Query] = {}
    for i in range(n):
        query = _fresh_query(name, levels[i % len(levels)], queries, rng)
        queries[query.text] = query
    return list(queries.values())


def _fresh_query(name: str, level: int, taken: dict[str, Query], rng: Random) -> Query:
    """A query whose text is not yet taken."""
    chosen = WORLD_SETS[name]
    for _ in range(_REPEATS_BEFORE_EXHAUSTED):
        problem = random_problem(rng, level, chosen.bucket)
        text = word_query(problem, chosen.family, rng)
        if text not in taken:
            return Query.of(text, str(problem.answer), level=level, domain=chosen.family, source=name)
    raise ConfigError(f"{name}: level {level} has no more different queries after {len(taken)} in all; ask for fewer")
