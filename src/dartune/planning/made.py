"""The tries that a pool holds already, query by query in trial order, as arrays.

Requests that the engine failed to answer are left out: they are no tries of the model, and a plan has none.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dartune.config import Recipe
from dartune.errors import DataError
from dartune.planning.tries import Floats
from dartune.pool import read_samples, read_settings
from dartune.types import Query

Ints = NDArray[np.int64]

_COLUMNS = ["query_id", "trial", "verdict", "failure", "n_tokens", "n_prompt_tokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Graded tries of each query; entry (q, t) of the tables is over the first t tries of query q."""

    n_tries: Ints
    """Shape (queries,)."""
    n_correct: NDArray[np.int32]
    """Shape (queries, most tries + 1); beyond a query's tries, its last value."""
    n_tokens: Floats
    """Completion tokens, same shape."""
    right_tokens: Floats
    """Sum and sum of squares of the tokens of right responses, shape (queries, 2)."""
    wrong_tokens: Floats
    prompt_tokens: Floats
    """Of one prompt, shape (queries,); the mean of the others where a query has no try."""

    @property
    def n_right(self) -> Ints:
        """Correct responses of each query."""
        return self.n_correct[:, -1].astype(np.int64)


def coarse(counts: Ints) -> Ints:
    """Counts that differ by less than 5 % made equal above 48, so that a long pool has few different ones."""
    bins = 48.0 * np.exp(np.rint(np.log(np.maximum(counts, 48) / 48.0) * 20.0) / 20.0)
    return np.where(counts <= 48, counts, np.rint(bins).astype(np.int64))


def nothing_made(n_queries: int) -> Made:
    """Where no pool is given."""
    zeros = np.zeros((n_queries, 1))
    return Made(
        n_tries=np.zeros(n_queries, np.int64),
        n_correct=zeros.astype(np.int32),
        n_tokens=zeros,
        right_tokens=np.zeros((n_queries, 2)),
        wrong_tokens=np.zeros((n_queries, 2)),
        prompt_tokens=np.zeros(n_queries),
    )


def read_made(pool: Path, queries: Sequence[Query]) -> Made:
    """What `pool` holds of `queries`. Raises PoolError if it cannot be read, DataError if it holds nothing of them."""
    table = read_samples(pool, _COLUMNS)
    ids = table["query_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    rank = {query.id: i for i, query in enumerate(queries)}
    of_id = np.array([rank.get(i, -1) for i in ids.dictionary.to_pylist()], np.int64)
    query = of_id[ids.indices.to_numpy()] if len(of_id) else np.zeros(0, np.int64)
    is_used = (query >= 0) & table["failure"].is_null().to_numpy()
    if not is_used.any():
        raise DataError(
            f"{pool}: expected tries of the recipe's {len(queries):,} queries, got none of them among "
            f"{len(of_id):,} other queries; give the pool of a pilot on the same queries"
        )
    right = pc.equal(table["verdict"].cast(pa.string()), "correct").fill_null(False).to_numpy()
    trial = table["trial"].to_numpy()
    order = np.lexsort((trial, query))
    order = order[is_used[order]]
    tokens, prompts = (table[name].fill_null(0).to_numpy().astype(np.float64) for name in _COLUMNS[-2:])
    return _tabulate(len(queries), query[order], right[order], tokens[order], prompts[order])


def _tabulate(n_queries: int, query: Ints, is_right: NDArray[np.bool_], tokens: Floats, prompts: Floats) -> Made:
    n_tries = np.bincount(query, minlength=n_queries)
    place = np.arange(len(query)) - np.concatenate([[0], np.cumsum(n_tries)])[query]
    shape = n_queries, int(n_tries.max()) + 1
    right_table, token_table = np.zeros(shape, np.int32), np.zeros(shape)
    right_table[query, place + 1], token_table[query, place + 1] = is_right, tokens
    # In place: a finished pool has thousands of columns.
    np.cumsum(right_table, axis=1, out=right_table)
    np.cumsum(token_table, axis=1, out=token_table)
    sums: dict[str, Floats] = {
        kind: np.stack([np.bincount(query, np.where(chosen, tokens**i, 0.0), n_queries) for i in (1, 2)], axis=1)
        for kind, chosen in (("right", is_right), ("wrong", ~is_right))
    }
    prompt = np.bincount(query, prompts, n_queries) / np.maximum(n_tries, 1)
    return Made(
        n_tries=n_tries,
        n_correct=right_table,
        n_tokens=token_table,
        right_tokens=sums["right"],
        wrong_tokens=sums["wrong"],
        prompt_tokens=np.where(n_tries > 0, prompt, prompt[n_tries > 0].mean()),
    )


def refuse_other_settings(pool: Path, recipe: Recipe) -> None:
    """Raise DataError where a pool was sampled so differently that it tells nothing of the recipe's run."""
    stored = read_settings(pool)
    sampling = recipe.sampling
    wanted = {
        "template": recipe.prompt.template,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_new_tokens": sampling.max_new_tokens,
    }
    for name, value in wanted.items():
        if stored.get(name) != value:
            raise DataError(
                f"{pool}: {name}: expected the recipe's {value!r}, got {stored.get(name)!r}; sample the pilot with the "
                "recipe's own settings, or plan with --set"
            )


def tokens_per_s_of(pool: Path, made: Made) -> float | None:
    """Completion tokens per second of the run that filled the pool, where its folder tells the time it took."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        seconds = float(json.loads((pool.parent / "timings.json").read_text(encoding="utf-8"))["sample"])
        return float(made.n_tokens[:, -1].sum()) / seconds if seconds > 0 else None
    return None
