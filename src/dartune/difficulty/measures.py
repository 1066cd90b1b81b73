"""Measures of difficulty behind one interface: from what is known about queries to a number each (pure).

A measure is a row of `MEASURES`. Its values are larger for harder queries, and NaN where it cannot say. A measure sees
all queries at once, because some need the others to judge one (shrinkage). Values of different measures have different
units; only their order is comparable, which is what `dartune.difficulty.correlations` compares.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dartune.difficulty.evidence import Evidence
from dartune.difficulty.prior import fit_prior, posterior

Values = NDArray[np.float64]
"""One number for each query, in their order; NaN where the measure cannot say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One way to say how hard a query is."""

    name: str
    meaning: str
    """What it measures, and its unit or range."""
    formula: str
    source: str
    """Where it comes from."""
    values: Callable[[Sequence[Evidence]], Values]
    """The measure itself."""


def _of_each(value: Callable[[Evidence], float | None]) -> Callable[[Sequence[Evidence]], Values]:
    """A measure that judges each query alone."""

    def values(evidence: Sequence[Evidence]) -> Values:
        return np.array([math.nan if (v := value(one)) is None else v for one in evidence], dtype=np.float64)

    return values


def _level(one: Evidence) -> float | None:
    return one.level


def _fail_rate(one: Evidence) -> float | None:
    pass_rate = one.tally.pass_rate
    return None if pass_rate is None else 1.0 - pass_rate


def _fail_rate_shrunk(evidence: Sequence[Evidence]) -> Values:
    n_trials = np.array([one.tally.n_trials for one in evidence], dtype=np.int64)
    n_correct = np.array([one.tally.n_correct for one in evidence], dtype=np.int64)
    fail_rates = 1.0 - posterior(fit_prior(n_trials, n_correct), n_trials, n_correct).mean()
    return np.where(n_trials > 0, fail_rates, math.nan)


def _mean_tokens(one: Evidence) -> float | None:
    return one.tally.n_tokens / one.tally.n_trials if one.tally.n_trials else None


def _mean_tokens_correct(one: Evidence) -> float | None:
    return one.tally.n_tokens_correct / one.tally.n_correct if one.tally.n_correct else None


def _answer_entropy(one: Evidence) -> float | None:
    n = one.tally.n_trials
    if n < 2:
        return None
    # ln n - sum(m ln m) / n; groups of one, the tries without an answer among them, add nothing to the sum.
    entropy = math.log(n) - math.fsum(m * math.log(m) for m in one.tally.answers if m > 1) / n
    return max(0.0, entropy / math.log(n))


def _answer_disagreement(one: Evidence) -> float | None:
    n = one.tally.n_trials
    return None if n < 2 else 1.0 - sum(m * (m - 1) for m in one.tally.answers) / (n * (n - 1))


def _models_fail_rate(one: Evidence) -> float | None:
    return 1.0 - math.fsum(one.others) / len(one.others) if one.others else None


def _models_failing(one: Evidence) -> float | None:
    if not one.others:
        return None
    return sum(1.0 if rate < 0.5 else 0.5 if rate == 0.5 else 0.0 for rate in one.others) / len(one.others)


def _judge_score(one: Evidence) -> float | None:
    return one.score


_MEASURES = (
    Measure(
        name="level",
        meaning="difficulty as people see it; 1 is easiest",
        formula="the query's level",
        source="levels 1 to 5 of MATH (Hendrycks et al. 2021)",
        values=_of_each(_level),
    ),
    Measure(
        name="fail_rate",
        meaning="share of tries that are not correct, in [0, 1]",
        formula="1 - c / n",
        source="DART-Math (Tong et al. 2024), section 3.1",
        values=_of_each(_fail_rate),
    ),
    Measure(
        name="fail_rate_shrunk",
        meaning="expected fail rate, given the tries of all queries; in [0, 1]",
        formula="1 - posterior mean of p",
        source="empirical Bayes (Robbins 1956; Casella 1985)",
        values=_fail_rate_shrunk,
    ),
    Measure(
        name="mean_tokens_correct",
        meaning="mean length of the correct responses, in tokens",
        formula="tokens of correct tries / c",
        source="length as difficulty, as in curriculum learning (Platanios et al. 2019)",
        values=_of_each(_mean_tokens_correct),
    ),
    Measure(
        name="mean_tokens",
        meaning="mean length of all responses, in tokens",
        formula="tokens of all tries / n",
        source="length as difficulty, as in curriculum learning (Platanios et al. 2019)",
        values=_of_each(_mean_tokens),
    ),
    Measure(
        name="answer_entropy",
        meaning="spread of tries over answers: 0 all the same, 1 all different",
        formula="-sum_j (m_j / n) ln(m_j / n) / ln n",
        source="self-consistency (Wang et al. 2023); semantic entropy (Kuhn et al. 2023)",
        values=_of_each(_answer_entropy),
    ),
    Measure(
        name="answer_disagreement",
        meaning="probability that two tries give different answers, in [0, 1]",
        formula="1 - sum_j m_j (m_j - 1) / (n (n - 1))",
        source="Simpson 1949, his unbiased estimator",
        values=_of_each(_answer_disagreement),
    ),
    Measure(
        name="models_fail_rate",
        meaning="mean fail rate of the other models, each counted once, in [0, 1]",
        formula="1 - mean_m(p_m)",
        source="item difficulty of classical test theory (Lord and Novick 1968)",
        values=_of_each(_models_fail_rate),
    ),
    Measure(
        name="models_failing",
        meaning="share of the other models that fail more often than not, in [0, 1]",
        formula="mean_m([p_m < 1/2] + [p_m = 1/2] / 2)",
        source="item difficulty of classical test theory (Lord and Novick 1968)",
        values=_of_each(_models_failing),
    ),
    Measure(
        name="judge_score",
        meaning="what a judge gave the query, in the judge's unit; higher is harder",
        formula="the score",
        source="direct scoring, as in DEITA (Liu et al. 2024)",
        values=_of_each(_judge_score),
    ),
)

MEASURES = {measure.name: measure for measure in _MEASURES}
"""Every measure by its name, in the order in which tables show them."""
