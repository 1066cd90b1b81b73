"""From the summaries of several runs to one study: means over seeds and paired differences. Pure.

A run is identified by its variant and seed. Differences are taken inside a run, so that what a pair of models or a seed
adds to every method alike cancels. Pooled rows treat the runs of all variants as one sample of runs: their accuracies
spread with the variants too, their differences only as far as variants differ in what the method changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from dartune.analysis.summary import (
    EvaluationSummary,
    MethodSummary,
    RunSummary,
    StudyAccuracy,
    StudyCell,
    StudyDifference,
    StudySet,
    StudySummary,
)
from dartune.errors import DataError
from dartune.evaluation.significance import paired_test, seed_mean

T = TypeVar("T")

REFERENCES = ("base", "teacher")
"""Names of models that no set was made for; nothing is compared with a baseline for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRun:
    """One run of a study, as read from its folder."""

    variant: str
    path: str
    summary: RunSummary


def study(name: str, created: str, runs: Sequence[StudyRun], baselines: Sequence[str] = ("vrt",)) -> StudySummary:
    """Gather `runs`: for each variant and, where there are several, pooled.

    Every method is compared with every baseline. A method that some runs lack is averaged, and compared, over the runs
    that have it. Raises DataError for no runs, or two runs of the same variant and seed.
    """
    if not runs:
        raise DataError(f"study {name}: expected at least one run, got none")
    seen: dict[tuple[str, int], str] = {}
    for run in runs:
        key = (run.variant, run.summary.seed)
        if key in seen:
            raise DataError(
                f"study {name}: expected one run for each variant and seed, got {seen[key]} and {run.path} for "
                f"variant {run.variant}, seed {run.summary.seed}; leave one out"
            )
        seen[key] = run.path
    variants = list(dict.fromkeys(run.variant for run in runs))
    groups: list[tuple[str | None, list[RunSummary]]] = [
        (variant, [run.summary for run in runs if run.variant == variant]) for variant in variants
    ]
    if len(variants) > 1:
        groups.append((None, [run.summary for run in runs]))
    return StudySummary(
        name=name,
        created=created,
        cells=tuple(
            StudyCell(variant=r.variant, seed=r.summary.seed, path=r.path, recipe_hash=r.summary.recipe_hash)
            for r in runs
        ),
        sets=tuple(row for variant, group in groups for row in _sets(variant, group)),
        accuracies=tuple(row for variant, group in groups for row in _accuracies(variant, group)),
        differences=tuple(row for variant, group in groups for row in _differences(variant, group, baselines)),
    )


def _sets(variant: str | None, runs: Sequence[RunSummary]) -> Iterable[StudySet]:
    for name in _unique(method.name for run in runs for method in run.methods):
        methods = [method for run in runs for method in run.methods if method.name == name]
        yield StudySet(
            variant=variant,
            method=name,
            n_examples=seed_mean([method.n_examples for method in methods]),
            response_tokens=seed_mean([method.response_tokens for method in methods]),
            n_raw=seed_mean([method.n_raw for method in methods]),
            coverage=_mean_coverage(methods),
        )


def _mean_coverage(methods: Iterable[MethodSummary]) -> dict[int, float]:
    by_level: dict[int, list[float]] = {}
    for method in methods:
        for row in method.levels:
            if row.level is not None:
                by_level.setdefault(row.level, []).append(row.coverage)
    return {level: fmean(by_level[level]) for level in sorted(by_level)}


def _accuracies(variant: str | None, runs: Sequence[RunSummary]) -> Iterable[StudyAccuracy]:
    for benchmark in _unique(row.benchmark for run in runs for row in run.evaluations):
        rows = [row for run in runs for row in run.evaluations if row.benchmark == benchmark]
        for method in _unique(row.method for row in rows):
            of_method = [row for row in rows if row.method == method]
            for level in _levels(of_method):
                values = [value for row in of_method if (value := _accuracy(row, level)) is not None]
                yield StudyAccuracy(
                    variant=variant,
                    method=method,
                    benchmark=benchmark,
                    in_domain=of_method[0].in_domain,
                    level=level,
                    accuracy=seed_mean(values),
                )


def _differences(
    variant: str | None, runs: Sequence[RunSummary], baselines: Sequence[str]
) -> Iterable[StudyDifference]:
    by_run = [{(row.benchmark, row.method): row for row in run.evaluations} for run in runs]
    for i, baseline in enumerate(baselines):
        passed_over = {*REFERENCES, *baselines[: i + 1]}  # each pair of baselines is compared once
        for benchmark, method in _unique(key for cells in by_run for key in cells):
            if method in passed_over:
                continue
            pairs = [
                (cells[benchmark, method], cells[benchmark, baseline])
                for cells in by_run
                if (benchmark, method) in cells and (benchmark, baseline) in cells
            ]
            for level in _levels([first for first, _ in pairs]):
                values = [(_accuracy(first, level), _accuracy(second, level)) for first, second in pairs]
                both = [(a, b) for a, b in values if a is not None and b is not None]
                if both:
                    yield StudyDifference(
                        variant=variant,
                        method=method,
                        baseline=baseline,
                        benchmark=benchmark,
                        level=level,
                        test=paired_test([a for a, _ in both], [b for _, b in both]),
                    )


def _levels(rows: Sequence[EvaluationSummary]) -> list[int | None]:
    """The headline (None), then the levels where there are several: a single one is the headline already."""
    levels = sorted({part.level for row in rows for part in row.levels if part.level is not None})
    return [None, *levels] if len(levels) > 1 else [None] if rows else []


def _accuracy(row: EvaluationSummary, level: int | None) -> float | None:
    if level is None:
        return row.headline.value
    return next((part.score.accuracy for part in row.levels if part.level == level), None)


def _unique(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))
