"""Which open query gets the next free place (pure)."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from dartune.config import OrderName, WorthConfig
from dartune.sampling.account import Account

if TYPE_CHECKING:
    from dartune.difficulty.prior import Prior

_N_LENGTH_PRIOR = 4
"""Tries for which the mean length of all counts beside a query's own."""


class Order(Protocol):
    """A rule that ranks open queries."""

    def priority(self, account: Account) -> float:
        """Rank of a query; the lowest goes first."""
        ...

    def learn(self, accounts: Collection[Account]) -> None:
        """Take what all queries have shown into account; priorities may change."""
        ...


class LongestFirst:
    """The query that is expected to take longest still, its tries counted that must come one after the other.

    That keeps the tail of a run short: Graham's longest-processing-time rule for jobs that are chains of rounds.
    """

    def priority(self, account: Account) -> float:
        """Minus the rounds expected."""
        return -account.expected_rounds()

    def learn(self, accounts: Collection[Account]) -> None:
        """Each query speaks for itself."""


class CoverFirst:
    """Queries without a correct response before all others, and of either kind the one with the fewest tries.

    So an interrupted run has covered as many queries as its tries allow, and hopeless queries are tried breadth first.
    """

    def priority(self, account: Account) -> float:
        """Tries issued; more than any of these where the query is covered."""
        n_issued = account.n_recorded + account.n_in_flight
        return float(n_issued) if account.n_correct == 0 else 1e12 + n_issued

    def learn(self, accounts: Collection[Account]) -> None:
        """Each query speaks for itself."""


@dataclass(slots=True)
class MostWorth:
    """The query whose next try adds the most value for what it costs; see `WorthConfig` and docs/scheduling.md.

    The value of a set is the sum over queries of U(c) with U'(c) = (w / (c + 1)) ** fairness, w = f ** alpha. A try
    adds p U'(c) for a cost of its expected tokens, p and f = 1 - p by the posterior under a prior fitted to the run.
    Spending where that ratio is greatest maximises the value for whatever budget there turns out to be, as U' falls.
    """

    worth: WorthConfig
    _prior: "Prior | None" = field(default=None, init=False)
    _mean_tokens: float = field(default=1.0, init=False)

    def priority(self, account: Account) -> float:
        """Minus the logarithm of value per token."""
        n, c = account.n_recorded - account.n_failures, account.n_correct
        pass_rate = self._pass_rate(n, c)
        log_weight = self.worth.alpha * math.log(max(1.0 - pass_rate, 1e-9))
        expected = c + account.n_in_flight * pass_rate
        n_tokens = (account.n_tokens + _N_LENGTH_PRIOR * self._mean_tokens) / (account.n_timed + _N_LENGTH_PRIOR)
        return (
            math.log(max(n_tokens, 1.0))
            - math.log(pass_rate)
            - self.worth.fairness * (log_weight - math.log(expected + 1.0))
        )

    def learn(self, accounts: Collection[Account]) -> None:
        """Fit the prior of pass rates, and the mean length, to what has been seen."""
        from dartune.difficulty.prior import fit_prior

        self._prior = fit_prior([a.n_recorded - a.n_failures for a in accounts], [a.n_correct for a in accounts])
        n_timed = sum(a.n_timed for a in accounts)
        self._mean_tokens = sum(a.n_tokens for a in accounts) / n_timed if n_timed else 1.0

    def _pass_rate(self, n: int, c: int) -> float:
        """Posterior mean of one query's pass rate; `difficulty.prior.posterior` without its arrays."""
        prior = self._prior
        if prior is None:
            return (c + 1) / (n + 2)
        mean = (prior.a + c) / (prior.a + prior.b + n)
        if c or not prior.p_zero:
            return mean
        not_yet = (1.0 - prior.p_zero) * math.exp(
            math.lgamma(prior.b + n)
            - math.lgamma(prior.b)
            + math.lgamma(prior.a + prior.b)
            - math.lgamma(prior.a + prior.b + n)
        )
        return max(mean * not_yet / (prior.p_zero + not_yet), 1e-12)


def make_order(name: OrderName, worth: WorthConfig) -> Order:
    """The order that a recipe names."""
    match name:
        case "longest":
            return LongestFirst()
        case "cover":
            return CoverFirst()
        case "value":
            return MostWorth(worth)
