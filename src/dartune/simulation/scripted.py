"""Tries drawn from pass rates and mean lengths: what a model would have answered, without a model.

The outcome and the length of a try depend on the seed, the query's id and the trial alone, so that any two schedulers
meet the same tries. They come from counter-based random numbers (Philox; Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3", 2011): one key for each query, one range of the counter for each block of trials.
"""

import hashlib
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dartune.planning.pass_rates import PassRates

_BLOCK = 64
"""Trials drawn at a time."""
_LOG_SPREAD = 0.5
"""Standard deviation of the logarithm of the lengths of one query's responses."""
_EASY_SHARE, _HARD_SHARE = 0.1, 0.3
"""Assumed mean length, as a share of the longest allowed, where every try is right and where none is."""


class Tries(NamedTuple):
    """The first tries of one query, in trial order."""

    is_correct: NDArray[np.bool_]
    n_tokens: NDArray[np.int64]


def assumed_mean_tokens(rates: PassRates, max_new_tokens: int) -> NDArray[np.float64]:
    """Mean tokens of each query's responses: the file's where it says.

    Elsewhere an assumption: harder queries have longer responses, from 10 % of `max_new_tokens` for a query that is
    always solved to 30 % for one that never is (at 2,048, 205 to 614 tokens).
    """
    share = _HARD_SHARE + (_EASY_SHARE - _HARD_SHARE) * rates.pass_rate
    return np.where(np.isnan(rates.mean_tokens), share * max_new_tokens, rates.mean_tokens)


@dataclass(slots=True)
class ScriptedTries:
    """Outcome and length of any try: right with the query's pass rate, lognormal tokens whether right or wrong."""

    rates: PassRates
    seed: int = 0
    max_new_tokens: int = 2048
    """Longer responses are cut here, and keep their outcome: pass rates count what is cut already."""
    _keys: list[int] = field(init=False)
    _log_scale: list[float] = field(init=False)
    _pass_rate: list[float] = field(init=False)
    _blocks: "list[array[int] | None]" = field(init=False)
    rows: dict[str, int] = field(init=False)
    """Query id -> row in `rates`."""

    def __post_init__(self) -> None:
        """Make the key of every query; draw nothing yet."""
        ids = self.rates.query_ids
        digests = (hashlib.blake2b(f"{self.seed}\0{query_id}".encode(), digest_size=16).digest() for query_id in ids)
        self._keys = [int.from_bytes(digest, "big") for digest in digests]
        self._log_scale = (np.log(assumed_mean_tokens(self.rates, self.max_new_tokens)) - _LOG_SPREAD**2 / 2).tolist()
        self._pass_rate = self.rates.pass_rate.tolist()
        self._blocks = [None] * len(ids)
        self.rows = {query_id: row for row, query_id in enumerate(ids)}

    def next(self, query_id: str, trial: int) -> int:
        """Tokens of a right try, minus the tokens of a wrong one.

        For the trials of a query in order: its present block alone is kept, so memory does not grow with the tries.
        """
        row = self.rows[query_id]
        place = trial % _BLOCK
        block = self._blocks[row]
        if block is None or place == 0:
            block = self._blocks[row] = array("i", self._draw(row, trial // _BLOCK).tobytes())
        return block[place]

    def first(self, row: int, n: int) -> Tries:
        """The first `n` tries of the query in `row`."""
        blocks = [self._draw(row, number) for number in range(-(-n // _BLOCK))]
        signed = np.concatenate(blocks)[:n] if blocks else np.empty(0, dtype=np.int32)
        return Tries(is_correct=signed > 0, n_tokens=np.abs(signed).astype(np.int64))

    def _draw(self, row: int, number: int) -> NDArray[np.int32]:
        # A block takes far less than 2^64 steps of the counter, so no two blocks overlap.
        random = np.random.Generator(np.random.Philox(key=self._keys[row], counter=number << 64))
        is_correct = random.random(_BLOCK) < self._pass_rate[row]
        n_tokens = np.exp(random.normal(self._log_scale[row], _LOG_SPREAD, _BLOCK))
        signed = np.clip(np.rint(n_tokens), 1, self.max_new_tokens)
        return np.where(is_correct, signed, -signed).astype(np.int32)
