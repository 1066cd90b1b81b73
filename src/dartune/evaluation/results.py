"""An evaluation read back from its folder, and its scores."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from dartune.errors import PoolError
from dartune.evaluation.metrics import Estimate, Score, Scored, accuracy_by, macro_accuracy
from dartune.evaluation.record import BenchmarkRecord, EvaluationRecord, read_record
from dartune.evaluation.rows import Tries, read_rows, read_tries
from dartune.evaluation.sets import averaged
from dartune.evaluation.tries import UNDECIDED, Same, best_estimate, majority_estimate, pass_estimate
from dartune.types import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One model's graded answers to some benchmarks."""

    name: str
    """Name of its folder."""
    record: EvaluationRecord
    tries: Mapping[str, Tries]
    """Benchmark -> all tries of each of its rows."""

    def rows(self, benchmark: str) -> list[Scored]:
        """All graded tries of a benchmark. Raises KeyError where it was not asked."""
        return [row for made in self.tries[benchmark] for row in made]

    def benchmark(self, name: str) -> BenchmarkRecord:
        """How a benchmark was asked. Raises StopIteration where it was not."""
        return next(part for part in self.record.benchmarks if part.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkScore:
    """One model on one benchmark; shares are fractions of all tries in [0, 1]."""

    benchmark: str
    in_domain: bool
    n_rows: int
    n_trials: int
    accuracy: Score
    """Over all rows and tries: accuracy, or avg@n where there are n tries."""
    by_level: Mapping[int | None, Score]
    by_domain: Mapping[str | None, Score]
    macro_level: Estimate | None
    """Mean over levels; None where no row has one."""
    macro_domain: Estimate | None
    """Mean over domains, such as the subjects of MATH."""
    pass_at: Mapping[int, Estimate]
    """k -> pass@k, for the powers of two up to n and n itself; empty for one try."""
    majority_at: Mapping[int, Estimate]
    best_at: Mapping[int, Estimate]
    """k -> accuracy of the most probable of k tries; empty where the engine gave no log-probabilities."""
    mean_tokens: float
    no_answer: float
    """Share without a final answer, cut off or not."""
    cut_off: float
    """Share that reached the limit of new tokens."""
    undecided: float
    """Share that the grader could not decide, or the engine did not answer."""
    verdicts: Mapping[Verdict, int]
    finish_reasons: Mapping[str, int]
    """"none" counts what the engine did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """Plain means over benchmarks, each with the same weight, as in the paper; None for no benchmarks."""

    in_domain: Estimate | None
    out_of_domain: Estimate | None
    overall: Estimate | None


def read_evaluation(folder: Path) -> Evaluation:
    """The evaluation in `folder`. Raises PoolError if it is none, is damaged, or was not finished."""
    record = read_record(folder)
    rows = read_rows(folder)
    missing = [part.name for part in record.benchmarks if part.name not in rows]
    if missing:
        raise PoolError(
            f"{folder / 'rows.parquet'}: has no rows of {missing[0]}; run the evaluation again to write them"
        )
    n_trials = {part.name: part.n_trials for part in record.benchmarks}
    tries = read_tries(folder, {name: rows[name] for name in n_trials}, n_trials)
    return Evaluation(name=folder.resolve().name, record=record, tries=tries)


def score_evaluation(evaluation: Evaluation, same: Same) -> tuple[BenchmarkScore, ...]:
    """The scores of every benchmark; `same` says whether two wrong answers are one vote (see `count_votes`)."""
    return tuple(score_benchmark(part, evaluation.tries[part.name], same) for part in evaluation.record.benchmarks)


def score_benchmark(record: BenchmarkRecord, tries: Tries, same: Same) -> BenchmarkScore:
    """The scores of one benchmark. Raises ValueError for no rows."""
    rows = [row for made in tries for row in made]
    levels, domains = accuracy_by(rows, lambda row: row.level), accuracy_by(rows, lambda row: row.domain)
    ks = _ks(record.n_trials)
    best = {k: best_estimate(tries, k) for k in ks}
    return BenchmarkScore(
        benchmark=record.name,
        in_domain=record.in_domain,
        n_rows=record.n_rows,
        n_trials=record.n_trials,
        accuracy=Score.of_rows(rows),
        by_level=levels,
        by_domain=domains,
        macro_level=_macro(score for level, score in levels.items() if level is not None),
        macro_domain=_macro(score for domain, score in domains.items() if domain is not None),
        pass_at={k: pass_estimate(tries, k) for k in ks},
        majority_at={k: majority_estimate(tries, k, same) for k in ks},
        best_at={k: estimate for k, estimate in best.items() if estimate is not None},
        mean_tokens=fmean(row.n_tokens for row in rows),
        no_answer=fmean(row.verdict in ("no_answer", "truncated") for row in rows),
        cut_off=fmean(row.finish_reason == "length" for row in rows),
        undecided=fmean(row.verdict in UNDECIDED for row in rows),
        verdicts=dict(Counter(row.verdict for row in rows).most_common()),
        finish_reasons=dict(Counter(row.finish_reason or "none" for row in rows).most_common()),
    )


def average(scores: Iterable[BenchmarkScore]) -> Averages:
    """In-domain, out-of-domain and overall means of accuracies, over the benchmarks that `averaged` says."""
    every = tuple(scores)
    counted = averaged(part.benchmark for part in every)
    parts = [part for part in every if part.benchmark in counted]
    return Averages(
        in_domain=_macro(part.accuracy for part in parts if part.in_domain),
        out_of_domain=_macro(part.accuracy for part in parts if not part.in_domain),
        overall=_macro(part.accuracy for part in parts),
    )


def _macro(scores: Iterable[Score]) -> Estimate | None:
    parts = tuple(scores)
    return macro_accuracy(parts) if parts else None


def _ks(n_trials: int) -> list[int]:
    powers = [2**i for i in range(n_trials.bit_length()) if 2**i < n_trials]
    return [*powers, n_trials] if n_trials > 1 else []
