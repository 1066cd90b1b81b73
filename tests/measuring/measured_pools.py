"""Small pools for tests of measures."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dartune.pool import PoolWriter, Provenance
from dartune.types import Grade, Key, Query, Response, Sample, SamplingParams, request_seed

QUERIES = tuple(Query.of(f"{n} + {n} ?", str(2 * n), level=1 + n % 5) for n in range(40))
PROVENANCE = Provenance(model="m", template="plain", params=SamplingParams(), run_seed=3)


class Try(NamedTuple):
    """One try: its answer, None where the response has none; "!" is a failure of the engine."""

    answer: str | None
    is_correct: bool = False
    n_tokens: int = 10


def write_pool(path: Path, tries: dict[Query, Sequence[Try]]) -> Path:
    """A pool of these tries, in their order; each of the first query's has a shard of its own."""
    with PoolWriter(path, PROVENANCE) as pool:
        pool.add_queries(list(tries))
        for query, made in tries.items():
            for trial, one in enumerate(made):
                pool.append(_sample(Key(query.id, trial), one))
                if query == QUERIES[0]:
                    pool.flush()
    return path


def _sample(key: Key, one: Try) -> Sample:
    seed = request_seed(key, PROVENANCE.run_seed)
    if one.answer == "!":
        return Sample(key=key, seed=seed, response=None, grade=None, failure="timeout")
    verdict = "correct" if one.is_correct else "no_answer" if one.answer is None else "incorrect"
    return Sample(
        key=key,
        seed=seed,
        response=Response(text="...", finish_reason="stop", n_prompt_tokens=4, n_tokens=one.n_tokens),
        grade=Grade(verdict=verdict, answer=one.answer, rule="boxed/string"),
    )
