"""Which correct responses become the training set (pure).

The choice depends on trial indices and the seed, never on the order in which responses arrived: taking the first to
arrive prefers short solutions. A method may use only the tries that it alone would have made (`n_trials_needed`), so
that methods which share a pool are compared at their own cost.

Texts are not needed for it, only which of them repeat an earlier one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dartune.allocation import n_trials_needed
from dartune.config import CurationConfig
from dartune.curation.preference import Sketches, preferred
from dartune.types import Key, Target


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """The tries of one query, trial by trial, up to the first that is missing.

    What lies beyond it was asked ahead and is not yet comparable.
    """

    outcomes: Sequence[bool | None]
    """Whether the response is correct; None where the engine failed."""
    n_tokens: NDArray[np.int32]
    """Response tokens; 0 where the engine failed."""
    is_eligible: NDArray[np.bool_]
    """Whether it is a correct response that may be chosen: of one of the teachers, and sound where that is asked."""
    is_repeat: NDArray[np.bool_]
    """Whether it is an eligible response that reads the same as one before it."""
    is_unsound: NDArray[np.bool_]
    """Whether it is a correct response that the check of the process found fault with."""
    teachers: NDArray[np.int16]
    """Place of its model among the recipe's teachers; 0 where none are named."""
    sketches: Sketches | None = None
    """Of the eligible responses, where the choice needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one query costs under one target."""

    n_raw: int
    """Tries with a response."""
    n_correct: int
    n_tokens: int
    """Response tokens of all tries, right or wrong."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """What a method takes from one query."""

    target: Target
    cost: Cost
    trials: NDArray[np.int32]
    """The chosen correct responses in order, at most `target.n_correct` of them where the target wants a number."""
    n_tokens: NDArray[np.int32]
    """Response tokens of each of them."""
    n_duplicates: int
    """Correct responses left out because an earlier one reads the same."""
    n_near_duplicates: int
    """Others left out because an earlier one reads nearly the same."""
    n_unsound: int
    """Correct responses that the check of the process found fault with, left out or not."""
    is_finished: bool
    """Whether sampling has brought the query to its target or its cap, or given it up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """What is in a training set, in the order in which it was drawn: one entry of each array for each example."""

    queries: NDArray[np.int32]
    """Place of its query among the choices."""
    trials: NDArray[np.int32]
    n_tokens: NDArray[np.int32]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.queries)

    def first(self, n: int | None) -> "Examples":
        """The `n` that were drawn first; None: all."""
        return Examples(queries=self.queries[:n], trials=self.trials[:n], n_tokens=self.n_tokens[:n])


def choose_for_query(history: History, target: Target, config: CurationConfig) -> Choice:
    """The correct responses that `config` prefers, among the tries that `target` alone would have made.

    By default these are the first by trial index. With `config.deduplicate`, of responses whose words are the same
    only the first counts.
    """
    n_used = n_trials_needed(history.outcomes, target)
    used = history.outcomes[:n_used]
    correct = np.array([trial for trial, is_correct in enumerate(used) if is_correct], np.int32)
    eligible = correct[history.is_eligible[correct]]
    distinct = eligible[~history.is_repeat[eligible]] if config.deduplicate else eligible
    preference = preferred(
        distinct, config, n_tokens=history.n_tokens, teachers=history.teachers, sketches=history.sketches
    )
    limits = [limit for limit in (target.n_correct, config.most_per_query) if limit]
    chosen = preference.trials[: min(limits, default=None)]
    return Choice(
        target=target,
        cost=Cost(
            n_raw=n_used - used.count(None), n_correct=len(correct), n_tokens=int(history.n_tokens[:n_used].sum())
        ),
        trials=chosen,
        n_tokens=history.n_tokens[chosen],
        n_duplicates=len(eligible) - len(distinct),
        n_near_duplicates=preference.n_near_duplicates,
        n_unsound=int(np.count_nonzero(history.is_unsound[correct])),
        is_finished=n_trials_needed([*history.outcomes, False], target) == n_used,
    )


def cut_to_examples(choices: Mapping[str, Choice], n_examples: int | None, *, seed: int) -> Examples:
    """At most `n_examples` of what was chosen, drawn by `seed`; see `_drawing_order` for who stays. None: all."""
    return _drawing_order(choices, seed).first(n_examples)


def cut_to_tokens(choices: Mapping[str, Choice], n_tokens: int, *, seed: int) -> Examples:
    """The start of the same draw whose response tokens come closest to `n_tokens` from below."""
    drawn = _drawing_order(choices, seed)
    return drawn.first(int(np.searchsorted(np.cumsum(drawn.n_tokens, dtype=np.int64), n_tokens, side="right")))


def _drawing_order(choices: Mapping[str, Choice], seed: int) -> Examples:
    """All that was chosen, in the order in which it is kept when there is too much.

    Where the policy wants a number of correct responses for each query, one of each query comes before any second one,
    so that cutting a set does not uncover a query; vanilla rejection tuning promises nothing of the kind.
    """
    trials = _joined([choice.trials for choice in choices.values()])
    n_chosen = [len(choice.trials) for choice in choices.values()]
    is_second = np.ones(len(trials), np.bool_)
    is_second[np.cumsum([0, *n_chosen[:-1]])[np.array(n_chosen) > 0]] = False
    wants_number = [choice.target.n_correct > 0 for choice in choices.values()]
    draws = np.frombuffer(b"".join(_draws(query_id, choice, seed) for query_id, choice in choices.items()), ">u8")
    order = np.lexsort((draws[1::2], draws[::2], is_second & np.repeat(wants_number, n_chosen)))
    return Examples(
        queries=np.repeat(np.arange(len(choices), dtype=np.int32), n_chosen)[order],
        trials=trials[order],
        n_tokens=_joined([choice.n_tokens for choice in choices.values()])[order],
    )


def _joined(parts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate([np.zeros(0, np.int32), *parts])


def _draws(query_id: str, choice: Choice, seed: int) -> bytes:
    """Sixteen bytes for each chosen response that decide its place, whatever else was chosen."""
    return b"".join(_draw(Key(query_id, trial), seed) for trial in choice.trials.tolist())


def _draw(key: Key, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}\0{key.query_id}\0{key.trial}".encode(), digest_size=16).digest()
