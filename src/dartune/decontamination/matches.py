"""Which training problems overlap with which benchmark problems (pure).

Two texts match exactly if their normal words are the same. They match by n-grams if enough of the benchmark problem's
words lie in runs of `n` words that the training problem has too. That is the measure of Tülu 3 (arXiv 2411.15124,
section 3.2: runs of 8 words, half of the test instance's words, one training instance); their words are spaCy's.

Mathematics is full of problems of one wording and other numbers, which are not the same problem: with `same_numbers`,
a pair also needs every number of the benchmark's problem in the training problem.

Texts are hashed once, run by run, so that the time grows with their length and with the number of shared runs, not
with the number of pairs. Runs are compared by 64-bit hashes: among ten million runs on one side and a million on the
other the chance that any two different ones are taken for the same is below one in a million.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dartune.decontamination.words import normal_words
from dartune.types import Query

_AT_ONCE = 1024
"""Training problems that are looked up together."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A training problem and the benchmark problem that it overlaps with."""

    query: Query
    benchmark: str
    asked: Query
    """The benchmark's problem."""
    kind: Literal["exact", "ngram"]
    overlap: float
    """Share of the benchmark problem's words that lie in runs that both have; 1 where they are the same."""


class _Asked(NamedTuple):
    benchmark: str
    query: Query
    words: list[str]


class _Runs(NamedTuple):
    """Every run of `n` words of some texts."""

    hashes: Hashes
    texts: Places
    """Which text each is in."""
    places: Places
    """Word of the text at which it begins."""


def find_matches(
    queries: Sequence[Query],
    benchmarks: Mapping[str, Sequence[Query]],
    *,
    n: int,
    min_overlap: float,
    same_numbers: bool = True,
) -> list[Match]:
    """Every pair that matches, in the order of `queries`, then of `benchmarks`.

    A benchmark's problem of fewer than `n` words is matched exactly or not at all.

    Args:
        queries: Training problems.
        benchmarks: Name -> the problems that will score the model.
        n: Words in a run, 2 or more.
        min_overlap: A pair matches with a larger share than this, in [0, 1).
        same_numbers: Whether an n-gram match needs every number of the benchmark's problem, as often as it is there.
    """
    hasher = _Hasher(n)
    asked = [
        _Asked(name, query, normal_words(query.text)) for name, problems in benchmarks.items() for query in problems
    ]
    index = _Index(asked, hasher.runs([item.words for item in asked]), n=n, min_overlap=min_overlap)
    found = []
    for start in range(0, len(queries), _AT_ONCE):
        part = queries[start : start + _AT_ONCE]
        words = [normal_words(query.text) for query in part]
        pairs = index.look_up(words, hasher.runs(words))
        for (i, number), overlap in sorted(pairs.items()):
            item = asked[number]
            is_exact = words[i] == item.words
            if is_exact or not same_numbers or _numbers(item.words) <= _numbers(words[i]):
                found.append(
                    Match(
                        query=part[i],
                        benchmark=item.benchmark,
                        asked=item.query,
                        kind="exact" if is_exact else "ngram",
                        overlap=overlap,
                    )
                )
    return found


def _numbers(words: Sequence[str]) -> Counter[str]:
    return Counter(word for word in words if word[0].isdigit())


class _Hasher:
    """Hashes of runs of words. A word has a number of its own, the same for all texts of this object."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._numbers: dict[str, int] = {}

    def runs(self, rows: Sequence[Sequence[str]]) -> _Runs:
        lengths = np.array([len(row) for row in rows], np.int64)
        numbers = self._numbers
        words = np.array([numbers.setdefault(word, len(numbers)) for row in rows for word in row], np.uint64)
        mixed = _mix(words)
        n_starts = max(0, len(mixed) - self._n + 1)
        hashes = np.zeros(n_starts, np.uint64)
        for offset in range(self._n):
            hashes = hashes * _FACTOR + mixed[offset : offset + n_starts]
        starts = np.cumsum(lengths) - lengths
        texts = np.repeat(np.arange(len(rows), dtype=np.int64), lengths)[:n_starts]
        places = np.arange(n_starts, dtype=np.int64) - starts[texts]
        is_inside = places + self._n <= lengths[texts]
        return _Runs(hashes[is_inside], texts[is_inside], places[is_inside])


class _Index:
    """The runs of all benchmark problems, by hash."""

    def __init__(self, asked: Sequence[_Asked], runs: _Runs, *, n: int, min_overlap: float) -> None:
        self._n, self._min_overlap = n, min_overlap
        self._n_words = np.array([len(item.words) for item in asked], np.int64)
        order = np.argsort(runs.hashes, kind="stable")
        self._hashes, self._texts, self._places = runs.hashes[order], runs.texts[order], runs.places[order]
        self._same: dict[str, list[int]] = {}
        for number, item in enumerate(asked):
            if item.words:
                self._same.setdefault(" ".join(item.words), []).append(number)

    def look_up(self, words: Sequence[Sequence[str]], runs: _Runs) -> dict[tuple[int, int], float]:
        """(text, number of the problem asked) -> overlap, where it is enough or the two are the same."""
        same = {(i, number): 1.0 for i, row in enumerate(words) for number in self._same.get(" ".join(row), ())}
        return self._overlaps(runs) | same

    def _overlaps(self, runs: _Runs) -> dict[tuple[int, int], float]:
        first = np.searchsorted(self._hashes, runs.hashes, side="left")
        n_hits = np.searchsorted(self._hashes, runs.hashes, side="right") - first
        steps = np.arange(n_hits.sum(), dtype=np.int64) - np.repeat(np.cumsum(n_hits) - n_hits, n_hits)
        hits = np.repeat(first, n_hits) + steps
        if not len(hits):
            return {}
        texts, numbers, places = np.repeat(runs.texts, n_hits), self._texts[hits], self._places[hits]
        order = np.lexsort((places, numbers, texts))
        texts, numbers, places = texts[order], numbers[order], places[order]
        is_new = np.r_[True, (np.diff(texts) != 0) | (np.diff(numbers) != 0)]
        # A run covers n words, or as many as there are before the next run of the same pair begins.
        steps_on = np.r_[places[1:] - places[:-1], self._n]
        steps_on[np.r_[is_new[1:], True]] = self._n
        pairs = np.flatnonzero(is_new)
        covered = np.add.reduceat(np.minimum(steps_on, self._n), pairs)
        shares = covered / self._n_words[numbers[pairs]]
        return {
            (int(texts[pair]), int(numbers[pair])): float(share)
            for pair, share in zip(pairs, shares, strict=True)
            if share > self._min_overlap
        }


def _mix(numbers: Hashes) -> Hashes:
    """Numbers to hashes that look random (the finalizer of SplitMix64)."""
    mixed = (numbers + np.uint64(1)) * _FACTOR
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
