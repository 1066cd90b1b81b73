"""The sets of problems that have a name."""

from dataclasses import dataclass

from dartune.queries.benchmarks import BENCHMARKS


@dataclass(frozen=True, slots=True, kw_only=True)
class SetInfo:
    """One line of `dartune queries list`."""

    name: str
    description: str
    n_rows: int | None
    """None for a procedural set: as many as are asked for."""
    levels: tuple[int, ...]
    n_domains: int
    sources: tuple[str, ...]
    """Short names, in the order in which they are tried."""
    contamination: str = ""
    """What is known of its problems being in training data; empty where nothing is."""


def describe_sets() -> tuple[SetInfo, ...]:
    """All named sets, benchmarks first."""
    from dartune.world import WORLD_SETS

    benchmarks = tuple(
        SetInfo(
            name=benchmark.name,
            description=benchmark.description,
            n_rows=benchmark.n_rows,
            levels=benchmark.levels,
            n_domains=benchmark.n_domains,
            sources=tuple(source.label for source in benchmark.sources),
            contamination=benchmark.contamination,
        )
        for benchmark in BENCHMARKS.values()
    )
    worlds = tuple(
        SetInfo(
            name=name,
            description=world.description,
            n_rows=None,
            levels=world.levels,
            n_domains=1,
            sources=("made on demand",),
        )
        for name, world in WORLD_SETS.items()
    )
    return benchmarks + worlds
