"""Training problems that a benchmark also asks: found by their words, reported pair by pair (pure)."""

from dartune.decontamination.matches import Match, find_matches
from dartune.decontamination.words import normal_words

__all__ = ["Match", "find_matches", "normal_words"]
