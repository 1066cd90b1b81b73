"""Which solutions a pool holds, so that those of several pools can be held against each other."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dartune.allocation import n_trials_needed
from dartune.config import MethodConfig
from dartune.curation.histories import text_digests
from dartune.methods import method_targets
from dartune.pool import OutcomeTable, locate_samples, read_outcomes
from dartune.pool.outcomes import CORRECT

Solutions = NDArray[np.void]
"""Identities of 16 bytes, each once and in order: of a query and a correct response to it, white space aside."""

_DTYPE = np.dtype("V16")


def distinct_solutions(pool: Path, method: MethodConfig, query_ids: Sequence[str]) -> Solutions:
    """The correct responses among the tries that `method` alone would have made of the queries.

    Takes 16 bytes for each. Raises PoolError if the pool cannot be read.
    """
    outcomes = read_outcomes(pool)
    is_wanted = _needed(outcomes, method, query_ids) & (outcomes.codes == CORRECT)
    found = [np.zeros(0, _DTYPE)]
    for rows, _ in locate_samples(pool, outcomes, ["response"], wanted=is_wanted):
        found.append(_identities(rows["query_id"], rows["response"]))
    return np.unique(np.concatenate(found))


def _needed(outcomes: OutcomeTable, method: MethodConfig, query_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Which slots hold a try that the method would have made."""
    is_needed = np.zeros(len(outcomes.codes), np.bool_)
    for query_id, target in zip(query_ids, method_targets(method, query_ids, outcomes), strict=True):
        if query_id in outcomes:
            start = outcomes.slots(query_id).start
            is_needed[start : start + n_trials_needed(outcomes[query_id].leading(), target)] = True
    return is_needed


def _identities(query_ids: pa.DictionaryArray, responses: pa.StringArray) -> Solutions:
    by_query = b"".join(
        hashlib.blake2b(query_id.encode(), digest_size=_DTYPE.itemsize).digest()
        for query_id in query_ids.dictionary.to_pylist()
    )
    queries = np.frombuffer(by_query, np.uint64).reshape(-1, 2)[query_ids.indices.to_numpy()]
    identities: Solutions = (text_digests(responses) ^ queries).view(_DTYPE).reshape(-1)
    return identities
