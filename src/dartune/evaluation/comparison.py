"""Several evaluations side by side: whether they may be compared at all, and by how much they differ."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Literal, get_args

from dartune.errors import PoolError
from dartune.evaluation.paired import PairedDifference, compare_averages, compare_rows, holm
from dartune.evaluation.record import BenchmarkRecord
from dartune.evaluation.results import Evaluation
from dartune.evaluation.sets import averaged
from dartune.types import SamplingParams

Aspect = Literal["data", "prompt", "sampling", "tries", "grader"]
"""What must be the same in two evaluations, so that a difference of their scores is one of their models."""

ALLOWABLE: Final = tuple(aspect for aspect in get_args(Aspect) if aspect not in ("data", "tries"))
"""What may differ where the user says so: other data or numbers of tries cannot be paired."""

AVERAGE: Final = "AVG"
"""What a comparison of the plain mean over several benchmarks is named by."""

_Reader = Callable[[Evaluation, str], object]
_ASPECTS: Final[dict[Aspect, _Reader]] = {
    "data": lambda evaluation, name: _named_data(evaluation.benchmark(name)),
    "prompt": lambda evaluation, name: _named_prompt(evaluation, name),
    "sampling": lambda evaluation, name: evaluation.record.sampling,
    "tries": lambda evaluation, name: evaluation.benchmark(name).n_trials,
    "grader": lambda evaluation, name: evaluation.record.grader,
}


class NotComparable(PoolError):
    """Two evaluations differ in more than their model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One model against the baseline on one benchmark."""

    benchmark: str
    baseline: str
    model: str
    """Names of evaluations."""
    paired: PairedDifference
    p_adjusted: float
    """By Holm's correction for all comparisons that were made together."""


def compare_evaluations(evaluations: Sequence[Evaluation], *, allow: Collection[Aspect] = ()) -> list[Compared]:
    """Every evaluation after the first against the first, on each benchmark that all have, and on their average.

    Raises NotComparable, naming what differs with both values, if two differ in an aspect that is not in `allow`, or if
    no benchmark is common to all.
    """
    baseline, *others = evaluations
    shared = shared_benchmarks(evaluations)
    for other in others:
        for name in shared:
            refuse_incomparable(baseline, other, name, allow)
    counted = averaged(shared)
    found: list[Compared] = []
    for other in others:
        pairs = {name: (baseline.rows(name), other.rows(name)) for name in shared}
        paired = {name: compare_rows(*rows) for name, rows in pairs.items()}
        if len(counted) > 1:
            paired[AVERAGE] = compare_averages([pairs[name] for name in counted])
        found += [
            Compared(benchmark=name, baseline=baseline.name, model=other.name, paired=one, p_adjusted=one.p)
            for name, one in paired.items()
        ]
    adjusted = holm([one.paired.p for one in found])
    return [replace(one, p_adjusted=p) for one, p in zip(found, adjusted, strict=True)]


def shared_benchmarks(evaluations: Sequence[Evaluation]) -> list[str]:
    """Benchmarks that all have, in the order of the first. Raises NotComparable if there are none."""
    names = [[part.name for part in evaluation.record.benchmarks] for evaluation in evaluations]
    shared = [name for name in names[0] if all(name in others for others in names[1:])]
    if not shared:
        listed = "; ".join(f"{e.name}: {', '.join(part)}" for e, part in zip(evaluations, names, strict=True))
        raise NotComparable(f"no benchmark is common to all ({listed}); evaluate them on the same")
    return shared


def refuse_incomparable(first: Evaluation, second: Evaluation, benchmark: str, allow: Collection[Aspect]) -> None:
    """Raise NotComparable where two evaluations of a benchmark differ in more than their model."""
    for aspect, read in _ASPECTS.items():
        one, other = read(first, benchmark), read(second, benchmark)
        if one == other or aspect in allow:
            continue
        mend = "evaluate one of them again in the same way"
        if aspect == "grader":
            mend = "grade both again with dartune evaluate FOLDER --regrade"
        if aspect in ALLOWABLE:
            mend += f", or compare all the same with --allow {aspect}"
        raise NotComparable(
            f"{first.name} and {second.name} cannot be compared on {benchmark}: {aspect} differs "
            f"({first.name}: {_said(one, other)}; {second.name}: {_said(other, one)}); {mend}"
        )


def _said(value: object, other: object) -> object:
    """What to say of a value that differs from another: of sampling settings those that do."""
    if not isinstance(value, SamplingParams):
        return value
    pairs = [(field.name, getattr(value, field.name), getattr(other, field.name)) for field in fields(value)]
    return ", ".join(f"{name}={mine!r}" for name, mine, theirs in pairs if mine != theirs)


def _named_data(part: BenchmarkRecord) -> str:
    return f"{part.n_rows:,} rows of checksum {part.checksum}"


def _named_prompt(evaluation: Evaluation, benchmark: str) -> str:
    """A template's name and eight hex digits over what it renders: a name says nothing of a chat template behind it."""
    prompt = evaluation.record.prompt_of(evaluation.benchmark(benchmark))
    digest = hashlib.blake2b(prompt.text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{prompt.template}@{digest}"
