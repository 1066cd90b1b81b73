"""Pass rates where nothing was sampled yet: a shape fitted to what is published of one model (pure).

The published facts are of DeepSeekMath-7B-RL at temperature 1.6 on the training queries of MATH and GSM8K (DART-Math,
Tong et al. 2024). A run with another model has other pass rates: a plan from this shape tells the
order of magnitude, and a pilot of a few tries for each query tells more.

The queries of a group, GSM8K or a level of MATH, are a mixture. An easy part has pass rates Beta(11.4, 0.6), mean
0.95. A hard part has Beta(1, b): the density near 0 must be flat, since the queries that stay unsolved fall tenfold
between 100 and 1,000 tries. The hard share is logistic in the level of MATH, and a number of its own for GSM8K. That
leaves four numbers for the four facts of `FACTS`.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import least_squares
from scipy.special import betaln, expit, logit

from dartune.difficulty.prior import Posterior
from dartune.planning.nodes import beta_weights
from dartune.planning.tries import Floats
from dartune.types import Query

GROUPS = ("GSM8K", "MATH 1", "MATH 2", "MATH 3", "MATH 4", "MATH 5")
N_QUERIES = np.array([7473, 566, 1348, 1592, 1690, 2304])
"""Training queries of each group; MATH's two queries without a level are counted with level 1."""
MEAN_TOKENS = np.array([150.0, 180.0, 230.0, 280.0, 340.0, 450.0])
"""An assumption: nothing is published of lengths."""

FEW_TRIES = 8
FACTS = {"acceptance": 0.765, "solved_in_100": 0.92, "unsolved_in_1000": 0.0095, "level_5_without_any": 0.5}
"""Correct share of 64 tries for every query; MATH queries solved within 100 tries ("over 90 %") and not within 1,000
("over 99 %" are); share of level 5 that a few tries for every query leave without a correct response."""
_EASY_A, _EASY_B = 11.4, 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Pass rates by group."""

    source: str
    hard_share: Floats
    """Of each group's queries."""
    hard_b: float
    mean_tokens: Floats

    def weights(self) -> Floats:
        """Over `NODES`, a row for each group."""
        parts = Posterior(a=np.array([1.0, _EASY_A]), b=np.array([self.hard_b, _EASY_B]), p_zero=np.zeros(2))
        hard, easy = beta_weights(parts)
        share = self.hard_share[:, None]
        return np.asarray(share * hard + (1.0 - share) * easy)

    def group_of(self, query: Query) -> int:
        """Index into `GROUPS`: the level of a query, 5 at most; one without a level counts as GSM8K's."""
        return min(max(query.level or 0, 0), len(GROUPS) - 1)


@cache
def published_shape() -> Shape:
    """The shape that meets `FACTS`."""
    target = logit(np.array(list(FACTS.values())))

    def misses(x: Floats) -> Floats:
        # The last one, a pull so weak that it moves no fact, keeps GSM8K's share away from 0.
        return np.append(logit(np.array(list(facts_of(_shape(x)).values()))) - target, 0.02 * (x[3] + 4.0))

    return _shape(least_squares(misses, np.array([-4.0, 0.9, 3.0, -4.0])).x)


def facts_of(shape: Shape) -> dict[str, float]:
    """The values of `FACTS` under a shape, in closed form."""
    math = N_QUERIES[1:] / N_QUERIES[1:].sum()

    def unsolved(n: int) -> Floats:
        hard = shape.hard_b / (shape.hard_b + n)
        easy = float(np.exp(betaln(_EASY_A, _EASY_B + n) - betaln(_EASY_A, _EASY_B)))
        return shape.hard_share * hard + (1 - shape.hard_share) * easy

    easy_mean = _EASY_A / (_EASY_A + _EASY_B)
    mean = shape.hard_share / (1 + shape.hard_b) + (1 - shape.hard_share) * easy_mean
    return {
        "acceptance": float(mean @ N_QUERIES / N_QUERIES.sum()),
        "solved_in_100": 1.0 - float(unsolved(100)[1:] @ math),
        "unsolved_in_1000": float(unsolved(1000)[1:] @ math),
        "level_5_without_any": float(unsolved(FEW_TRIES)[-1]),
    }


def _shape(x: Floats) -> Shape:
    return Shape(
        source="the published pass rates of DeepSeekMath-7B-RL on MATH and GSM8K, by level; lengths are assumed",
        hard_share=np.asarray(expit([x[3], *(x[0] + x[1] * np.arange(1, len(GROUPS)))])),
        hard_b=float(np.exp(x[2])),
        mean_tokens=MEAN_TOKENS,
    )
