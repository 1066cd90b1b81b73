"""What is known about a query before any measure of difficulty is taken (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one model's tries of one query add up to; requests that the engine failed to answer are no tries."""

    n_trials: int = 0
    n_correct: int = 0
    n_tokens: int = 0
    """Response tokens of all tries."""
    n_tokens_correct: int = 0
    """Response tokens of the correct tries."""
    answers: tuple[int, ...] = ()
    """How many tries gave each distinct answer, in any order. The rest of the tries gave none."""

    @property
    def pass_rate(self) -> float | None:
        """Correct over all tries; None before the first."""
        return self.n_correct / self.n_trials if self.n_trials else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What measures of difficulty are taken from, for one query."""

    tally: Tally = Tally()
    """Tries of the model whose difficulty is asked for."""
    level: int | None = None
    """Difficulty given by people; 1 is easiest."""
    others: tuple[float, ...] = ()
    """Pass rates of other models, in [0, 1]; the asked model is not among them."""
    score: float | None = None
    """What a judge gave the query; higher is harder."""
