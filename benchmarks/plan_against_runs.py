"""Plans against real runs: how often the 90 % intervals of `dartune plan` hold on the embedded world.

    python benchmarks/plan_against_runs.py [--json] [--quick] [--runs 20]

Each run has queries and samples of its own. A pilot of a few tries for each query is sampled with the packaged teacher;
the plan is made from that pool; the run is then continued to its end in the same pool, and what each method took and
gave is compared with what was predicted. The last line is one JSON object: for each method and quantity how many of the
runs lay in their interval, and the mean of actual / predicted.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dartune.allocation import n_trials_needed
from dartune.config import MethodConfig, Recipe, VanillaMethod
from dartune.engines.factory import build_engine
from dartune.grading import Grader
from dartune.methods import method_targets
from dartune.planning.beliefs import from_pilot
from dartune.planning.forecast import Expected, Forecast, Forecaster, Rates
from dartune.planning.made import read_made
from dartune.pool import read_outcomes
from dartune.prompts import load_template
from dartune.queries import load_queries
from dartune.recipes import load_recipe
from dartune.sampling.job import Job
from dartune.sampling.run import sample_pool
from dartune.types import Query

RECIPE = """
name = "planned"
[queries]
source = "world/train"
limit = {n_queries}
[prompt]
template = "world"
[engine]
name = "transformers"
model = "world:teacher-a"
n_places = 256
n_threads = 1
[sampling]
temperature = 1.0
top_p = 1.0
max_new_tokens = 160
[methods.vrt]
policy = "vanilla"
n_trials = 12
[methods.uniform]
policy = "uniform"
k = 4
max_trials = 64
[methods.prop2diff]
policy = "prop2diff"
k = 8
n_pilot = 8
max_trials = 64
[methods.giving-up]
policy = "uniform"
k = 4
max_trials = 64
n_pilot = 8
give_up = {{ below = 0.5, min_yield = 1.0 }}
"""
N_PILOT = 4
FIRST_SEED = 1000
"""The hyperpriors of `dartune.planning.prior_draws` were settled on the seeds 0 to 29 of this world."""


class Actual(NamedTuple):
    """What a method took and gave."""

    raw_samples: float
    tokens: float
    kept: float
    coverage: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--quick", action="store_true", help="three small runs: whether it works at all")
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    n_runs, n_queries = (3, 60) if arguments.quick else (arguments.runs, 150)
    inside: defaultdict[str, int] = defaultdict(int)
    ratios: defaultdict[str, list[float]] = defaultdict(list)
    widths: defaultdict[str, list[float]] = defaultdict(list)
    for seed in range(FIRST_SEED, FIRST_SEED + n_runs):
        for method, (forecast, actual) in plan_and_run(seed, n_queries).items():
            for quantity, value in actual._asdict().items():
                predicted = getattr(forecast, quantity)
                assert isinstance(predicted, Expected)
                name = f"{method} {quantity}"
                inside[name] += predicted.low - 1e-9 <= value <= predicted.high + 1e-9
                ratios[name].append(value / predicted.mean)
                widths[name].append((predicted.high - predicted.low) / 2 / predicted.mean)
                if not arguments.json:
                    print(f"run {seed}: {name}: {predicted.low:.5g} to {predicted.high:.5g}, was {value:.5g}")
    result = {
        "runs": n_runs,
        "queries": n_queries,
        "pilot_tries": N_PILOT,
        "inside": dict(inside),
        "share_inside": sum(inside.values()) / (n_runs * len(inside)),
        "actual_over_predicted": {name: round(float(np.mean(values)), 4) for name, values in ratios.items()},
        "half_width": {name: round(float(np.mean(values)), 4) for name, values in widths.items()},
    }
    print(json.dumps(result))


def plan_and_run(seed: int, n_queries: int) -> dict[str, tuple[Forecast, Actual]]:
    """Forecast and outcome of every method of one run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "planned.toml"
        path.write_text(RECIPE.format(n_queries=n_queries), encoding="utf-8")
        recipe, pool = load_recipe(path, [f"seed={seed}"]), Path(folder) / "pool"
        queries = load_queries(recipe.queries, seed=seed).queries
        sample(recipe, {"pilot": VanillaMethod(policy="vanilla", n_trials=N_PILOT)}, queries, pool)
        belief = from_pilot(read_made(pool, queries), queries, source="pilot", tokens_per_s=None, seed=seed)
        forecaster = Forecaster(belief, Rates())
        forecasts = {name: forecaster.forecast(method).total for name, method in recipe.methods.items()}
        sample(recipe, recipe.methods, queries, pool)
        return {name: (forecasts[name], outcome(recipe.methods[name], queries, pool)) for name in recipe.methods}


def sample(recipe: Recipe, methods: Mapping[str, MethodConfig], queries: tuple[Query, ...], pool: Path) -> None:
    """Sample `methods` to their end."""
    job = Job(
        queries=queries,
        methods=methods,
        template=load_template(recipe.prompt.template, model=None),
        params=recipe.sampling.params(),
        seed=recipe.seed,
    )
    with Grader(n_workers=1) as grader:
        sample_pool(job, engine=build_engine(recipe.engine, queries), grader=grader, pool=pool)


def outcome(method: MethodConfig, queries: tuple[Query, ...], pool: Path) -> Actual:
    """What the method alone took and gave, by the library's own count."""
    ids = [query.id for query in queries]
    outcomes = read_outcomes(pool)
    made = read_made(pool, queries)
    totals = np.zeros(4)
    for i, (query_id, target) in enumerate(zip(ids, method_targets(method, ids, outcomes), strict=True)):
        tries = [outcomes[query_id][trial] for trial in range(len(outcomes[query_id]))]
        n = n_trials_needed(tries, target)
        right = int(made.n_correct[i, n])
        kept = min(right, target.n_correct) if target.n_correct else right
        totals += n, made.n_tokens[i, n], kept, kept > 0
    raw, tokens, kept_total, covered = totals.tolist()
    return Actual(raw, tokens, kept_total, covered / len(ids))


if __name__ == "__main__":
    main()
