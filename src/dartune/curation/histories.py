"""What curation reads of a pool: the history of every query, and later the texts of what was chosen.

Nothing here grows with the length of the responses but the texts of one row group and of the chosen ones. A try takes
six bytes, a correct response thirty-two more while repeats are looked for.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dartune.curation.choose import Examples, History
from dartune.pool import OutcomeTable, locate_samples, read_outcomes
from dartune.pool.outcomes import CORRECT

_HASH_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histories:
    """The history of every query of a pool. The arrays have an entry for each slot of `outcomes`."""

    outcomes: OutcomeTable
    n_tokens: NDArray[np.int32]
    is_repeat: NDArray[np.bool_]
    pool_hash: str
    """Hash of all that the choice can depend on, whatever the order of arrival."""

    def of(self, query_id: str) -> History:
        """The history of one query, empty if there is none."""
        tries = self.outcomes.get(query_id)
        outcomes = [] if tries is None else tries.leading()
        start = self.outcomes.slots(query_id).start
        slots = slice(start, start + len(outcomes))
        return History(outcomes=outcomes, n_tokens=self.n_tokens[slots], is_repeat=self.is_repeat[slots])


def read_histories(pool: Path) -> Histories:
    """Read every try of every query. Raises PoolError if the pool cannot be read."""
    outcomes = read_outcomes(pool)
    n_tokens = np.zeros(len(outcomes.codes), np.int32)
    words, slots_of_words = bytearray(), [np.zeros(0, np.int64)]
    texts_hash = 0
    for rows, slots in locate_samples(pool, outcomes, ["n_tokens", "response"]):
        n_tokens[slots] = rows["n_tokens"].fill_null(0)
        is_correct = outcomes.codes[slots] == CORRECT
        correct = rows.filter(pa.array(is_correct))
        slots_of_words.append(slots[is_correct])
        for query_id, trial, text in zip(
            *(correct[name].to_pylist() for name in ("query_id", "trial", "response")), strict=True
        ):
            words += _digest(query_id, " ".join(text.split()))
            # A sum of hashes, not a hash of them in turn: it does not depend on the order.
            texts_hash += int.from_bytes(_digest(query_id, str(trial), text))
    return Histories(
        outcomes=outcomes,
        n_tokens=n_tokens,
        is_repeat=_find_repeats(words, np.concatenate(slots_of_words), len(n_tokens)),
        pool_hash=_pool_hash(outcomes, n_tokens, texts_hash),
    )


class Texts(NamedTuple):
    """What a set needs beyond its choice, one entry for each example."""

    responses: pa.LargeStringArray
    n_prompt_tokens: NDArray[np.int32]


def read_texts(pool: Path, outcomes: OutcomeTable, choices: Sequence[str], examples: Examples) -> Texts:
    """The responses of `examples`, in their order; `choices` are the ids of the queries that they refer to."""
    starts = np.array([outcomes.slots(query_id).start for query_id in choices], np.int64)
    wanted = starts[examples.queries] + examples.trials
    by_slot = np.argsort(wanted)
    wanted = wanted[by_slot]
    n_prompt_tokens = np.zeros(len(examples), np.int32)
    places_found = [np.zeros(0, np.int64)]
    responses = [pa.array([], pa.large_string())]
    for rows, slots in locate_samples(pool, outcomes, ["n_prompt_tokens", "response"]):
        places = np.searchsorted(wanted, slots)
        is_wanted = wanted[np.minimum(places, len(wanted) - 1)] == slots
        kept = rows.filter(pa.array(is_wanted))
        places_found.append(by_slot[places[is_wanted]])
        n_prompt_tokens[places_found[-1]] = kept["n_prompt_tokens"].fill_null(0)
        responses.append(kept["response"].cast(pa.large_string()))
    found = np.concatenate(places_found)
    order = np.zeros(len(examples), np.int64)
    order[found] = np.arange(len(found))
    return Texts(responses=pa.concat_arrays(responses).take(pa.array(order)), n_prompt_tokens=n_prompt_tokens)


def _find_repeats(words: bytearray, slots: NDArray[np.int64], n_slots: int) -> NDArray[np.bool_]:
    """Which slots hold words that an earlier slot of the same query holds; `words` has a digest for each of `slots`."""
    high, low = np.frombuffer(words, np.uint64).reshape(-1, 2).T
    order = np.lexsort((slots, low, high))
    is_same = (high[order][1:] == high[order][:-1]) & (low[order][1:] == low[order][:-1])
    is_repeat = np.zeros(n_slots, np.bool_)
    is_repeat[slots[order[1:][is_same]]] = True
    return is_repeat


def _pool_hash(outcomes: OutcomeTable, n_tokens: NDArray[np.int32], texts_hash: int) -> str:
    digest = hashlib.blake2b((texts_hash % 2 ** (8 * _HASH_BYTES)).to_bytes(_HASH_BYTES), digest_size=_HASH_BYTES)
    for query_id in sorted(outcomes):
        slots = outcomes.slots(query_id)
        digest.update(f"{query_id}\0{slots.stop - slots.start}\0".encode())
        digest.update(outcomes.codes[slots].tobytes())
        digest.update(n_tokens[slots].tobytes())
    return digest.hexdigest()


def _digest(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=_HASH_BYTES).digest()
