"""The running state of one query, and whether one more of its trials may be in flight (pure).

Outcomes arrive in any order. What decides whether a query is given up is the run of outcomes from trial 0 without a gap
(`Known`), so that the decision is a function of the outcomes in trial order, as `allocation.n_trials_needed` has it.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dartune.types import Target


@dataclass(slots=True)
class Known:
    """Outcomes from trial 0 on without a gap, and those that arrived beyond it."""

    n: int = 0
    n_graded: int = 0
    n_correct: int = 0
    ahead: dict[int, bool | None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Account:
    """Counts of one query, and the targets of every method that wants it."""

    targets: Sequence[Target]
    lost: list[int] = field(default_factory=list)
    """Trials below `next_trial` that were issued before an interruption and never recorded; a heap."""
    next_trial: int = 0
    n_recorded: int = 0
    n_correct: int = 0
    n_failures: int = 0
    n_tokens: int = 0
    n_timed: int = 0
    """Tries whose tokens are in `n_tokens`: a pool's earlier ones are not."""
    n_in_flight: int = 0
    version: int = 0
    """Counts the changes; an older entry of a queue is out of date."""
    known: Known | None = None
    """None where no target gives up, and nobody needs to know."""

    @property
    def pass_rate(self) -> float:
        """Mean of the pass rate's posterior under a uniform prior; never 0."""
        return (self.n_correct + 1) / (self.n_recorded - self.n_failures + 2)

    def issue(self) -> int:
        """The next trial, now in flight: a lost one before a new one."""
        trial = heapq.heappop(self.lost) if self.lost else self.next_trial
        self.next_trial = max(self.next_trial, trial + 1)
        self.n_in_flight += 1
        return trial

    def count(self, trial: int, is_correct: bool | None) -> None:
        """Take a recorded outcome into account; None is an engine failure."""
        self.n_recorded += 1
        self.n_correct += is_correct is True
        self.n_failures += is_correct is None
        if self.known is not None:
            self.known.ahead[trial] = is_correct
            self._learn(self.known)

    def is_met(self) -> bool:
        """Whether every target has what it asks for, or has been given up."""
        return all(t.n_correct <= self.n_correct and t.min_trials <= self.n_recorded for t in self.targets)

    def expected_tries(self) -> float:
        """Tries still to issue, at the pass rate seen so far."""
        return max(len(self.lost), *(self._expected_for(target) for target in self.targets))

    def expected_rounds(self) -> float:
        """Tries still to come one after the other, where each target has as many in flight as it needs for certain.

        With r correct responses missing, r tries run at a time, of which one in 1 / p is right: 1 / (p r) rounds pass
        until r - 1 are missing, H(r) / p in all, H being the harmonic numbers; the cap may end it before.
        """
        return max(self._rounds_for(target) for target in self.targets)

    def is_open(self, speculation: float) -> bool:
        """Whether one more trial may be in flight; with `speculation` 0 only one that is needed for certain."""
        # A lost trial is owed even when nothing more is needed: a later one may have come out right, and which
        # responses are the first correct ones must not depend on what an interruption lost.
        if self.lost and self.lost[0] < max(target.max_trials for target in self.targets):
            return True
        return any(self._is_open_for(target, speculation) for target in self.targets)

    def _is_open_for(self, target: Target, speculation: float) -> bool:
        trial = self.next_trial
        if trial >= target.max_trials:
            return False
        if trial < target.min_trials:
            return True
        need = target.n_correct - self.n_correct
        if need <= 0:
            return False
        if self.n_in_flight < need and (target.caps is None or self._is_within(target.caps, trial)):
            return True
        if speculation == 0.0:
            return False
        if target.caps is not None and trial - self.n_failures >= target.caps[self.n_correct]:
            return False
        return self.n_in_flight + 1 <= speculation * self._least_need(target) / self.pass_rate

    def _is_within(self, caps: Sequence[int], trial: int) -> bool:
        """Whether a query is still open at `trial`, whatever the outcomes are that are not known yet."""
        assert self.known is not None
        n_graded = trial - (self.known.n - self.known.n_graded)
        if n_graded >= caps[self.known.n_correct]:
            return False
        # Never solved, and open only for that: whichever trial in flight solves it ends it.
        is_last_hope = self.known.n_correct == 0 and len(caps) > 1 and n_graded >= caps[1]
        return not is_last_hope or trial == self.known.n

    def _least_need(self, target: Target) -> int:
        """Correct responses that would close the query for `target`."""
        if (
            target.caps is not None
            and self.n_correct == 0
            and len(target.caps) > 1
            and self.next_trial >= target.caps[1]
        ):
            return 1
        return target.n_correct - self.n_correct

    def _expected_for(self, target: Target) -> float:
        need, left = self._outlook(target)
        return max(0.0, min(max(need / self.pass_rate - self.n_in_flight, target.min_trials - self.next_trial), left))

    def _outlook(self, target: Target) -> tuple[int, int]:
        """Correct responses that would end it for `target`, and new trials that would."""
        if target.n_correct <= self.n_correct:
            return 0, max(0, target.min_trials - self.next_trial)
        if target.caps is None:
            return target.n_correct - self.n_correct, target.max_trials - self.next_trial
        last = min(target.max_trials, target.caps[self.n_correct] + self.n_failures)
        return self._least_need(target), max(0, last - self.next_trial)

    def _rounds_for(self, target: Target) -> float:
        need, left = self._outlook(target)
        if need == 0:
            return min(1.0, left)
        pass_rate = self.pass_rate
        return (_harmonic(need) - _harmonic(max(0.0, need - left * pass_rate))) / pass_rate

    def _learn(self, known: Known) -> None:
        """Move the known run on, and give up the targets whose caps it meets."""
        while known.n in known.ahead:
            outcome = known.ahead.pop(known.n)
            known.n += 1
            known.n_graded += outcome is not None
            known.n_correct += outcome is True
            if any(_is_given_up(target, known) for target in self.targets):
                self.targets = [_ended(t, known) if _is_given_up(t, known) else t for t in self.targets]


def open_account(targets: Sequence[Target], outcomes: Mapping[int, bool | None]) -> Account:
    """The account of a query of which a pool holds `outcomes` already."""
    next_trial = max(outcomes, default=-1) + 1
    account = Account(
        targets=targets,
        lost=[trial for trial in range(next_trial) if trial not in outcomes],
        next_trial=next_trial,
        known=Known() if any(target.caps is not None for target in targets) else None,
    )
    if account.known is not None:
        for trial, is_correct in outcomes.items():
            account.count(trial, is_correct)
        return account
    values = list(outcomes.values())
    account.n_recorded, account.n_correct, account.n_failures = len(values), values.count(True), values.count(None)
    return account


def _is_given_up(target: Target, known: Known) -> bool:
    return (
        target.caps is not None
        and known.n_correct < target.n_correct
        and known.n_graded >= target.caps[known.n_correct]
    )


def _ended(target: Target, known: Known) -> Target:
    """What is left of a target that was given up: the tries that it makes in any case."""
    return replace(target, n_correct=0, max_trials=max(known.n, target.min_trials), caps=None)


def _harmonic(x: float) -> float:
    """The x-th harmonic number, between whole numbers too, within 3 %; 0 at 0."""
    return math.log(x + _HALF_WAY) + _EULER if x > 0 else 0.0


_EULER = 0.5772156649
_HALF_WAY = math.exp(-_EULER)
"""Makes H(0) = 0, where ln x would end."""
