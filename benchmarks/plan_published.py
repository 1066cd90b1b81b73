"""The published facts, the shape fitted to them, what it foretells of the published runs, and how long a plan takes.

    python benchmarks/plan_published.py [--json] [--quick]

The queries are as many as in the training sets of MATH and GSM8K, by level. The last line is one JSON object. `--quick`
times the plan of 2,000 queries instead of 10,000.
"""

import argparse
import json
import time

import numpy as np

from dartune.config import GiveUpConfig, MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.planning.beliefs import Belief, from_pilot, from_shape
from dartune.planning.forecast import Forecaster, Rates
from dartune.planning.made import Made
from dartune.planning.nodes import NODES
from dartune.planning.plan import make_plan
from dartune.planning.shapes import FACTS, GROUPS, N_QUERIES, facts_of, published_shape
from dartune.types import Query

N_PILOT = 8
RUNS: dict[str, MethodConfig] = {
    "VRT, 64 tries": VanillaMethod(policy="vanilla", n_trials=64),
    "Uniform, k 40, cap 1,024": UniformMethod(policy="uniform", k=40, max_trials=1024),
    "Uniform, k 40, cap 2,048": UniformMethod(policy="uniform", k=40, max_trials=2048),
    "Uniform, k 40, cap 2,048, give up": UniformMethod(policy="uniform", k=40, max_trials=2048, give_up=GiveUpConfig()),
    "Prop2Diff, k 192, cap 4,096": Prop2DiffMethod(policy="prop2diff", k=192, max_trials=4096),
    "Prop2Diff, k 192, cap 8,192": Prop2DiffMethod(policy="prop2diff", k=192, max_trials=8192),
    "Prop2Diff, k 192, cap 8,192, give up": Prop2DiffMethod(
        policy="prop2diff", k=192, max_trials=8192, give_up=GiveUpConfig()
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--quick", action="store_true", help="a smaller set for the time")
    arguments = parser.parse_args()
    shape = published_shape()
    ours = facts_of(shape)
    rows = forecasts()
    seconds = time_plan(2_000 if arguments.quick else 10_000)
    if not arguments.json:
        print(f"{'fact':24}{'published':>12}{'shape':>12}")
        for name, value in FACTS.items():
            print(f"{name:24}{value:12.4f}{ours[name]:12.4f}")
        print(f"\n{'hard share':24}" + "".join(f"{name:>9}" for name in GROUPS))
        print(f"{'':24}" + "".join(f"{share:9.3f}" for share in shape.hard_share) + f"   Beta(1, {shape.hard_b:.1f})")
        print(f"\n{'run':38}{'raw samples':>14}{'kept':>11}{'filled':>9}{'covered':>9}")
        for name, row in rows.items():
            filled = "-" if row["fill"] is None else f"{row['fill']:.3f}"
            print(f"{name:38}{row['raw_samples']:14,.0f}{row['kept']:11,.0f}{filled:>9}{row['coverage']:9.4f}")
        print(f"\n{json.dumps(seconds)}")
    print(json.dumps({"facts": ours, "hard_share": list(shape.hard_share), "runs": rows, "seconds": seconds}))


def forecasts() -> dict[str, dict[str, float | None]]:
    """What the shape foretells of the published runs."""
    levels = np.repeat(np.arange(len(GROUPS)), N_QUERIES)
    queries = [Query.of(f"query {i}", "1", level=int(level) or None) for i, level in enumerate(levels)]
    forecaster = Forecaster(from_shape(published_shape(), queries), Rates())
    found: dict[str, dict[str, float | None]] = {}
    for name, method in RUNS.items():
        total = forecaster.forecast(method).total
        found[name] = {
            "raw_samples": total.raw_samples.mean,
            "kept": total.kept.mean,
            "fill": None if total.fill is None else total.fill.mean,
            "coverage": total.coverage.mean,
        }
    return found


def time_plan(n_queries: int) -> dict[str, float]:
    """Seconds of a whole plan, from a pilot and from the shape, with a suggestion; of a core, and by the clock."""
    queries = [Query.of(f"query {i}", "1", level=i % len(GROUPS) or None) for i in range(n_queries)]
    methods = {name: RUNS[name] for name in list(RUNS)[:6:2]}
    found: dict[str, float] = {}
    for name in ("pilot", "shape"):
        started, used = time.perf_counter(), time.process_time()
        belief = draw_pilot(queries) if name == "pilot" else from_shape(published_shape(), queries)
        make_plan("timed", methods, belief, Rates(), n_examples=30 * n_queries)
        found[f"{n_queries} queries, {name}, cpu"] = round(time.process_time() - used, 2)
        found[f"{n_queries} queries, {name}, clock"] = round(time.perf_counter() - started, 2)
    return found


def draw_pilot(queries: list[Query]) -> Belief:
    """A pilot of `N_PILOT` tries on pass rates of the shape."""
    rng = np.random.default_rng(0)
    weights = published_shape().weights()
    group = np.array([published_shape().group_of(query) for query in queries])
    pass_rates = np.array([rng.choice(NODES, p=weights[g] / weights[g].sum()) for g in group])
    is_right = rng.random((len(queries), N_PILOT)) < pass_rates[:, None]
    tokens = rng.lognormal(5.5, 0.5, is_right.shape)
    start = np.zeros((len(queries), 1))
    made = Made(
        n_tries=np.full(len(queries), N_PILOT),
        n_correct=np.hstack([start, is_right.cumsum(axis=1)]).astype(np.int32),
        n_tokens=np.hstack([start, tokens.cumsum(axis=1)]),
        right_tokens=np.stack([(is_right * tokens**i).sum(axis=1) for i in (1, 2)], axis=1),
        wrong_tokens=np.stack([(~is_right * tokens**i).sum(axis=1) for i in (1, 2)], axis=1),
        prompt_tokens=np.full(len(queries), 100.0),
    )
    return from_pilot(made, queries, source="pilot", tokens_per_s=None, seed=0)


if __name__ == "__main__":
    main()
