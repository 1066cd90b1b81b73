"""What every try of a pool came to, a byte for each: ten million tries fit in ten megabytes.

Trials are issued in order, so that the tries of a query stand as a row of bytes whose position is the trial; what a
crash left out is `MISSING`. To whoever reads, it is the mapping `dartune.types.Outcomes`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CORRECT: Final = 1
INCORRECT: Final = 0
FAILED: Final = -1
"""The engine gave no response."""
MISSING: Final = -2
"""No sample of this trial is in the pool."""

Codes = NDArray[np.int8]
"""Outcomes of trials 0, 1, 2, ... of one query, as the constants above."""

_OUTCOMES: Final[Mapping[int, bool | None]] = {CORRECT: True, INCORRECT: False, FAILED: None}


class Tries(Mapping[int, bool | None]):
    """The recorded tries of one query: trial -> whether it is correct, None for a failure; in trial order."""

    __slots__ = ("codes",)

    def __init__(self, codes: Codes) -> None:
        """Take the outcomes by trial; they are not copied."""
        self.codes = codes

    def __getitem__(self, trial: int) -> bool | None:
        """Outcome of one trial. Raises KeyError if it is not recorded."""
        code = self.codes.item(trial) if 0 <= trial < len(self.codes) else MISSING
        if code == MISSING:
            raise KeyError(trial)
        return _OUTCOMES[code]

    def __contains__(self, trial: object) -> bool:
        """Whether the trial is recorded."""
        return isinstance(trial, int) and 0 <= trial < len(self.codes) and self.codes.item(trial) != MISSING

    def __iter__(self) -> Iterator[int]:
        """The trials that are recorded, in order."""
        return iter(np.flatnonzero(self.codes != MISSING).tolist())

    def __len__(self) -> int:
        """How many trials are recorded."""
        return int(np.count_nonzero(self.codes != MISSING))

    @property
    def n_correct(self) -> int:
        """Correct responses."""
        return int(np.count_nonzero(self.codes == CORRECT))

    @property
    def n_failures(self) -> int:
        """Requests that the engine did not answer."""
        return int(np.count_nonzero(self.codes == FAILED))

    def leading(self) -> list[bool | None]:
        """Outcomes in trial order, up to the first trial that is missing."""
        gaps = np.flatnonzero(self.codes == MISSING)
        codes = self.codes[: gaps[0]] if len(gaps) else self.codes
        return [_OUTCOMES[code] for code in codes.tolist()]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeTable(Mapping[str, Tries]):
    """The outcomes of all queries that have any: query id -> `Tries`, the ids in the order of their first sample.

    The slot of a try, its place in `codes`, also serves arrays that hold something else about every try.
    """

    ranks: Mapping[str, int]
    """Query id -> its place in `starts`."""
    starts: NDArray[np.int64]
    """Slot of each query's trial 0; the last entry is the number of slots."""
    codes: Codes
    """All queries, one after the other."""

    def __getitem__(self, query_id: str) -> Tries:
        """The tries of one query. Raises KeyError if there are none."""
        if query_id not in self.ranks:
            raise KeyError(query_id)
        return Tries(self.codes[self.slots(query_id)])

    def __iter__(self) -> Iterator[str]:
        """The ids of the queries that have tries."""
        return iter(self.ranks)

    def __len__(self) -> int:
        """How many queries have tries."""
        return len(self.ranks)

    def slots(self, query_id: str) -> slice:
        """Where the trials 0, 1, 2, ... of one query are; empty if there are none."""
        rank = self.ranks.get(query_id)
        return slice(0, 0) if rank is None else slice(int(self.starts[rank]), int(self.starts[rank + 1]))

    def count(self, code: int) -> int:
        """How many tries of all queries have this outcome."""
        return int(np.count_nonzero(self.codes == code))

    def tally(self) -> "Tally":
        """Counts of every query, in the order of the ids."""
        starts = self.starts[:-1]
        if not len(starts):
            return Tally(n_graded=np.zeros(0, np.int32), n_correct=np.zeros(0, np.int32))
        return Tally(
            n_graded=np.add.reduceat(self.codes >= INCORRECT, starts, dtype=np.int32),
            n_correct=np.add.reduceat(self.codes == CORRECT, starts, dtype=np.int32),
        )


class Tally(NamedTuple):
    """Counts of tries, one entry for each query."""

    n_graded: NDArray[np.int32]
    """Raw responses; failures of the engine do not count."""
    n_correct: NDArray[np.int32]
