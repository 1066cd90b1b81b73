"""The rule for giving up says what the posterior says, and no more."""

import numpy as np
import pytest

from dartune.config import GiveUpConfig
from dartune.difficulty.prior import Prior, fit_prior, posterior
from dartune.stopping import give_up_caps

PRIOR = Prior(0.7, 0.3, 0.05)
BY_TARGET = GiveUpConfig(below=0.1, min_yield=1.0)


def p_reach(n: int, c: int, target: int, max_trials: int) -> float:
    return float(posterior(PRIOR, n, c).p_reach(target - c, max_trials - n))


@pytest.mark.parametrize(("target", "max_trials"), [(2, 10), (8, 100), (40, 2_048)])
def test_each_cap_is_the_first_try_after_which_the_target_is_not_expected(target: int, max_trials: int) -> None:
    caps = give_up_caps(target, max_trials, PRIOR, BY_TARGET)
    for c in range(1, target):
        if caps[c] < max_trials:
            assert p_reach(caps[c], c, target, max_trials) < 0.1
        if caps[c] > c:
            assert p_reach(caps[c] - 1, c, target, max_trials) >= 0.1


def test_caps_do_not_fall_with_correct_responses_and_stay_within_the_cap() -> None:
    for rule in (BY_TARGET, GiveUpConfig(), GiveUpConfig(unsolved=0.01)):
        caps = give_up_caps(40, 2_048, PRIOR, rule)
        assert list(caps[1:]) == sorted(caps[1:])
        assert 1 <= min(caps) <= max(caps) <= 2_048


def test_a_query_that_pays_is_kept_though_it_will_not_reach_its_target() -> None:
    by_yield = give_up_caps(192, 2_048, PRIOR, GiveUpConfig(below=0.9, min_yield=0.005))
    by_target = give_up_caps(192, 2_048, PRIOR, GiveUpConfig(below=0.9, min_yield=1.0))
    assert by_target[10] < 300 < by_yield[10]
    seen = posterior(PRIOR, [by_yield[3], by_yield[3] - 1], 3).mean()
    assert seen[0] < 0.005 <= seen[1]


def test_a_query_without_a_correct_response_keeps_its_cap_unless_any_is_improbable() -> None:
    assert give_up_caps(40, 2_048, PRIOR, BY_TARGET)[0] == 2_048
    cap = give_up_caps(40, 2_048, PRIOR, GiveUpConfig(unsolved=0.02))[0]
    assert 10 < cap < 2_048
    seen = posterior(PRIOR, [cap, cap - 1], 0)
    assert seen.p_reach(1, [2_048 - cap, 2_049 - cap]).tolist() == pytest.approx([0.02, 0.02], rel=0.1)
    assert seen.p_reach(1, 2_048 - cap)[0] < 0.02


def test_giving_up_saves_a_fifth_for_a_hundredth_of_the_correct_responses() -> None:
    random = np.random.default_rng(0)
    rates = np.where(random.random(2_000) < 0.1, random.beta(1, 60, 2_000), random.beta(3, 1, 2_000))
    outcomes = random.random((2_000, 2_048)) < rates[:, None]
    right = np.minimum(np.cumsum(outcomes, axis=1), 40)
    prior = fit_prior(np.full(2_000, 16), right[:, 15])

    def spend(caps: np.ndarray) -> tuple[int, int, int]:
        ends = (right >= 40) | (np.arange(1, 2_049) >= np.append(caps, 0)[right])
        n = np.where(ends.any(axis=1), ends.argmax(axis=1) + 1, 2_048)
        kept = right[np.arange(2_000), n - 1]
        return int(n.sum()), int(kept.sum()), int((kept > 0).sum())

    whole = spend(np.full(40, 2_048))
    part = spend(np.array(give_up_caps(40, 2_048, prior, GiveUpConfig())))
    assert part[0] < 0.85 * whole[0]
    assert part[1] > 0.985 * whole[1]
    assert part[2] == whole[2]
