"""Measures of difficulty on real pass rates: 40 models on 721 problems of MATH, level 5.

    python benchmarks/difficulty.py [--json] [--quick] [--data FOLDER]

Each model tried each problem once, so a problem has 40 tries of a committee; `fail_rate` is the committee's.

- `one_against_others`: Spearman of one model's failures with the mean fail rate of the 39 others, over the models.
- `entropy_and_fail_rate`: Spearman and Kendall of the spread of the 40 answers with the fail rate, with intervals;
  `_apart`, Spearman of the spread of 20 models' answers with the fail rate of the other 20: no try on both sides.
- `split_half`: Spearman of the fail rates by two halves of the models; `reliability`, Spearman and Brown's for all 40.
- `held_out`: the fail rate by n tries, as it is and shrunk, as a forecast of the tries left: mean squared error against
  their fail rate, and log loss of each outcome. Each problem's tries are those of models drawn for it alone, as tries
  of a pool are independent draws. Raw shares of 0 and 1 make the log loss infinite, so all forecasts are cut to
  [0.01, 0.99]; `laplace`, (wrong + 1) / (n + 2), is what one would do without a fit.
- `held_out_same_models`: the same where one draw of n models tries all problems, and the other models are forecast. How
  good the n happen to be now shifts all problems alike, which no shrinkage can know.

The last line is one JSON object. Means are over `n_splits` seeded draws of models, with their standard deviation.
"""

import argparse
import gzip
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dartune.difficulty.correlations import correlate
from dartune.difficulty.evidence import Evidence, Tally
from dartune.difficulty.measures import MEASURES, Values
from dartune.grading.spelling.normalize import normalize

FILE = Path("outputs", "math_l5_zeroeval_passrates_40models.jsonl.gz")
N_TRIES = (1, 2, 4, 8, 16)
CUT = 0.01

Models = NDArray[np.int64]


class Outcome(NamedTuple):
    """One model's try of one problem."""

    answer: str | None
    """In canonical spelling; right ones are one answer however they are written. None where there is none."""
    is_correct: bool


Problem = list[Outcome | None]
"""The outcome of each model, in one order for all problems; None where a model did not try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Values over models or over draws of models."""

    mean: float
    deviation: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """What the values come to, to four places."""
        numbers = (float(np.mean(values)), float(np.std(values)), min(values), max(values))
        return cls(**dict(zip(("mean", "deviation", "least", "most"), (round(n, 4) for n in numbers), strict=True)))


def read_problems(data: Path) -> list[Problem]:
    """The outcomes of every problem of the data folder."""
    with gzip.open(data / FILE, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    models = sorted({model for row in rows for model in row["correct"]})
    return [
        [_outcome(row["preds"].get(m), row["correct"][m]) if m in row["correct"] else None for m in models]
        for row in rows
    ]


def _outcome(answer: str | None, is_correct: bool) -> Outcome:
    if is_correct or answer is None:
        return Outcome("right" if is_correct else None, is_correct)
    normal = normalize(answer)
    return Outcome(f"wrong: {answer if normal is None else normal.text}", is_correct)


def evidence_of(problems: list[Problem], models: Models, others: Models | None = None) -> list[Evidence]:
    """What is known of each problem if the tries of `models` are one model's, and `others` are other models."""
    found = []
    for problem in problems:
        tries = [one for m in models if (one := problem[m]) is not None]
        answers = Counter(one.answer for one in tries if one.answer is not None)
        others_right = [float(one.is_correct) for m in (others if others is not None else ()) if (one := problem[m])]
        tally = Tally(
            n_trials=len(tries), n_correct=sum(one.is_correct for one in tries), answers=tuple(answers.values())
        )
        found.append(Evidence(tally=tally, others=tuple(others_right)))
    return found


def take(name: str, evidence: list[Evidence]) -> Values:
    """One measure of every problem."""
    return MEASURES[name].values(evidence)


def spearman(x: Values, y: Values) -> float:
    """Spearman's rho."""
    found = correlate("x", "y", x, y).spearman
    assert found is not None
    return found.value


def agreement(problems: list[Problem], n_splits: int) -> dict[str, object]:
    """How far models, halves of the models, and the spread of answers agree."""
    rng = np.random.default_rng(0)
    everyone = np.arange(len(problems[0]))
    alone = []
    for model in everyone:
        evidence = evidence_of(problems, everyone[[model]], np.delete(everyone, model))
        alone.append(spearman(take("fail_rate", evidence), take("models_fail_rate", evidence)))
    half_half, apart = [], []
    for _ in range(n_splits):
        first, second = np.array_split(rng.permutation(everyone), 2)
        one, other = evidence_of(problems, first), evidence_of(problems, second)
        half_half.append(spearman(take("fail_rate", one), take("fail_rate", other)))
        apart.append(spearman(take("answer_entropy", one), take("fail_rate", other)))
    whole = evidence_of(problems, everyone)
    together = correlate("answer_entropy", "fail_rate", take("answer_entropy", whole), take("fail_rate", whole))
    mean = float(np.mean(half_half))
    return {
        "one_against_others": asdict(Spread.of(alone)),
        "entropy_and_fail_rate": {
            "n_queries": together.n_queries,
            "spearman": together.spearman and [round(x, 4) for x in together.spearman if x is not None],
            "kendall": together.kendall and [round(x, 4) for x in together.kendall if x is not None],
        },
        "entropy_and_fail_rate_apart": asdict(Spread.of(apart)),
        "split_half": asdict(Spread.of(half_half)),
        "reliability": round(2 * mean / (1 + mean), 4),
    }


def held_out(problems: list[Problem], n_tries: int, n_splits: int, *, same_models: bool) -> dict[str, object]:
    """Errors of forecasts from `n_tries` tries of each problem of what the tries left come to."""
    rng = np.random.default_rng(n_tries)
    errors: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    for _ in range(n_splits):
        order = rng.permutation(len(problems[0]))
        drawn = problems if same_models else [_shuffled(problem, rng) for problem in problems]
        seen, rest = evidence_of(drawn, order[:n_tries]), evidence_of(drawn, order[n_tries:])
        n = np.array([one.tally.n_trials for one in seen])
        wrong = n - np.array([one.tally.n_correct for one in seen])
        known, truth = n > 0, take("fail_rate", rest)
        for name, forecast in {
            "raw": take("fail_rate", seen),
            "laplace": (wrong + 1) / (n + 2),
            "shrunk": take("fail_rate_shrunk", seen),
        }.items():
            errors.setdefault(name, []).append(float(np.mean((forecast - truth)[known] ** 2)))
            p = np.clip(forecast, CUT, 1 - CUT)
            loss = -(truth * np.log(p) + (1 - truth) * np.log(1 - p))
            losses.setdefault(name, []).append(float(np.mean(loss[known])))
    return {
        "n_tries": n_tries,
        "squared_error": {name: asdict(Spread.of(values)) for name, values in errors.items()},
        "log_loss": {name: asdict(Spread.of(values)) for name, values in losses.items()},
        "shrunk_is_better": round(float(np.mean(np.array(errors["shrunk"]) < np.array(errors["raw"]))), 4),
    }


def _shuffled(problem: Problem, rng: np.random.Generator) -> Problem:
    return [problem[m] for m in rng.permutation(len(problem))]


def measure(data: Path, n_splits: int) -> dict[str, object]:
    """Everything that the benchmark's last line says."""
    problems = read_problems(data)
    return {
        "n_problems": len(problems),
        "n_models": len(problems[0]),
        "n_splits": n_splits,
        **agreement(problems, n_splits),
        "held_out": [held_out(problems, n, n_splits, same_models=False) for n in N_TRIES],
        "held_out_same_models": [held_out(problems, n, n_splits, same_models=True) for n in N_TRIES],
    }


def main() -> None:
    """Measure, print, and as the last line one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help="5 draws of models in place of 50")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("DARTUNE_DATA", Path(__file__).parents[2] / "shared" / "data")),
    )
    options = parser.parse_args()
    found = measure(options.data, 5 if options.quick else 50)
    if not options.json:
        for name, value in found.items():
            print(f"{name}: {json.dumps(value)}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
