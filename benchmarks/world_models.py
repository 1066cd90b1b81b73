"""Measure the packaged models of the world: right answers by level, greedy and at temperature 1.

Queries are held-out ones. The table goes to people; the last line is one JSON object: model -> greedy and sampled
accuracy -> level.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from dartune.world import PACKAGED_MODELS, packaged_model, world_queries
from dartune.world.measuring import LevelRates, rates_by_level

SEED = 20_000


def measure(folder: Path, n_per_level: int, n_tries: int) -> dict[str, dict[int, LevelRates]]:
    """Rates of one model on held-out stories, on held-out expressions and, sampled, on held-out stories."""
    torch.manual_seed(SEED)
    model = AutoModelForCausalLM.from_pretrained(folder)
    story = world_queries("world/held-out", n=5 * n_per_level, seed=SEED)
    expr = world_queries("world/expr", n=5 * n_per_level, seed=SEED)
    return {
        "greedy": rates_by_level(model, story, n_tries=1, temperature=0),
        "greedy expr": rates_by_level(model, expr, n_tries=1, temperature=0),
        "sampled": rates_by_level(model, story[: max(5, len(story) // 4)], n_tries=n_tries, temperature=1.0),
    }


def show(name: str, rates: dict[str, dict[int, LevelRates]], seconds: float) -> None:
    """One line a quantity, percent at each level."""
    lines = {
        "greedy accuracy": [r.pass_rate for r in rates["greedy"].values()],
        "greedy accuracy, expr": [r.pass_rate for r in rates["greedy expr"].values()],
        "pass rate at temperature 1": [r.pass_rate for r in rates["sampled"].values()],
        "any try right": [r.solved_share for r in rates["sampled"].values()],
        "false step among right": [r.false_step_share for r in rates["sampled"].values()],
    }
    for label, shares in lines.items():
        mean = sum(shares) / len(shares)
        print(f"{name:10} {label:27}", *(f"{100 * s:6.1f}" for s in shares), f"  mean {100 * mean:5.1f}", flush=True)
    print(f"{name:10} {seconds:.0f} s", flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=PACKAGED_MODELS, help="packaged names, or folders")
    parser.add_argument("--n", type=int, default=400, help="held-out queries a level; a quarter of them is sampled")
    parser.add_argument("--tries", type=int, default=96, help="tries of each sampled query")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="40 queries a level, 8 tries")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    n_per_level, n_tries = (40, 8) if options.quick else (options.n, options.tries)
    results = {}
    for name in options.models:
        start = time.perf_counter()
        folder = packaged_model(name) if name in PACKAGED_MODELS else Path(name)
        rates = measure(folder, n_per_level, n_tries)
        if not options.json:
            show(folder.name, rates, time.perf_counter() - start)
        results[name] = {kind: {level: asdict(r) for level, r in by.items()} for kind, by in rates.items()}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
