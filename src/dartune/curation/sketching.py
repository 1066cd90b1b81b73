"""MinHash signatures and steps of responses, for the choice of diverse ones.

A signature is of the set of a response's runs of five words; 64 hashes estimate a Jaccard index to within 0.06 (one
standard error). A step is a line or a sentence, by its words. Kept are 256 bytes and about a hundred more for each
correct response: 0.4 GB for a million.
"""

import hashlib
import re

import numpy as np
from numpy.typing import NDArray

from dartune.curation.preference import Sketches
from dartune.decontamination import normal_words
from dartune.errors import MissingExtra

N_HASHES = 64
_RUN = 5
_SEED = 1
_STEP_ENDS = re.compile(r"\n+|(?<=[.;!?])\s+")


class Sketchbook:
    """Sketches of the responses of a pool, by slot."""

    def __init__(self, n_slots: int) -> None:
        """Make room for `n_slots`. Raises MissingExtra if rensa is not installed."""
        try:
            from rensa import RMinHash
        except ImportError:
            raise MissingExtra("rensa", "diverse") from None
        self._minhash = RMinHash
        self._rows = np.full(n_slots, -1, np.int32)
        self._signatures: list[NDArray[np.uint32]] = []
        self._steps: list[frozenset[int]] = []

    def add(self, slot: int, text: str) -> None:
        """Take in the response of one slot."""
        words = normal_words(text)
        minhash = self._minhash(num_perm=N_HASHES, seed=_SEED)
        minhash.update([" ".join(words[i : i + _RUN]) for i in range(max(1, len(words) - _RUN + 1))])
        self._rows[slot] = len(self._steps)
        self._signatures.append(np.array(minhash.digest(), np.uint32))
        self._steps.append(frozenset(map(_hash, filter(None, map(_words, _STEP_ENDS.split(text))))))

    def of(self, slots: slice) -> Sketches:
        """Those of one query, whose trials are `slots`."""
        rows = self._rows[slots]
        has_any = rows >= 0
        own = rows[has_any].tolist()
        places = np.full(len(rows), -1, np.int32)
        places[has_any] = np.arange(len(own))
        signatures = [self._signatures[row] for row in own]
        return Sketches(
            rows=places,
            signatures=np.stack(signatures) if signatures else np.zeros((0, N_HASHES), np.uint32),
            steps=[self._steps[row] for row in own],
        )


def _words(step: str) -> str:
    return " ".join(normal_words(step))


def _hash(words: str) -> int:
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest())
