"""The ledger's invariants, at random outcomes, orders of arrival and interruptions."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.allocation import n_trials_needed
from dartune.sampling.ledger import Ledger, Recorded
from dartune.types import Key, Target

targets_of_a_set = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 40), st.integers(0, 40)).map(
        lambda t: Target(n_correct=t[0], max_trials=max(t[1], t[2]), min_trials=min(t[2], t[1]))
    ),
    min_size=1,
    max_size=6,
)


def outcome_of(key: Key, seed: int) -> bool | None:
    """What a try gives: fixed by its key, as it is for a seeded engine."""
    draw = random.Random(f"{seed}/{key.query_id}/{key.trial}")
    rate = random.Random(f"{seed}/{key.query_id}").choice([0.02, 0.1, 0.4, 0.9])
    return None if draw.random() < 0.05 else draw.random() < rate


def sample_all(
    targets: dict[str, Target], seed: int, *, n_places: int, speculation: float, kill_after: int | None = None
) -> dict[str, dict[int, bool | None]]:
    """Run a ledger to its end, answers in random order, losing what is in flight after `kill_after` answers."""
    done: dict[str, dict[int, bool | None]] = {query_id: {} for query_id in targets}
    order = random.Random(seed)
    ledger = Ledger(alone(targets), {}, speculation)
    in_flight: list[Key] = []
    n_answers = 0
    while True:
        while len(in_flight) < n_places and (key := ledger.next()) is not None:
            assert key.trial not in done[key.query_id]
            assert key not in in_flight
            in_flight.append(key)
            check_limits(targets, done, in_flight, speculation)
        if not in_flight:
            return done
        key = in_flight.pop(order.randrange(len(in_flight)))
        outcome = outcome_of(key, seed)
        done[key.query_id][key.trial] = outcome
        ledger.record(key, is_correct=outcome)
        n_answers += 1
        if n_answers == kill_after:
            in_flight.clear()
            ledger = Ledger(alone(targets), {q: recorded(tries) for q, tries in done.items()}, speculation)


def recorded(tries: dict[int, bool | None]) -> Recorded:
    outcomes = list(tries.values())
    return Recorded(trials=frozenset(tries), n_correct=outcomes.count(True), n_failures=outcomes.count(None))


def check_limits(
    targets: dict[str, Target], done: dict[str, dict[int, bool | None]], in_flight: list[Key], speculation: float
) -> None:
    for query_id, target in targets.items():
        n_flying = sum(key.query_id == query_id for key in in_flight)
        n_issued = len(done[query_id]) + n_flying
        assert n_issued <= target.max_trials
        if speculation == 0 and n_issued > target.min_trials:
            assert list(done[query_id].values()).count(True) + n_flying <= max(target.n_correct, target.min_trials)


def alone(targets: dict[str, Target]) -> dict[str, list[Target]]:
    return {query_id: [target] for query_id, target in targets.items()}


def named(targets: list[Target]) -> dict[str, Target]:
    return {f"q{i}": target for i, target in enumerate(targets)}


@given(targets_of_a_set, st.integers(0, 10**6), st.integers(1, 50))
def test_strict_makes_exactly_the_tries_that_are_needed(targets: list[Target], seed: int, n_places: int) -> None:
    done = sample_all(named(targets), seed, n_places=n_places, speculation=0.0)
    for query_id, target in named(targets).items():
        trials = sorted(done[query_id])
        assert trials == list(range(len(trials)))
        everything = [outcome_of(Key(query_id, trial), seed) for trial in range(target.max_trials)]
        assert len(trials) == n_trials_needed(everything, target)


@given(targets_of_a_set, st.integers(0, 10**6), st.integers(1, 50), st.integers(1, 60))
def test_a_strict_run_that_was_killed_ends_with_the_same_tries(
    targets: list[Target], seed: int, n_places: int, kill_after: int
) -> None:
    whole = sample_all(named(targets), seed, n_places=3, speculation=0.0)
    killed = sample_all(named(targets), seed, n_places=n_places, speculation=0.0, kill_after=kill_after)
    assert killed == whole


@given(targets_of_a_set, st.integers(0, 10**6), st.integers(1, 50), st.floats(0.1, 1.0), st.integers(1, 60))
def test_speculation_and_kills_leave_the_first_correct_trials_the_same(
    targets: list[Target], seed: int, n_places: int, speculation: float, kill_after: int
) -> None:
    strict = sample_all(named(targets), seed, n_places=3, speculation=0.0)
    ahead = sample_all(named(targets), seed, n_places=n_places, speculation=speculation, kill_after=kill_after)
    for query_id, target in named(targets).items():
        firsts = [
            sorted(t for t, right in run[query_id].items() if right)[: target.n_correct] for run in (strict, ahead)
        ]
        assert firsts[0] == firsts[1]


def test_target_k_is_k_and_not_one_more() -> None:
    ledger = Ledger({"q": [Target(n_correct=2, max_trials=10)]})
    first, second = ledger.next(), ledger.next()
    assert (first, second) == (Key("q", 0), Key("q", 1))
    assert ledger.next() is None
    ledger.record(Key("q", 1), is_correct=True)
    assert ledger.next() is None
    ledger.record(Key("q", 0), is_correct=True)
    assert ledger.next() is None
    assert ledger.totals().n_correct == 2


def test_the_freed_place_goes_to_the_query_with_most_left() -> None:
    ledger = Ledger(alone({"easy": Target(n_correct=3, max_trials=99), "hard": Target(n_correct=3, max_trials=99)}))
    keys = [ledger.next() for _ in range(6)]
    assert ledger.next() is None
    for key in keys:
        assert key is not None
        ledger.record(key, is_correct=key.query_id == "easy" and key.trial < 2)
    assert [ledger.next() for _ in range(3)] == [Key("hard", 3), Key("hard", 4), Key("hard", 5)]


def test_speculation_waits_until_no_strict_place_is_left() -> None:
    targets = {"a": Target(n_correct=1, max_trials=99), "b": Target(n_correct=1, max_trials=99)}
    ledger = Ledger(alone(targets), {"a": Recorded(trials=frozenset(range(20)))}, speculation=1.0)
    keys = [ledger.next() for _ in range(5)]
    assert {keys[0], keys[1]} == {Key("a", 20), Key("b", 0)}
    assert keys[2:] == [Key("a", 21), Key("a", 22), Key("a", 23)]


def test_failures_spend_tries_but_are_not_raw_responses() -> None:
    ledger = Ledger({"q": [Target(n_correct=1, max_trials=2)]})
    for trial in range(2):
        assert ledger.next() == Key("q", trial)
        ledger.record(Key("q", trial), is_correct=None)
    assert ledger.next() is None
    assert ledger.totals().n_failures == 2


def test_recording_what_was_never_asked_is_refused() -> None:
    with pytest.raises(AssertionError, match="never issued"):
        Ledger({"q": [Target(max_trials=1)]}).record(Key("q", 0), is_correct=True)


@given(targets_of_a_set, st.integers(0, 10**6))
def test_methods_that_share_a_pool_make_the_tries_of_the_one_that_needs_most(targets: list[Target], seed: int) -> None:
    ledger = Ledger({"q": targets})
    n_tries = 0
    while (key := ledger.next()) is not None:
        ledger.record(key, is_correct=outcome_of(key, seed))
        n_tries += 1
    everything = [outcome_of(Key("q", trial), seed) for trial in range(max(t.max_trials for t in targets))]
    assert n_tries == max(n_trials_needed(everything, target) for target in targets)


def test_a_lost_trial_is_asked_again_even_beyond_a_lowered_cap() -> None:
    before = Recorded(trials=frozenset({0, 1, 2, 4, 5, 6}), n_correct=1)
    ledger = Ledger({"q": [Target(n_correct=2, max_trials=5)]}, {"q": before})
    assert ledger.next() == Key("q", 3)
    assert ledger.next() is None
