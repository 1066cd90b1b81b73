"""From counts of each query, and answers to a benchmark, to the records of a run's summary. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from dartune.analysis.curated import Omissions
from dartune.analysis.summary import DomainScore, EvaluationSummary, LevelScore, LevelSummary, MethodSummary
from dartune.errors import DataError
from dartune.evaluation.metrics import Score, Scored, accuracy_by, macro_accuracy
from dartune.types import Difficulty, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTally:
    """One query as one method treats it."""

    level: int | None
    target: Target
    difficulty: Difficulty
    """Over the tries that this method alone needs, in trial order."""
    raw_tokens: int
    """Completion tokens of those tries."""
    n_examples: int
    """Responses to this query in the training set."""
    response_tokens: int
    """Completion tokens of those examples."""
    prompt_tokens: int
    """Prompt tokens of those examples, counted once for each."""


def method_summary(name: str, policy: str, tallies: Sequence[QueryTally], omissions: Omissions) -> MethodSummary:
    """Add up one method's queries, all together and level by level."""
    by_level: defaultdict[int | None, list[QueryTally]] = defaultdict(list)
    for tally in tallies:
        by_level[tally.level].append(tally)
    fills = [
        min(1.0, tally.difficulty.n_correct / tally.target.n_correct) for tally in tallies if tally.target.n_correct
    ]
    return MethodSummary(
        name=name,
        policy=policy,
        n_raw=sum(tally.difficulty.n_trials for tally in tallies),
        raw_tokens=sum(tally.raw_tokens for tally in tallies),
        n_correct=sum(tally.difficulty.n_correct for tally in tallies),
        fill=fmean(fills) if fills else None,
        n_examples=sum(tally.n_examples for tally in tallies),
        response_tokens=sum(tally.response_tokens for tally in tallies),
        prompt_tokens=sum(tally.prompt_tokens for tally in tallies),
        levels=tuple(_level_summary(level, by_level[level]) for level in sorted(by_level, key=_unlabelled_last)),
        omissions=omissions,
    )


def evaluation_summary(method: str, benchmark: str, *, in_domain: bool, rows: Iterable[Scored]) -> EvaluationSummary:
    """Score one model's answers to one benchmark; DataError if there are none."""
    answers = tuple(rows)
    if not answers:
        raise DataError(f"benchmark {benchmark}: expected at least one graded answer of {method}, got none")
    by_level = accuracy_by(answers, lambda row: row.level)
    labelled = [score for level, score in by_level.items() if level is not None]
    return EvaluationSummary(
        method=method,
        benchmark=benchmark,
        in_domain=in_domain,
        overall=Score.of_rows(answers),
        macro=macro_accuracy(labelled) if labelled else None,
        levels=tuple(LevelScore(level=level, score=score) for level, score in by_level.items()),
        domains=tuple(
            DomainScore(domain=domain, score=score)
            for domain, score in accuracy_by(answers, lambda row: row.domain).items()
        ),
        mean_tokens=fmean(row.n_tokens for row in answers),
        verdicts=dict(sorted(Counter(row.verdict for row in answers).items())),
    )


def _level_summary(level: int | None, tallies: Sequence[QueryTally]) -> LevelSummary:
    n_examples = sum(tally.n_examples for tally in tallies)
    n_covered = sum(tally.n_examples > 0 for tally in tallies)
    return LevelSummary(
        level=level,
        n_queries=len(tallies),
        n_raw=sum(tally.difficulty.n_trials for tally in tallies),
        n_correct=sum(tally.difficulty.n_correct for tally in tallies),
        n_covered=n_covered,
        coverage=n_covered / len(tallies),
        n_examples=n_examples,
        responses_per_query=n_examples / len(tallies),
        response_tokens=sum(tally.response_tokens for tally in tallies),
        mean_fail_rate=_mean_fail_rate(tallies),
    )


def _mean_fail_rate(tallies: Sequence[QueryTally]) -> float:
    """Over the queries; a query without a try counts as failed."""
    # Here, because numpy takes a tenth of a second, and the report is read without it.
    from dartune.difficulty.inverse_sampling import unbiased_pass_rate

    tried = [tally for tally in tallies if tally.difficulty.n_trials]
    rates = unbiased_pass_rate(
        [tally.difficulty.n_trials for tally in tried],
        [tally.difficulty.n_correct for tally in tried],
        [tally.target.n_correct for tally in tried],
        [tally.target.min_trials for tally in tried],
    )
    return 1.0 - float(rates.sum()) / len(tallies)


def _unlabelled_last(level: int | None) -> tuple[bool, int]:
    return (level is None, level or 0)
