"""Samples with any outcome, and pools of them."""

from collections.abc import Iterable
from pathlib import Path

from dartune.pool import PoolWriter, Provenance
from dartune.types import Grade, Key, Response, Sample, SamplingParams, request_seed

PROVENANCE = Provenance(model="m", template="plain", params=SamplingParams(), run_seed=3)


def sample_of(query_id: str, trial: int, outcome: bool | None, *, text: str = "\\boxed{2}") -> Sample:
    """A try that ended so; None is a failure of the engine."""
    key = Key(query_id, trial)
    if outcome is None:
        return Sample(key=key, seed=request_seed(key, 3), response=None, grade=None, failure="timeout")
    return Sample(
        key=key,
        seed=request_seed(key, 3),
        response=Response(text=text, finish_reason="stop", n_prompt_tokens=4, n_tokens=7 + trial),
        grade=Grade(verdict="correct" if outcome else "incorrect", answer="2", rule="boxed/string"),
    )


def fill(path: Path, shards: Iterable[Iterable[Sample]]) -> None:
    """Write each group of samples as a shard of its own."""
    with PoolWriter(path, PROVENANCE) as pool:
        for samples in shards:
            for sample in samples:
                pool.append(sample)
            pool.flush()
