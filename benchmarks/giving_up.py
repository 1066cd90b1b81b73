"""What giving hopeless queries up saves on the embedded world, and what it costs: real samples of the packaged teacher.

    python benchmarks/giving_up.py [--json] [--quick]

The queries are those of world/train and, one for each five of them, of world/level-6, which is harder than what the
teacher has seen: a tail as sets of real problems have it. One pool is sampled by DARS-Uniform without giving up; every
rule is then charged for the tries of that pool which it alone would have made. A second pool is sampled with a rule at
work, and must hold exactly those tries.

The last line is one JSON object: `rules` has, for each, the share of raw samples saved, the share of correct responses
kept, and the change of coverage; `same_tries` says whether the second pool is what the first one foretold; `most_kept`
is what who knew all outcomes would keep of the correct responses when a quarter of the samples is saved.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from dartune.allocation import n_trials_needed
from dartune.config import GiveUpConfig, Recipe, UniformMethod
from dartune.methods import method_targets
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.stages import Run
from dartune.pool import read_outcomes
from dartune.recipes import load_recipe
from dartune.types import Outcomes
from dartune.world import world_queries

RULES = {
    "the default": GiveUpConfig(),
    **{f"target below {below:g}": GiveUpConfig(below=below, min_yield=1.0) for below in (0.05, 0.2, 0.5)},
    **{f"yield below {least:g}": GiveUpConfig(below=0.5, min_yield=least) for least in (0.015, 0.03)},
    "target below 0.2, any below 0.1": GiveUpConfig(below=0.2, min_yield=1.0, unsolved=0.1),
}
AT_WORK = "target below 0.2"
SAVED = 0.25
"""Share of the raw samples for which the bound is told."""


class Bought(NamedTuple):
    """What a rule gets for its tries."""

    n_raw: int
    n_correct: int
    n_covered: int


def write_queries(path: Path, n: int) -> Path:
    hard = n // 6
    queries = [*world_queries("world/train", n=n - hard, seed=0), *world_queries("world/level-6", n=hard, seed=0)]
    rows = [{"text": query.text, "ref_answer": query.ref_answer, "level": query.level} for query in queries]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sample(recipe: Recipe, folder: Path) -> Outcomes:
    run = Run(recipe=recipe, folder=RunFolder(path=folder))
    run.sample()
    return read_outcomes(run.folder.pool)


def needed(method: UniformMethod, ids: list[str], outcomes: Outcomes) -> dict[str, list[bool | None]]:
    """The outcomes that a method would have looked at, in trial order, for every query."""
    tries = {query_id: [outcomes[query_id][trial] for trial in range(len(outcomes[query_id]))] for query_id in ids}
    targets = method_targets(method, ids, outcomes)
    return {
        query_id: tries[query_id][: n_trials_needed(tries[query_id], target)]
        for query_id, target in zip(ids, targets, strict=True)
    }


def bought(tries: dict[str, list[bool | None]]) -> Bought:
    rights = [outcomes.count(True) for outcomes in tries.values()]
    return Bought(sum(map(len, tries.values())), sum(rights), sum(right > 0 for right in rights))


def most_kept(tries: dict[str, list[bool | None]]) -> float:
    """Correct responses, as a share, that are left if who knew all outcomes saved `SAVED` of the tries and no coverage.

    The tries after a query's first correct response go, of the queries first for which they hold the fewest correct
    ones for each.
    """
    rests = [outcomes[outcomes.index(True) + 1 :] for outcomes in tries.values() if True in outcomes]
    n_left = SAVED * sum(map(len, tries.values()))
    n_correct = sum(outcomes.count(True) for outcomes in tries.values())
    n_lost = 0.0
    for rest in sorted(filter(None, rests), key=lambda rest: rest.count(True) / len(rest)):
        share = min(1.0, n_left / len(rest))
        n_lost += share * rest.count(True)
        n_left -= share * len(rest)
    return 1.0 - n_lost / n_correct


def measure(n_queries: int, k: int, max_trials: int) -> dict[str, object]:
    plain = UniformMethod(policy="uniform", k=k, max_trials=max_trials, n_pilot=4)
    rules = {name: plain.model_copy(update={"give_up": rule}) for name, rule in RULES.items()}
    with tempfile.TemporaryDirectory() as folder:
        source = write_queries(Path(folder, "queries.jsonl"), n_queries)
        settings = [f'queries={{ source = "{source}" }}', "sampling.speculation=0"]
        recipe = load_recipe("demo", settings).model_copy(update={"methods": {"uniform": plain}})
        outcomes = sample(recipe, Path(folder, "plain"))
        at_work = recipe.model_copy(update={"methods": {"uniform": rules[AT_WORK]}})
        ids = [query.id for query in Run(recipe=recipe, folder=RunFolder(path=Path(folder))).queries().queries]
        foretold = {name: needed(rule, ids, outcomes) for name, rule in rules.items()}
        second = sample(at_work, Path(folder, "giving-up"))
        same = all(dict(enumerate(foretold[AT_WORK][query_id])) == dict(second[query_id]) for query_id in ids)
    bound = most_kept(needed(plain, ids, outcomes))
    whole = bought(needed(plain, ids, outcomes))
    print(f"{n_queries} queries, k = {k}, cap {max_trials}: {whole}")
    report = {}
    for name, tries in foretold.items():
        part = bought(tries)
        report[name] = {
            "raw_saved": round(1 - part.n_raw / whole.n_raw, 4),
            "kept_correct": round(part.n_correct / whole.n_correct, 4),
            "coverage_change": round((part.n_covered - whole.n_covered) / n_queries, 4),
        }
        print(f"{name:28}", *(f"{key} {value:+.2%}" for key, value in report[name].items()))
    return {
        "n_queries": n_queries,
        "k": k,
        "max_trials": max_trials,
        **whole._asdict(),
        "rules": report,
        "most_kept": round(bound, 4),
        "same_tries": same,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the last line is always JSON")
    parser.add_argument("--quick", action="store_true", help="a tenth of the queries")
    arguments = parser.parse_args()
    report = measure(60, 4, 64) if arguments.quick else measure(300, 24, 512)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
