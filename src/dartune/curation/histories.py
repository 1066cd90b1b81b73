"""What curation reads of a pool: the history of every query, and later the texts of what was chosen.

Nothing here grows with the length of the responses but the texts of one row group and of the chosen ones. A try takes
ten bytes, a correct response thirty-two more while repeats are looked for. A choice of diverse responses needs a sketch
of each correct one.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dartune.curation.choose import Examples, History
from dartune.curation.sketching import Sketchbook
from dartune.pool import OutcomeTable, locate_samples, read_outcomes
from dartune.pool.outcomes import CORRECT

_HASH_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histories:
    """The history of every query of a pool. The arrays have an entry for each slot of `outcomes`."""

    outcomes: OutcomeTable
    n_tokens: NDArray[np.int32]
    is_eligible: NDArray[np.bool_]
    is_repeat: NDArray[np.bool_]
    is_unsound: NDArray[np.bool_]
    teachers: NDArray[np.int16]
    sketchbook: Sketchbook | None
    pool_hash: str
    """Hash of all that the choice can depend on, whatever the order of arrival."""

    def of(self, query_id: str) -> History:
        """The history of one query, empty if there is none."""
        tries = self.outcomes.get(query_id)
        outcomes = [] if tries is None else tries.leading()
        start = self.outcomes.slots(query_id).start
        slots = slice(start, start + len(outcomes))
        return History(
            outcomes=outcomes,
            n_tokens=self.n_tokens[slots],
            is_eligible=self.is_eligible[slots],
            is_repeat=self.is_repeat[slots],
            is_unsound=self.is_unsound[slots],
            teachers=self.teachers[slots],
            sketches=self.sketchbook.of(slots) if self.sketchbook else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for in the responses beside repeats."""

    teachers: Sequence[str] = ()
    """Models whose responses may be chosen; empty: all."""
    is_sound: Callable[[str, str], bool] | None = None
    """Query id and correct response -> whether the process is sound."""
    drops_unsound: bool = True
    sketches: bool = False


def read_histories(pool: Path, wanted: Wanted | None = None) -> Histories:
    """Read every try of every query. Raises PoolError if the pool cannot be read."""
    wanted = wanted or Wanted()
    outcomes = read_outcomes(pool)
    n_slots = len(outcomes.codes)
    n_tokens = np.zeros(n_slots, np.int32)
    is_eligible, is_unsound = np.zeros(n_slots, np.bool_), np.zeros(n_slots, np.bool_)
    teachers = np.zeros(n_slots, np.int16)
    sketchbook = Sketchbook(n_slots) if wanted.sketches else None
    words, slots_of_words = bytearray(), [np.zeros(0, np.int64)]
    texts_hash = 0
    for rows, slots in locate_samples(pool, outcomes, ["n_tokens", "response", "model"]):
        n_tokens[slots] = rows["n_tokens"].fill_null(0)
        teachers[slots] = _places(rows["model"], wanted.teachers)
        is_correct = outcomes.codes[slots] == CORRECT
        correct = rows.filter(pa.array(is_correct))
        slots = slots[is_correct]
        ids, trials, texts = (correct[name].to_pylist() for name in ("query_id", "trial", "response"))
        # A sum of hashes, not a hash of them in turn: it does not depend on the order.
        texts_hash += sum(
            int.from_bytes(_digest(query_id, str(trial), text))
            for query_id, trial, text in zip(ids, trials, texts, strict=True)
        )
        if wanted.is_sound:
            is_unsound[slots] = [not wanted.is_sound(*row) for row in zip(ids, texts, strict=True)]
        may = (teachers[slots] >= 0) & ~(is_unsound[slots] & wanted.drops_unsound)
        is_eligible[slots] = may
        slots_of_words.append(slots[may])
        for slot, query_id, text in compress(zip(slots.tolist(), ids, texts, strict=True), may.tolist()):
            words += _digest(query_id, " ".join(text.split()))
            if sketchbook:
                sketchbook.add(slot, text)
    return Histories(
        outcomes=outcomes,
        n_tokens=n_tokens,
        is_eligible=is_eligible,
        is_unsound=is_unsound,
        teachers=teachers,
        sketchbook=sketchbook,
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


def _places(models: pa.DictionaryArray, teachers: Sequence[str]) -> NDArray[np.int16]:
    """Place of each model among `teachers`, -1 where it is not there; 0 for all if none are named."""
    places = {name: place for place, name in enumerate(teachers)}
    by_model: NDArray[np.int16] = np.array(
        [places.get(name, -1 if teachers else 0) for name in models.dictionary.to_pylist()], np.int16
    )
    of_rows: NDArray[np.int16] = by_model[models.indices.to_numpy(zero_copy_only=False)]
    return of_rows


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
