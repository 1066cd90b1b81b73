"""Which request is asked next: a pure state machine that owns no task, file or clock.

A query may have several targets, one for each method that shares the pool. Invariants, for each target at every moment:
- trials are issued in order 0, 1, 2, ...; what an interrupted run left unanswered is issued again first;
- issued trials never exceed `max_trials` for its sake;
- strict (speculation = 0): correct + in flight never exceeds `n_correct` for its sake beyond what `min_trials` asks
  for, so the last issued trial is always needed by some target, and the set of issued trials is the longest that any
  target alone would have issued, whatever the order of arrival;
- speculative: more may be in flight, never more than `speculation` times the tries that the query is expected to need;
  all are awaited, so that the first `n_correct` correct by trial index are the same as in strict mode.

The freed place goes to the query that is expected to need the most tries still (longest job first), which keeps the
tail of the run short; speculative places are given only when no strict one is open.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dartune.types import Key, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a pool holds of one query already."""

    trials: frozenset[int] = frozenset()
    """Trials that ended, as a sample or as a failure."""
    n_correct: int = 0
    n_failures: int = 0


@dataclass(slots=True, kw_only=True)
class _Account:
    """The running state of one query."""

    targets: Sequence[Target]
    lost: list[int]
    """Trials below `next_trial` that were issued before an interruption and never recorded; a heap."""
    next_trial: int
    n_recorded: int
    n_correct: int
    n_failures: int
    n_in_flight: int = 0
    version: int = 0

    @property
    def n_issued(self) -> int:
        return self.n_recorded + self.n_in_flight

    @property
    def pass_rate(self) -> float:
        """Mean of the pass rate's posterior under a uniform prior; never 0."""
        return (self.n_correct + 1) / (self.n_recorded - self.n_failures + 2)

    def is_met(self) -> bool:
        """Whether every target has what it asks for."""
        return all(t.n_correct <= self.n_correct and t.min_trials <= self.n_recorded for t in self.targets)

    def expected_tries(self) -> float:
        """Tries still to issue, at the pass rate seen so far."""
        return max(len(self.lost), *(self._expected_for(target) for target in self.targets))

    def is_open(self, speculation: float) -> bool:
        """Whether one more trial may be in flight."""
        # A lost trial is owed even when nothing more is needed: a later one may have come out right, and which
        # responses are the first correct ones must not depend on what an interruption lost.
        if self.lost and self.lost[0] < max(target.max_trials for target in self.targets):
            return True
        return any(self._is_open_for(target, speculation) for target in self.targets)

    def _is_open_for(self, target: Target, speculation: float) -> bool:
        if self.n_issued >= target.max_trials:
            return False
        need = target.n_correct - self.n_correct
        if self.n_issued < target.min_trials or self.n_in_flight < need:
            return True
        return need > 0 and self.n_in_flight + 1 <= speculation * need / self.pass_rate

    def _expected_for(self, target: Target) -> float:
        need = max(0, target.n_correct - self.n_correct)
        wanted = max(need / self.pass_rate - self.n_in_flight, target.min_trials - self.n_issued, 0.0)
        return max(0.0, min(wanted, target.max_trials - self.n_issued))


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
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    speculation: float = 0.0
    """In-flight limit as a multiple of a query's expected tries; 0 is strict."""
    _accounts: dict[str, _Account] = field(init=False)
    _heap: list[tuple[int, float, int, int, str]] = field(init=False)
    _rank: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Open an account for every query and queue those that still need tries."""
        self._accounts, self._heap, self._rank = {}, [], {}
        for rank, (query_id, targets) in enumerate(self.targets.items()):
            self._rank[query_id] = rank
            self._accounts[query_id] = _open_account(targets, self.recorded.get(query_id, Recorded()))
            self._push(query_id)

    def next(self) -> Key | None:
        """The key that needs a place most, now in flight; None if no place can be used before an outcome comes."""
        while self._heap:
            *_, version, query_id = heapq.heappop(self._heap)
            account = self._accounts[query_id]
            if version == account.version:
                trial = heapq.heappop(account.lost) if account.lost else account.next_trial
                account.next_trial = max(account.next_trial, trial + 1)
                account.n_in_flight += 1
                self._push(query_id)
                return Key(query_id, trial)
        return None

    def record(self, key: Key, *, is_correct: bool | None) -> None:
        """Count the outcome of an issued key; None is an engine failure."""
        account = self._accounts[key.query_id]
        assert account.n_in_flight > 0, f"{key} was never issued"
        account.n_in_flight -= 1
        account.n_recorded += 1
        account.n_correct += is_correct is True
        account.n_failures += is_correct is None
        self._push(key.query_id)

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

    def _push(self, query_id: str) -> None:
        """Queue the query's present state; entries of older states are skipped when they surface."""
        account = self._accounts[query_id]
        account.version += 1
        if account.is_open(self.speculation):
            tier = 0 if account.is_open(0.0) else 1
            entry = (tier, -account.expected_tries(), self._rank[query_id], account.version, query_id)
            heapq.heappush(self._heap, entry)


def _open_account(targets: Sequence[Target], recorded: Recorded) -> _Account:
    next_trial = max(recorded.trials, default=-1) + 1
    return _Account(
        targets=targets,
        lost=sorted(set(range(next_trial)) - recorded.trials),
        next_trial=next_trial,
        n_recorded=len(recorded.trials),
        n_correct=recorded.n_correct,
        n_failures=recorded.n_failures,
    )
