"""What curation reads of a pool: the history of every query, and later the texts of what was chosen.

Nothing here grows with the length of the responses but the texts of one row group and of the chosen ones. A try takes
ten bytes, and twenty-four more while repeats are looked for. A choice of diverse responses needs a sketch
of each correct one.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
_ODD = np.uint64(0x9E3779B97F4A7C15)
_WHITE_SPACE = b" \t\n\r\v\f\x1c\x1d\x1e\x1f"
"""What `str.split` takes for white space, of ASCII."""


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
    digests = np.zeros((n_slots, 2), np.uint64)
    for rows, slots in locate_samples(pool, outcomes, ["n_tokens", "response", "model"]):
        n_tokens[slots] = rows["n_tokens"].fill_null(0)
        teachers[slots] = _places(rows["model"], wanted.teachers)
        is_correct = outcomes.codes[slots] == CORRECT
        correct = rows.filter(pa.array(is_correct))
        slots = slots[is_correct]
        digests[slots] = text_digests(correct["response"])
        if wanted.is_sound:
            pairs = zip(correct["query_id"].to_pylist(), correct["response"].to_pylist(), strict=True)
            is_unsound[slots] = [not wanted.is_sound(*pair) for pair in pairs]
        is_eligible[slots] = (teachers[slots] >= 0) & ~(is_unsound[slots] & wanted.drops_unsound)
        if sketchbook:
            may = is_eligible[slots]
            for slot, text in zip(
                slots[may].tolist(), correct["response"].filter(pa.array(may)).to_pylist(), strict=True
            ):
                sketchbook.add(slot, text)
    return Histories(
        outcomes=outcomes,
        n_tokens=n_tokens,
        is_eligible=is_eligible,
        is_unsound=is_unsound,
        teachers=teachers,
        sketchbook=sketchbook,
        is_repeat=_find_repeats(digests, np.flatnonzero(is_eligible), outcomes),
        pool_hash=_pool_hash(outcomes, n_tokens, digests),
    )


class Texts(NamedTuple):
    """What a set needs beyond its choice, one entry for each example."""

    responses: pa.LargeStringArray
    n_prompt_tokens: NDArray[np.int32]


def read_texts(pool: Path, outcomes: OutcomeTable, choices: Sequence[str], examples: Examples) -> Texts:
    """The responses of `examples`, in their order; `choices` are the ids of the queries that they refer to."""
    starts = np.array([outcomes.slots(query_id).start for query_id in choices], np.int64)
    slots_of_examples = starts[examples.queries] + examples.trials
    wanted = np.zeros(len(outcomes.codes), np.bool_)
    wanted[slots_of_examples] = True
    slots_found = [np.zeros(0, np.int64)]
    n_prompt_tokens = [np.zeros(0, np.int32)]
    responses = [pa.array([], pa.large_string())]
    for rows, slots in locate_samples(pool, outcomes, ["n_prompt_tokens", "response"], wanted=wanted):
        slots_found.append(slots)
        n_prompt_tokens.append(rows["n_prompt_tokens"].fill_null(0).to_numpy())
        responses.append(rows["response"].cast(pa.large_string()))
    found = np.concatenate(slots_found)
    by_slot = np.argsort(found, kind="stable")
    order = by_slot[np.searchsorted(found[by_slot], slots_of_examples, side="right") - 1]
    return Texts(
        responses=pa.concat_arrays(responses).take(pa.array(order)),
        n_prompt_tokens=np.concatenate(n_prompt_tokens)[order],
    )


def _places(models: pa.DictionaryArray, teachers: Sequence[str]) -> NDArray[np.int16]:
    """Place of each model among `teachers`, -1 where it is not there; 0 for all if none are named."""
    places = {name: place for place, name in enumerate(teachers)}
    by_model: NDArray[np.int16] = np.array(
        [places.get(name, -1 if teachers else 0) for name in models.dictionary.to_pylist()], np.int16
    )
    of_rows: NDArray[np.int16] = by_model[models.indices.to_numpy(zero_copy_only=False)]
    return of_rows


def text_digests(texts: pa.StringArray) -> NDArray[np.uint64]:
    """Two numbers for each text, the same for texts that differ in white space alone."""
    packed = b"".join(map(_digest, texts.cast(pa.binary()).to_pylist()))
    return np.frombuffer(packed, np.uint64).reshape(-1, 2)


def _digest(text: bytes) -> bytes:
    # Deleting bytes takes a tenth of the time of splitting text.
    bare = text.translate(None, _WHITE_SPACE) if text.isascii() else "".join(text.decode().split()).encode()
    return hashlib.blake2b(bare, digest_size=_HASH_BYTES).digest()


def _find_repeats(digests: NDArray[np.uint64], slots: NDArray[np.int64], outcomes: OutcomeTable) -> NDArray[np.bool_]:
    """Which of the `slots`, given in order, hold what an earlier one of the same query holds, by their digests."""
    queries = np.searchsorted(outcomes.starts, slots, side="right").astype(np.uint64)
    high, low = digests[slots, 0], digests[slots, 1] ^ (queries * _ODD)
    order = np.argsort(low, kind="stable")
    is_same = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    is_repeat = np.zeros(len(digests), np.bool_)
    is_repeat[slots[order[1:][is_same]]] = True
    return is_repeat


def _pool_hash(outcomes: OutcomeTable, n_tokens: NDArray[np.int32], digests: NDArray[np.uint64]) -> str:
    digest = hashlib.blake2b(digest_size=_HASH_BYTES)
    for query_id in sorted(outcomes):
        slots = outcomes.slots(query_id)
        digest.update(f"{query_id}\0{slots.stop - slots.start}\0".encode())
        for column in (outcomes.codes, n_tokens, digests):
            digest.update(column[slots].tobytes())
    return digest.hexdigest()
