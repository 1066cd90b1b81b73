"""Which request is asked next: a pure state machine that owns no task, file or clock.

A query may have several targets, one for each method that shares the pool. Invariants, for each target at every moment:
- trials are issued in order 0, 1, 2, ...; what an interrupted run left unanswered is issued again first;
- issued trials never exceed `max_trials` for its sake;
- strict (speculation = 0): a trial is issued only if the target needs it whatever the outcomes are that are still in
  flight, beyond what `min_trials` asks for: correct + in flight never exceeds `n_correct`, and a query that might be
  given up waits. So the set of issued trials is the longest that any target alone would have issued, whatever the
  order of arrival;
- speculative: more may be in flight, never more than `speculation` times the tries that the query is expected to need;
  all are awaited, so that the first `n_correct` correct by trial index are the same as in strict mode.

Speculative places are given only when no strict one is open. Memory grows with queries, not with trials.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dartune.sampling.account import Account, open_account
from dartune.sampling.orders import LongestFirst, Order
from dartune.types import Key, Outcomes, Target

_LEARN_AFTER = 2
"""Tries for each query, on average, after which an order learns for the first time; then at each doubling."""


_MOST_ENTRIES = 4
_ENTRIES_IN_ANY_CASE = 1024
"""Entries of the queue, for each query and beside, at which those of older states are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts over all queries of a ledger."""

    n_recorded: int
    n_failures: int
    n_correct: int
    n_in_flight: int
    n_queries_met: int
    expected_tries: float
    """Tries expected still to be made, at the pass rates seen so far."""


@dataclass(slots=True)
class Ledger:
    """Hands out keys and counts outcomes; see the module's invariants."""

    targets: Mapping[str, Sequence[Target]]
    """At least one for each query."""
    outcomes: Outcomes = field(default_factory=dict)
    """What a pool holds already; read once."""
    speculation: float = 0.0
    """In-flight limit as a multiple of a query's expected tries; 0 is strict."""
    order: Order = field(default_factory=LongestFirst)
    _accounts: dict[str, Account] = field(init=False)
    _heap: list[tuple[int, float, int, int, str]] = field(init=False)
    _rank: dict[str, int] = field(init=False)
    _n_recorded: int = field(default=0, init=False)
    _learn_at: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Open an account for every query and queue those that still need tries."""
        self._rank = {query_id: rank for rank, query_id in enumerate(self.targets)}
        self._accounts = {
            query_id: open_account(targets, self.outcomes.get(query_id, {}))
            for query_id, targets in self.targets.items()
        }
        self._n_recorded = sum(account.n_recorded for account in self._accounts.values())
        self._learn()

    def next(self) -> Key | None:
        """The key that needs a place most, now in flight; None if no place can be used before an outcome comes."""
        while self._heap:
            *_, version, query_id = heapq.heappop(self._heap)
            account = self._accounts[query_id]
            if version == account.version:
                trial = account.issue()
                self._push(query_id)
                return Key(query_id, trial)
        return None

    def record(self, key: Key, *, is_correct: bool | None, n_tokens: int = 0) -> None:
        """Count the outcome of an issued key, and what it cost; None is an engine failure."""
        account = self._accounts[key.query_id]
        assert account.n_in_flight > 0, f"{key} was never issued"
        account.n_in_flight -= 1
        account.n_tokens += n_tokens
        account.n_timed += 1
        account.count(key.trial, is_correct)
        self._push(key.query_id)
        self._n_recorded += 1
        if self._n_recorded >= self._learn_at:
            self._learn()

    def totals(self) -> Totals:
        """Counts over all queries, in one pass."""
        accounts = self._accounts.values()
        return Totals(
            n_recorded=sum(a.n_recorded for a in accounts),
            n_failures=sum(a.n_failures for a in accounts),
            n_correct=sum(a.n_correct for a in accounts),
            n_in_flight=sum(a.n_in_flight for a in accounts),
            n_queries_met=sum(a.is_met() for a in accounts),
            expected_tries=sum(a.expected_tries() for a in accounts),
        )

    def _learn(self) -> None:
        """Let the order learn, and queue every query anew."""
        self.order.learn(self._accounts.values())
        self._learn_at = max(2 * self._n_recorded, _LEARN_AFTER * len(self._accounts))
        self._heap = []
        for query_id in self._accounts:
            self._push(query_id)

    def _push(self, query_id: str) -> None:
        """Queue the query's present state; entries of older states are skipped when they surface."""
        account = self._accounts[query_id]
        account.version += 1
        if account.is_open(self.speculation):
            tier = 0 if self.speculation == 0.0 or account.is_open(0.0) else 1
            entry = (tier, self.order.priority(account), self._rank[query_id], account.version, query_id)
            heapq.heappush(self._heap, entry)
            if len(self._heap) > _MOST_ENTRIES * len(self._accounts) + _ENTRIES_IN_ANY_CASE:
                self._drop_old_entries()

    def _drop_old_entries(self) -> None:
        # Speculative entries surface last, so those of older states would gather for as long as a run goes on.
        self._heap = [entry for entry in self._heap if entry[3] == self._accounts[entry[4]].version]
        heapq.heapify(self._heap)
