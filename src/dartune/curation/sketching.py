"""MinHash signatures and steps of responses, for the choice of diverse ones.

A signature is of the set of a response's runs of five words; 64 hashes estimate a Jaccard index to within 0.06 (one
standard error). A step is a line or a sentence, by its words. Kept are 256 bytes and eight for each step of a
correct response: 0.35 GB for a million of ten steps.
"""

import hashlib
import re
from array import array

import numpy as np

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
        # Flat arrays: as objects, signatures and sets of steps would take four times the memory.
        self._signatures = array("I")
        self._steps = array("Q")
        self._ends = array("Q", [0])
        """Where in `_steps` those of each row end."""

    def add(self, slot: int, text: str) -> None:
        """Take in the response of one slot."""
        words = normal_words(text)
        minhash = self._minhash(num_perm=N_HASHES, seed=_SEED)
        minhash.update([" ".join(words[i : i + _RUN]) for i in range(max(1, len(words) - _RUN + 1))])
        self._rows[slot] = len(self._ends) - 1
        self._signatures.extend(minhash.digest())
        self._steps.extend(set(map(_hash, filter(None, map(_words, _STEP_ENDS.split(text))))))
        self._ends.append(len(self._steps))

    def of(self, slots: slice) -> Sketches:
        """Those of one query, whose trials are `slots`."""
        rows = self._rows[slots]
        has_any = rows >= 0
        own = rows[has_any].tolist()
        places = np.full(len(rows), -1, np.int32)
        places[has_any] = np.arange(len(own))
        return Sketches(
            rows=places,
            signatures=np.frombuffer(self._signatures, np.uint32).reshape(-1, N_HASHES)[own],
            steps=[frozenset(self._steps[self._ends[row] : self._ends[row + 1]]) for row in own],
        )


def _words(step: str) -> str:
    return " ".join(normal_words(step))


def _hash(words: str) -> int:
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest())
