"""What the samples of a pool add up to for each query, read as a stream.

One row group of a shard and one row for each distinct answer of each query are held: ten million samples of twenty
thousand queries, with two hundred answers to each, take half a minute and stay under a gigabyte. Answers are one where
they have the same canonical spelling, or where the grader called both correct; the grader's own comparison of every
pair would be too dear.
"""

from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dartune.difficulty.evidence import Tally
from dartune.grading.spelling.normalize import normalize
from dartune.pool import iter_samples

_COLUMNS = ["query_id", "trial", "n_tokens", "verdict", "answer", "failure"]
_MAX_LOOSE = 1 << 21
"""Rows of answers held before equal ones are first added up; later, twice what was left."""
_MAX_SPELLED = 1 << 20
"""Distinct answers whose canonical spelling is remembered."""
_REFERENCE = 0
"""Code of every answer that the grader accepted."""

Ints = NDArray[np.int64]


class _Answers(NamedTuple):
    """Tries that gave one answer to one query, a row for each."""

    query: Ints
    code: Ints
    n: Ints


def tally_pool(pool: Path, *, first: int | None = None) -> dict[str, Tally]:
    """What the tries of each query of `pool` add up to; of each query's `first` tries if that is given.

    Queries without a graded try are left out. Where sampling stopped at a number of correct responses, only a fixed
    number of `first` tries is a fair sample of what the model does.

    Raises:
        PoolError: there is no pool, or a shard of it is damaged.
    """
    sums = _Sums()
    for batch in iter_samples(pool, _COLUMNS):
        is_try = pc.is_null(batch["failure"])
        if first is not None:
            is_try = pc.and_(is_try, pc.less(batch["trial"], first))
        sums.add(batch.filter(is_try))
    return sums.tallies()


class _Sums:
    """Running sums over batches of samples."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._sums = np.zeros((0, 4), dtype=np.int64)
        """For each query: tries, correct ones, tokens of all, tokens of the correct ones."""
        self._answers: list[_Answers] = []
        self._most_loose = _MAX_LOOSE
        self._codes: dict[str, int] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch of tries."""
        query = self._numbered(batch["query_id"])
        is_correct = pc.equal(batch["verdict"].dictionary_decode(), "correct").to_numpy(zero_copy_only=False)
        n_tokens = batch["n_tokens"].to_numpy()
        for column, weights in enumerate((np.ones_like(n_tokens), is_correct, n_tokens, n_tokens * is_correct)):
            # Sums of a batch are far below 2^53, so floating point keeps them whole.
            self._sums[:, column] += np.bincount(query, weights, len(self._ids)).astype(np.int64)
        is_other = batch["answer"].is_valid().to_numpy(zero_copy_only=False) & ~is_correct
        encoded = batch["answer"].filter(pa.array(is_other)).dictionary_encode()
        codes = np.array([self._code(text) for text in encoded.dictionary.to_pylist()], dtype=np.int64)
        code = np.full(len(query), _REFERENCE, dtype=np.int64)
        code[is_other] = codes[encoded.indices.to_numpy()]
        counted = is_other | is_correct
        self._answers.append(_added_up(_Answers(query[counted], code[counted], np.ones(counted.sum(), dtype=np.int64))))
        if sum(len(rows.n) for rows in self._answers) > self._most_loose:
            self._answers = [_added_up(_joined(self._answers))]
            self._most_loose = max(_MAX_LOOSE, 2 * len(self._answers[0].n))

    def tallies(self) -> dict[str, Tally]:
        """What was counted, by query id."""
        answers = _added_up(_joined(self._answers))
        ends = np.searchsorted(answers.query, np.arange(len(self._ids) + 1))
        found = {}
        for query_id, index in self._ids.items():
            n_trials, n_correct, n_tokens, n_tokens_correct = self._sums[index].tolist()
            if not n_trials:
                continue
            found[query_id] = Tally(
                n_trials=n_trials,
                n_correct=n_correct,
                n_tokens=n_tokens,
                n_tokens_correct=n_tokens_correct,
                answers=tuple(answers.n[ends[index] : ends[index + 1]].tolist()),
            )
        return found

    def _numbered(self, ids: pa.DictionaryArray) -> Ints:
        """The number of each row's query; new ones get the next."""
        numbers = [self._ids.setdefault(text, len(self._ids)) for text in ids.dictionary.to_pylist()]
        n_new = len(self._ids) - len(self._sums)
        self._sums = np.concatenate([self._sums, np.zeros((n_new, 4), dtype=np.int64)])
        return np.asarray(np.array(numbers, dtype=np.int64)[ids.indices.to_numpy()])

    def _code(self, answer: str) -> int:
        """A number that answers of one canonical spelling share, and others all but surely do not."""
        code = self._codes.get(answer)
        if code is None:
            if len(self._codes) >= _MAX_SPELLED:
                self._codes.clear()
            normal = normalize(answer)
            spelling = answer if normal is None else f"{normal.text}\0{normal.unit}"
            code = int.from_bytes(blake2b(spelling.encode(), digest_size=8).digest(), "big", signed=True)
            self._codes[answer] = code
        return code


def _joined(parts: list[_Answers]) -> _Answers:
    if not parts:
        return _Answers(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    return _Answers(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _added_up(rows: _Answers) -> _Answers:
    """One row for each answer of each query, in the order of queries."""
    if not len(rows.n):
        return rows
    order = np.lexsort((rows.code, rows.query))
    query, code, n = rows.query[order], rows.code[order], rows.n[order]
    is_first = np.concatenate([[True], (query[1:] != query[:-1]) | (code[1:] != code[:-1])])
    return _Answers(query[is_first], code[is_first], np.add.reduceat(n, np.flatnonzero(is_first)))
