"""What a running job tells whoever watches."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["checking", "grading", "writing"]

_EVERY_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingProgress:
    """How far a stage is."""

    stage: Stage
    n_done: int
    n_before: int
    """Rows of `n_done` that an earlier call did."""
    n_rows: int | None
    """None while the rows are being counted."""
    elapsed_s: float

    @property
    def rows_per_s(self) -> float:
        """Rate of this call, in rows a second."""
        return (self.n_done - self.n_before) / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def time_left_s(self) -> float | None:
        """Seconds left of this stage at the rate so far; None before there is a rate."""
        if self.n_rows is None or not self.rows_per_s:
            return None
        return (self.n_rows - self.n_done) / self.rows_per_s


Watcher = Callable[[MarkingProgress], None]


class Meter:
    """Counts the rows of one stage and tells the watcher, a few times a second."""

    def __init__(self, watch: Watcher | None, stage: Stage, *, n_rows: int | None, n_before: int = 0) -> None:
        self._watch = watch
        self._stage: Stage = stage
        self._n_rows = n_rows
        self.n_before = n_before
        self._started_s = self._told_s = time.monotonic()
        self.n_done = n_before

    @property
    def elapsed_s(self) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self._started_s

    def count(self) -> None:
        """One more row is done."""
        self.n_done += 1
        if self._watch is None or time.monotonic() - self._told_s < _EVERY_S:
            return
        self._told_s = time.monotonic()
        self._watch(
            MarkingProgress(
                stage=self._stage,
                n_done=self.n_done,
                n_before=self.n_before,
                n_rows=self._n_rows,
                elapsed_s=self.elapsed_s,
            )
        )
