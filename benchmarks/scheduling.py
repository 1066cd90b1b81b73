"""Ours beside the paper's batch loop on a simulated engine; what giving up saves; and the pace of the real thing.

    python benchmarks/scheduling.py [--json] [--quick]

Pass rates are drawn from the published shape of MATH and GSM8K (`planning/shapes.py`); lengths are lognormal, and
longer for harder queries; the engine has 512 places. All lines of a table meet the same tries. The last line is one
JSON object:

    occupancy, surplus, makespan_over_bound      ours, with 100 thousand queries and 10 million samples
    reference_occupancy, reference_surplus       the batch loop there, with the size of batch that ends soonest
    raw_saved, kept_correct, coverage_change     giving up, against not giving up; never-solved queries keep their cap
    samples_per_s, rss_growth_mb                 ledger, fake engine, grader and pool (`sampling_throughput.py`)

Shares are in [0, 1]; `coverage_change` is the difference of two. Takes a quarter of an hour; --quick takes a minute.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rich.console import Console

from dartune.allocation import uniform
from dartune.analysis.drawing.grid import Grid, to_rich
from dartune.config import GiveUpConfig, SamplingConfig, UniformMethod
from dartune.planning.nodes import NODES
from dartune.planning.pass_rates import PassRates
from dartune.planning.shapes import N_QUERIES, published_shape
from dartune.simulation.reference_loop import batch_loop
from dartune.simulation.report import SimulationReport
from dartune.simulation.scripted import ScriptedTries
from dartune.simulation.simulate import Simulation, simulate
from sampling_throughput import measure

N_PLACES = 512
BATCHES = (1_024, 2_048, 4_096, 8_192, 16_384)
SPECULATION = 0.5


class Work(NamedTuple):
    """DARS-Uniform on so many queries."""

    n_queries: int
    k: int
    max_trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    small: Work
    large: Work
    giving_up: tuple[Work, ...]
    speculations: tuple[float, ...]
    """Of the small work; the large one is done with `SPECULATION`."""
    n_sampled_queries: int
    n_samples: int


FULL = Size(
    small=Work(3_000, 40, 2_048),
    large=Work(100_000, 7, 2_048),
    giving_up=(Work(15_000, 40, 2_048), Work(15_000, 40, 8_192)),
    speculations=(0.0, 0.25, 0.5, 1.0),
    n_sampled_queries=20_000,
    n_samples=1_000_000,
)
QUICK = Size(
    small=Work(1_000, 40, 2_048),
    large=Work(4_000, 7, 2_048),
    giving_up=(Work(600, 40, 8_192),),
    speculations=(0.0, 1.0),
    n_sampled_queries=2_000,
    n_samples=20_000,
)
RULES = {
    "keep their cap": GiveUpConfig(),
    "are given up too": GiveUpConfig(below=0.5, min_yield=0.015, unsolved=0.005),
}
"""What is done with never-solved queries -> the rule."""


class Line(NamedTuple):
    """One way to do the same work."""

    name: str
    report: SimulationReport


def published_rates(n_queries: int, seed: int = 0) -> PassRates:
    """Queries drawn from the published shape; within a group the harder ones have the longer responses."""
    shape, random = published_shape(), np.random.default_rng(seed)
    groups = random.choice(len(N_QUERIES), n_queries, p=N_QUERIES / N_QUERIES.sum())
    pass_rate = np.empty(n_queries)
    for group, weights in enumerate(shape.weights()):
        pass_rate[groups == group] = random.choice(NODES, np.count_nonzero(groups == group), p=weights / weights.sum())
    return PassRates(
        query_ids=tuple(f"{row:032x}" for row in range(n_queries)),
        pass_rate=pass_rate,
        level=groups.astype(np.int64),
        mean_tokens=shape.mean_tokens[groups] * (1.25 - 0.5 * pass_rate),
        n_trials=np.zeros(n_queries, np.int64),
    )


def ours(work: Work, speculation: float, give_up: GiveUpConfig | None = None) -> SimulationReport:
    method = UniformMethod(policy="uniform", k=work.k, max_trials=work.max_trials, give_up=give_up)
    return simulate(
        Simulation(
            methods={"uniform": method},
            rates=published_rates(work.n_queries),
            n_places=N_PLACES,
            sampling=SamplingConfig(speculation=speculation),
        )
    )


def reference(work: Work, n_batch: int) -> SimulationReport:
    targets = [uniform(work.k, max_trials=work.max_trials)] * work.n_queries
    return batch_loop(ScriptedTries(published_rates(work.n_queries)), targets, n_batch=n_batch, n_places=N_PLACES)


def schedule(work: Work, speculations: Iterable[float]) -> list[Line]:
    """Ours and the batch loop on the same tries; ours first."""
    return [
        *(Line(f"ours, speculation {speculation:g}", ours(work, speculation)) for speculation in speculations),
        *(Line(f"batches of {n_batch:,}", reference(work, n_batch)) for n_batch in BATCHES),
    ]


def schedule_grid(work: Work, lines: list[Line]) -> Grid:
    first = lines[0].report
    place_time = first.makespan * N_PLACES
    return Grid(
        title=f"{work.n_queries:,} queries until {work.k} are correct, at most {work.max_trials:,} tries",
        columns=("", "samples", "surplus", "occupied", "over bound", "time saved", "tokens in vain"),
        rows=tuple(
            (
                name,
                f"{report.n_raw:,}",
                f"{report.surplus:.3%}",
                f"{report.occupancy:.2%}",
                f"{report.makespan_over_bound:.4f}",
                f"{1 - report.makespan / first.makespan:.2%}",
                f"{report.n_tokens_ahead / place_time:.2%}",
            )
            for name, report in lines
        ),
        note="surplus: of the correct responses; the last two: of the places' time in the first line",
    )


class Saving(NamedTuple):
    """Giving up against not giving up, as shares."""

    raw: float
    kept: float
    coverage: float
    time: float


def saving(report: SimulationReport, base: SimulationReport) -> Saving:
    return Saving(
        raw=1.0 - report.n_raw / base.n_raw,
        kept=report.n_kept / base.n_kept,
        coverage=_coverage(report) - _coverage(base),
        time=1.0 - report.makespan / base.makespan,
    )


def _coverage(report: SimulationReport) -> float:
    return sum(level.n_covered for level in report.methods["uniform"]) / report.n_queries


def saving_grid(rows: Iterable[tuple[Work, str, Saving]]) -> Grid:
    return Grid(
        title="Giving up",
        columns=("cap", "never solved", "raw samples", "time", "correct kept", "coverage, points"),
        rows=tuple(
            (
                f"{work.max_trials:,}",
                name,
                f"{-saved.raw:+.1%}",
                f"{-saved.time:+.1%}",
                f"{saved.kept:.2%}",
                f"{100 * saved.coverage:+.2f}",
            )
            for work, name, saved in rows
        ),
        n_words=2,
        note="against the same run without giving up",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help="a smaller size, under a minute")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    console = Console(quiet=options.json, width=100)

    console.print(to_rich(schedule_grid(size.small, schedule(size.small, size.speculations))))
    large = schedule(size.large, [SPECULATION])
    console.print(to_rich(schedule_grid(size.large, large)))
    savings = []
    for work in size.giving_up:
        base = ours(work, SPECULATION)
        savings += [(work, name, saving(ours(work, SPECULATION, rule), base)) for name, rule in RULES.items()]
    console.print(to_rich(saving_grid(savings)))
    throughput = measure(size.n_sampled_queries, size.n_samples)

    own, best = large[0].report, min((line.report for line in large[1:]), key=lambda report: report.makespan)
    kept = savings[-len(RULES)][2]
    result = {
        "occupancy": own.occupancy,
        "surplus": own.surplus,
        "makespan_over_bound": own.makespan_over_bound,
        "samples_per_s": throughput["samples_per_s"],
        "rss_growth_mb": throughput["rss_growth_mb"],
        "reference_occupancy": best.occupancy,
        "reference_surplus": best.surplus,
        "raw_saved": kept.raw,
        "coverage_change": kept.coverage,
        "kept_correct": kept.kept,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
