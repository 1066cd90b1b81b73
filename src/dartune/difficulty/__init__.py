"""How hard a query is: counts of tries, what they say of its pass rate, and other measures beside it (pure)."""

from dartune.difficulty.pilot import pilot_difficulty

__all__ = ["pilot_difficulty"]
