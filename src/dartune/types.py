"""The records that travel through dartune, from a query to a graded sample.

A `Query` is asked as a `Request`; an engine turns it into a `Response`; the grader gives a `Grade`;
the three together, stored in a pool, are a `Sample`. A `Target` says how far a query is sampled and
`Difficulty` how often it failed. All are frozen; none does I/O.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Verdict = Literal["correct", "incorrect", "no_answer", "truncated", "timeout", "ungradable"]
"""What the grader says. A grader that failed (`timeout`, `ungradable`) has not said `incorrect`."""

FinishReason = Literal["stop", "length"]
"""Why an engine ended a response: an end token or stop string, or the limit of new tokens."""


class Key(NamedTuple):
    """Identity of one request and of the sample that answers it."""

    query_id: str
    trial: int
    """0-based index among the tries of this query."""


def query_id(text: str, ref_answer: str) -> str:
    """Content hash of a problem: 32 hex digits that depend on its text and reference answer only."""
    return hashlib.blake2b(f"{text}\0{ref_answer}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def request_seed(key: Key, run_seed: int) -> int:
    """Seed of a request in [0, 2^63): a function of its key and the run's seed alone."""
    digest = hashlib.blake2b(f"{run_seed}\0{key.query_id}\0{key.trial}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big") >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One problem with a known answer."""

    id: str
    """Content hash, from `query_id`."""
    text: str
    ref_answer: str
    level: int | None = None
    """Difficulty given by people, if any; 1 is easiest."""
    domain: str | None = None
    """Subject or family, if any."""
    source: str = ""
    """Name of the set that the query came from."""
    judge: str = field(default="default", compare=False)
    """Whose rules decide whether an answer is the reference: "default", or the name of a benchmark."""
    meta: Mapping[str, object] = field(default_factory=dict, compare=False)
    """What the judge reads beside text and reference, such as `answer_type`. How a query is judged is not what it is:
    pools do not keep these two, and they do not count when queries are compared."""

    @classmethod
    def of(
        cls,
        text: str,
        ref_answer: str,
        *,
        level: int | None = None,
        domain: str | None = None,
        source: str = "",
        judge: str = "default",
        meta: Mapping[str, object] | None = None,
    ) -> "Query":
        """Query with its id computed from its content."""
        return cls(
            id=query_id(text, ref_answer),
            text=text,
            ref_answer=ref_answer,
            level=level,
            domain=domain,
            source=source,
            judge=judge,
            meta=meta or {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How a response is drawn from a model."""

    temperature: float = 1.6
    """0 is greedy. The paper samples at 1.6 (section 4.1)."""
    top_p: float = 0.95
    max_new_tokens: int = 2048
    stop: tuple[str, ...] = ()
    """Strings that end a response; not part of its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One prompt to be answered once."""

    key: Key
    prompt: str
    seed: int
    params: SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What an engine gave back for one request."""

    text: str
    finish_reason: FinishReason
    n_prompt_tokens: int
    n_tokens: int
    """Completion tokens, the end token included."""
    sum_logprob: float | None = None
    """Natural log-probability of the completion under the model at temperature 1, where the engine gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The grader's verdict on one response."""

    verdict: Verdict
    answer: str | None
    """The final answer as extracted, before normalisation; None where there is none."""
    rule: str
    """Name of the rule that decided, e.g. "boxed/number"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One try of one query, as the pool keeps it: answered and graded, or failed for a recorded cause."""

    key: Key
    seed: int
    response: Response | None
    grade: Grade | None
    failure: str | None = None
    """Cause for which the engine gave no response; None where there is a response."""

    @property
    def is_correct(self) -> bool:
        """Whether the grader accepted the final answer."""
        return self.grade is not None and self.grade.verdict == "correct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How far one query is to be sampled: `min_trials` tries in any case, more until `n_correct` are correct."""

    n_correct: int = 0
    """Correct responses wanted."""
    max_trials: int
    """Cap on raw tries; in-flight tries and engine failures count."""
    min_trials: int = 0
    """Tries made whatever they give (VRT, pilots, evaluation); at most `max_trials`."""
    caps: tuple[int, ...] | None = None
    """Where hopeless queries are given up: entry c is the number of graded tries at which a query with c correct
    responses is, for c from 0 to `n_correct` - 1 (`stopping.give_up_caps`). Entries do not fall after the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What some samples took."""

    n_prompt_tokens: int = 0
    n_tokens: int = 0
    """Of responses."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """How often a query was answered, and how often rightly."""

    n_trials: int
    """Raw responses; engine failures do not count."""
    n_correct: int

    @property
    def fail_rate(self) -> float:
        """Incorrect over all raw responses, the paper's difficulty (section 3.1); 1.0 before the first try."""
        return 1.0 if self.n_trials == 0 else 1.0 - self.n_correct / self.n_trials


Outcomes = Mapping[str, Mapping[int, bool | None]]
"""query id -> trial -> whether the response is correct; None where the engine failed."""
