"""The ledger's invariants, at random outcomes, orders of arrival and interruptions."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.allocation import n_trials_needed
from dartune.config import WorthConfig
from dartune.sampling.ledger import Ledger
from dartune.sampling.orders import CoverFirst, MostWorth
from dartune.types import Key, Target


@st.composite
def some_target(draw: st.DrawFn) -> Target:
    """Any target, half of them with a rule for giving up, half of those with a cap of its own before the first."""
    n_correct, max_trials = draw(st.integers(0, 6)), draw(st.integers(1, 40))
    caps = None
    if n_correct and draw(st.booleans()):
        caps = sorted(draw(st.lists(st.integers(1, max_trials), min_size=n_correct, max_size=n_correct)))
        if draw(st.booleans()):
            caps[0] = max_trials
    return Target(
        n_correct=n_correct,
        max_trials=max_trials,
        min_trials=draw(st.integers(0, max_trials)),
        caps=None if caps is None else tuple(caps),
    )


targets_of_a_set = st.lists(some_target(), min_size=1, max_size=6)


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
            ledger = Ledger(alone(targets), done, speculation)


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
        assert chosen(strict[query_id], target) == chosen(ahead[query_id], target)


def chosen(tries: dict[int, bool | None], target: Target) -> list[int]:
    """The correct trials among those that the target alone would have made."""
    outcomes = [tries[trial] for trial in range(len(tries)) if trial in tries]
    return [trial for trial, right in enumerate(outcomes[: n_trials_needed(outcomes, target)]) if right]


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
    ledger = Ledger(alone(targets), {"a": dict.fromkeys(range(20), False)}, speculation=1.0)
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
    before = {trial: trial == 6 for trial in (0, 1, 2, 4, 5, 6)}
    ledger = Ledger({"q": [Target(n_correct=2, max_trials=5)]}, {"q": before})
    assert ledger.next() == Key("q", 3)
    assert ledger.next() is None


def test_a_query_is_given_up_when_its_cap_is_met_and_one_that_was_never_solved_is_not() -> None:
    hopeless = Target(n_correct=3, max_trials=50, caps=(50, 6, 9))
    ledger = Ledger({"q": [hopeless]})
    outcomes = [False] * 20 + [True]
    tries = []
    while (key := ledger.next()) is not None:
        tries.append(key.trial)
        ledger.record(key, is_correct=outcomes[key.trial])
    assert tries == list(range(21))
    assert n_trials_needed(outcomes, hopeless) == 21
    assert ledger.totals().n_queries_met == 1
    assert ledger.totals().expected_tries == 0


def test_a_query_that_may_be_given_up_waits_for_what_is_in_flight() -> None:
    ledger = Ledger({"q": [Target(n_correct=9, max_trials=50, caps=(4, 8, 12, 16, 20, 24, 28, 32, 36))]})
    keys = [ledger.next() for _ in range(5)]
    assert keys == [*(Key("q", trial) for trial in range(4)), None]
    ledger.record(Key("q", 3), is_correct=True)
    assert ledger.next() is None  # trials 0 to 2 may still fail, but then trial 3 has counted: they decide
    ledger.record(Key("q", 0), is_correct=True)
    assert ledger.next() == Key("q", 4)


def test_covering_first_takes_the_least_tried_of_those_without_a_correct_response() -> None:
    targets = {name: Target(n_correct=2, max_trials=9) for name in ("a", "b", "c")}
    ledger = Ledger(alone(targets), {"a": {0: True}, "b": {0: False, 1: False}}, order=CoverFirst())
    assert [ledger.next() for _ in range(6)] == [
        Key("c", 0), Key("c", 1), Key("b", 2), Key("b", 3), Key("a", 1), None
    ]  # fmt: skip


def by_value(fairness: float, alpha: float = 0.0) -> MostWorth:
    return MostWorth(WorthConfig(alpha=alpha, fairness=fairness))


def spend(order: MostWorth, rates: dict[str, float], n_tries: int, n_tokens: dict[str, int]) -> dict[str, list[int]]:
    """Tries and correct responses of each query when `n_tries` are spent by value, one at a time."""
    targets = {name: Target(n_correct=10**6, max_trials=10**6) for name in rates}
    ledger = Ledger(alone(targets), order=order)
    draw = random.Random(0)
    spent = {name: [0, 0] for name in rates}
    for _ in range(n_tries):
        key = ledger.next()
        assert key is not None
        right = draw.random() < rates[key.query_id]
        spent[key.query_id][0] += 1
        spent[key.query_id][1] += right
        ledger.record(key, is_correct=right, n_tokens=n_tokens[key.query_id])
    return spent


RATES = {"easy": 0.9, "middle": 0.5, "hard": 0.1}
ALIKE = dict.fromkeys(RATES, 100)


def test_by_value_without_fairness_the_cheapest_responses_are_bought() -> None:
    spent = spend(by_value(0.0), RATES, 2_000, ALIKE)
    assert spent["easy"][0] > 1_900
    cheap = spend(by_value(0.0), RATES, 2_000, {"easy": 1_000, "middle": 100, "hard": 100})
    assert cheap["middle"][0] > 1_900


def test_by_value_with_fairness_1_every_query_gets_the_same_tries_as_in_vanilla_rejection_tuning() -> None:
    spent = spend(by_value(1.0), RATES, 3_000, ALIKE)
    assert [tries for tries, _ in spent.values()] == pytest.approx([1_000] * 3, rel=0.1)


def test_by_value_with_all_fairness_every_query_gets_the_same_correct_responses_as_in_dars_uniform() -> None:
    spent = spend(by_value(100.0), RATES, 3_000, ALIKE)
    rights = [right for _, right in spent.values()]
    assert rights == pytest.approx([sum(rights) / 3] * 3, rel=0.02)


def test_by_value_with_all_fairness_and_alpha_1_correct_responses_follow_the_fail_rate_as_in_prop2diff() -> None:
    spent = spend(by_value(100.0, alpha=1.0), RATES, 6_000, ALIKE)
    share = [right / (1 - RATES[name]) for name, (_, right) in spent.items()]
    assert share == pytest.approx([share[-1]] * 3, rel=0.15)
