"""From counts of tries to difficulty (pure)."""

from collections.abc import Iterable

from dartune.types import Difficulty


def pilot_difficulty(outcomes: Iterable[tuple[int, bool]], n_pilot: int) -> Difficulty:
    """Difficulty from the first `n_pilot` tries of one query, whatever was sampled after them.

    `outcomes` holds (trial, is_correct) of every graded response, in any order. Only trials below `n_pilot` count, so
    that the estimate does not change when the same pool grows for another purpose.
    """
    pilot = [is_correct for trial, is_correct in outcomes if trial < n_pilot]
    return Difficulty(n_trials=len(pilot), n_correct=sum(pilot))
