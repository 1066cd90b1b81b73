"""Which correct responses become the training set (pure).

The choice depends on trial indices and the seed, never on the order in which responses arrived: taking the first to
arrive prefers short solutions. A method may use only the tries that it alone would have made (`n_trials_needed`), so
that methods which share a pool are compared at their own cost.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dartune.allocation import n_trials_needed
from dartune.types import Key, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One try of a query, as far as choosing needs to know it."""

    key: Key
    is_correct: bool | None
    """None where the engine failed."""
    text: str
    n_tokens: int
    n_prompt_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one query costs under one target."""

    n_raw: int
    """Tries with a response."""
    n_correct: int
    n_tokens: int
    """Response tokens of all tries, right or wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a method takes from one query."""

    target: Target
    cost: Cost
    chosen: tuple[Candidate, ...]
    """Correct responses in trial order, at most `target.n_correct` of them where the target wants a number."""
    n_duplicates: int
    """Correct responses left out because an earlier one reads the same."""
    is_finished: bool
    """Whether sampling has brought the query to its target or its cap."""


def choose_for_query(candidates: Sequence[Candidate], target: Target, *, deduplicate: bool) -> Choice:
    """The first correct responses by trial index, among the tries that `target` alone would have made.

    `candidates` are in trial order. With `deduplicate`, of responses whose words are the same only the first counts.
    """
    complete = _leading_run(candidates)
    used = complete[: n_trials_needed([c.is_correct for c in complete], target)]
    correct = [c for c in used if c.is_correct]
    first_of_text: dict[str, Candidate] = {}
    for candidate in correct:
        first_of_text.setdefault(" ".join(candidate.text.split()), candidate)
    distinct = list(first_of_text.values()) if deduplicate else correct
    return Choice(
        target=target,
        cost=Cost(
            n_raw=sum(c.is_correct is not None for c in used),
            n_correct=len(correct),
            n_tokens=sum(c.n_tokens for c in used),
        ),
        chosen=tuple(distinct[: target.n_correct or None]),
        n_duplicates=len(correct) - len(distinct),
        is_finished=len(used) >= target.min_trials
        and (len(correct) >= target.n_correct or len(used) >= target.max_trials),
    )


def cut_to_examples(choices: Mapping[str, Choice], n_examples: int, *, seed: int) -> list[Candidate]:
    """At most `n_examples` of what was chosen, drawn by `seed`; see `_drawing_order` for who stays."""
    return _drawing_order(choices, seed)[:n_examples]


def cut_to_tokens(choices: Mapping[str, Choice], n_tokens: int, *, seed: int) -> list[Candidate]:
    """The start of the same draw whose response tokens come closest to `n_tokens` from below."""
    kept, total = [], 0
    for candidate in _drawing_order(choices, seed):
        total += candidate.n_tokens
        if total > n_tokens:
            break
        kept.append(candidate)
    return kept


def _drawing_order(choices: Mapping[str, Choice], seed: int) -> list[Candidate]:
    """All that was chosen, in the order in which it is kept when there is too much.

    Where the policy wants a number of correct responses for each query, one of each query comes before any second one,
    so that cutting a set does not uncover a query; vanilla rejection tuning promises nothing of the kind.
    """
    ranked = [
        (choice.target.n_correct > 0 and rank > 0, _draw(candidate.key, seed), candidate)
        for choice in choices.values()
        for rank, candidate in enumerate(choice.chosen)
    ]
    return [candidate for *_, candidate in sorted(ranked, key=lambda entry: entry[:2])]


def _draw(key: Key, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}\0{key.query_id}\0{key.trial}".encode(), digest_size=16).digest()


def _leading_run(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates before the first missing trial; what lies beyond it was asked ahead and is not yet comparable."""
    return [candidate for rank, candidate in enumerate(candidates) if candidate.key.trial == rank]
