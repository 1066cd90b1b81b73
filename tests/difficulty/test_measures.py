import math
from pathlib import Path

import numpy as np
import pytest

from dartune.difficulty.combination import Term, combine, parse_combination
from dartune.difficulty.evidence import Evidence, Tally
from dartune.difficulty.measures import MEASURES
from dartune.errors import ConfigError

EIGHT = Tally(n_trials=8, n_correct=4, n_tokens=800, n_tokens_correct=240, answers=(4, 2, 1))
"""Four right, two the same wrong, one other, one without an answer."""


def measure(name: str, *evidence: Evidence) -> list[float]:
    return MEASURES[name].values(evidence).tolist()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("level", 4.0),
        ("fail_rate", 0.5),
        ("mean_tokens", 100.0),
        ("mean_tokens_correct", 60.0),
        # 4, 2, 1 and a lone one without an answer, of 8: 1/2 ln 2 + 1/4 ln 4 + 2/8 ln 8, over ln 8
        ("answer_entropy", (1 / 2 * 1 + 1 / 4 * 2 + 1 / 4 * 3) / 3),
        ("answer_disagreement", 1 - (4 * 3 + 2 * 1) / (8 * 7)),
        ("models_fail_rate", 1 - (0.0 + 0.5 + 1.0 + 0.9) / 4),
        ("models_failing", 1.5 / 4),
        ("judge_score", -2.5),
    ],
)
def test_values_by_hand(name: str, expected: float) -> None:
    one = Evidence(tally=EIGHT, level=4, others=(0.0, 0.5, 1.0, 0.9), score=-2.5)
    assert measure(name, one) == [pytest.approx(expected)]


@pytest.mark.parametrize("name", MEASURES)
def test_what_cannot_be_said_is_not_a_number(name: str) -> None:
    known = Evidence(tally=EIGHT, level=1, others=(0.5,), score=1.0)
    values = measure(name, Evidence(), known)
    assert math.isnan(values[0])
    assert not math.isnan(values[1])


def test_a_length_of_solutions_needs_one() -> None:
    never = Evidence(tally=Tally(n_trials=3, n_tokens=30))
    assert math.isnan(measure("mean_tokens_correct", never)[0])
    assert measure("mean_tokens", never) == [10.0]


def test_one_try_has_no_spread() -> None:
    once = Evidence(tally=Tally(n_trials=1, answers=(1,)))
    assert math.isnan(measure("answer_entropy", once)[0])
    assert math.isnan(measure("answer_disagreement", once)[0])


@pytest.mark.parametrize("name", ["answer_entropy", "answer_disagreement"])
def test_spread_runs_from_all_the_same_to_all_different(name: str) -> None:
    all_same, all_different, all_silent = (5,), (1, 1, 1, 1, 1), ()
    tallies = [Tally(n_trials=5, answers=answers) for answers in (all_same, all_different, all_silent)]
    assert measure(name, *(Evidence(tally=tally) for tally in tallies)) == pytest.approx([0.0, 1.0, 1.0])


def test_disagreement_does_not_depend_on_the_number_of_tries_but_entropy_does() -> None:
    """Why pools with different numbers of tries are compared by the one and not by the other."""
    rng = np.random.default_rng(1)

    def mean(name: str, n: int) -> float:
        draws = rng.multinomial(n, [0.5, 0.3, 0.2], size=2000)
        return float(np.mean(measure(name, *(Evidence(tally=Tally(n_trials=n, answers=tuple(d))) for d in draws))))

    assert mean("answer_disagreement", 4) == pytest.approx(mean("answer_disagreement", 64), abs=0.02)
    assert mean("answer_entropy", 4) > mean("answer_entropy", 64) + 0.2


def test_shrinkage_draws_few_tries_further_than_many() -> None:
    rng = np.random.default_rng(2)
    pass_rates = rng.beta(2, 3, size=400)
    tallies = [Tally(n_trials=n, n_correct=int(rng.binomial(n, p))) for n in (2, 64) for p in pass_rates]
    shrunk = np.array(measure("fail_rate_shrunk", *(Evidence(tally=tally) for tally in tallies)))
    raw = np.array(measure("fail_rate", *(Evidence(tally=tally) for tally in tallies)))
    truth = 1 - np.concatenate([pass_rates, pass_rates])
    few, many = slice(0, 400), slice(400, 800)
    assert np.abs(shrunk - raw)[few].mean() > 5 * np.abs(shrunk - raw)[many].mean()
    assert np.mean((shrunk - truth)[few] ** 2) < 0.5 * np.mean((raw - truth)[few] ** 2)


def test_every_measure_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "difficulty.md").read_text("utf-8")
    for name, found in MEASURES.items():
        assert name == found.name
        line = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert found.formula in line
        assert found.source in line


def test_a_combination_is_a_mean_of_ranks() -> None:
    values = {"fail_rate": np.array([0.1, 0.9, 0.5, np.nan]), "level": np.array([2.0, 1.0, 1.0, 5.0])}
    combined = combine((Term(3, "fail_rate"), Term(-1, "level")), values)
    # ranks 1, 3, 2 and 3, 1.5, 1.5, of three queries
    expected = [(3 * 0.5 - 2.5) / 12, (3 * 2.5 - 1) / 12, (3 * 1.5 - 1) / 12]
    assert combined[:3].tolist() == pytest.approx(expected)
    assert math.isnan(combined[3])
    assert np.isnan(combine((Term(1, "level"),), {"level": np.array([np.nan])})).all()


def test_a_combination_does_not_depend_on_units() -> None:
    values = {"mean_tokens": np.array([10.0, 40.0, 20.0]), "fail_rate": np.array([0.3, 0.1, 0.2])}
    terms = parse_combination("mean_tokens + fail_rate")
    in_thousands = {**values, "mean_tokens": np.log(values["mean_tokens"]) / 1000}
    assert combine(terms, values).tolist() == combine(terms, in_thousands).tolist()


@pytest.mark.parametrize(
    ("spec", "terms"),
    [
        ("fail_rate", [(1.0, "fail_rate")]),
        ("0.7*fail_rate+0.3*answer_entropy", [(0.7, "fail_rate"), (0.3, "answer_entropy")]),
        (" - .5 * level + 2.*judge_score ", [(-0.5, "level"), (2.0, "judge_score")]),
    ],
)
def test_a_combination_is_read(spec: str, terms: list[tuple[float, str]]) -> None:
    assert list(parse_combination(spec)) == terms


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "expected WEIGHT.MEASURE terms"),
        ("0.7 fail_rate", "at character 1"),
        ("fail_rate level", "got 'level' at character 11"),
        ("fail_rate + ", "got '+ ' at character 11"),
        ("fail_rate*2", r"got '\*2' at character 10"),
        ("1e3*level", "at character 1"),
        ("hardness", "expected measures among level, fail_rate"),
        ("level + 2*level", "got level twice"),
        ("0*level", "got 0 for level"),
    ],
)
def test_a_combination_that_makes_no_sense_is_refused(spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("+ '", r"\+ '")):
        parse_combination(spec)
