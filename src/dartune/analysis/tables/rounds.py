"""The tables of a run in rounds, as grids of text. Pure."""

from dataclasses import replace

from dartune.analysis.drawing.formats import MISSING, count, interval, level_name, percent, plus_minus
from dartune.analysis.drawing.grid import Grid
from dartune.analysis.summary import EvaluationSummary, RoundsSummary, RoundSummary
from dartune.analysis.tables.shared import HEADLINE, OVER_QUERIES


def rounds_grids(summary: RoundsSummary) -> tuple[Grid, ...]:
    """What to print after the last round, in 80 columns."""
    sampling, accuracy = rounds_grid(summary), rounds_accuracy_grid(summary)
    narrow = replace(sampling, columns=sampling.columns[:-1], rows=tuple(row[:-1] for row in sampling.rows))
    return (narrow, *([accuracy] if accuracy.rows else []))


def rounds_grid(summary: RoundsSummary) -> Grid:
    """Each set round by round: what sampling it took, and what it found."""
    rows = tuple(
        (
            row.method.name,
            str(row.round),
            count(row.method.n_raw),
            percent(row.method.acceptance),
            percent(row.method.mean_fail_rate),
            percent(row.method.coverage),
            count(row.n_distinct),
            count(row.n_new),
            count(row.method.n_examples),
            count(row.method.response_tokens),
        )
        for row in by_method(summary)
    )
    columns = ("set", "round", "raw tries", "accepted %", "fail rate %", "covered %", "found", "new", "examples",
               "response tokens")  # fmt: skip
    note = (
        "Fail rate: mean over queries, of the model that the round samples. Covered: queries with an example. Found: "
        "distinct correct responses in the tries that the set alone needs; new: in none of its earlier rounds."
    )
    return Grid(title=f"{summary.name}: rounds", columns=columns, rows=rows, note=note)


def rounds_accuracy_grid(summary: RoundsSummary) -> Grid:
    """The models that were trained, round by round, after those that they started from."""
    names = benchmarks(summary)
    references = list(dict.fromkeys(row.method for row in summary.references))
    starts = [(name, MISSING, [row for row in summary.references if row.method == name]) for name in references]
    trained = [(row.method.name, str(row.round), list(row.evaluations)) for row in by_method(summary)]
    rows = tuple(
        (name, number, *(_headline(scores, benchmark) for benchmark in names))
        for name, number, scores in [*starts, *trained]
        if scores
    )
    columns = ("model", "round", *names)
    return Grid(title=f"{summary.name}: accuracy", columns=columns, rows=rows, note=f"{HEADLINE} {OVER_QUERIES}")


def rounds_levels_grid(summary: RoundsSummary) -> Grid:
    """Each set round by round and level by level."""
    rows = tuple(
        (
            row.method.name,
            str(row.round),
            level_name(level.level),
            count(level.n_queries),
            count(level.n_raw),
            percent(level.mean_fail_rate),
            percent(level.coverage),
            count(level.n_examples),
        )
        for row in by_method(summary)
        for level in row.method.levels
    )
    columns = ("set", "round", "level", "queries", "raw tries", "mean fail rate %", "coverage %", "examples")
    return Grid(title="Rounds by level", columns=columns, rows=rows)


def rounds_accuracy_by_level_grid(summary: RoundsSummary) -> Grid:
    """Accuracy level by level, a row for each model and benchmark."""
    scored = [*summary.references, *(score for row in by_method(summary) for score in row.evaluations)]
    numbers = {id(score): str(row.round) for row in summary.rounds for score in row.evaluations}
    levels = sorted({part.level for row in scored for part in row.levels if part.level is not None})
    rows = tuple(
        (
            row.benchmark,
            row.method,
            numbers.get(id(row), MISSING),
            *(next((interval(part.score) for part in row.levels if part.level == level), MISSING) for level in levels),
        )
        for name in benchmarks(summary)
        for row in scored
        if row.benchmark == name
    )
    columns = ("benchmark", "model", "round", *(f"level {level}" for level in levels))
    return Grid(title="Accuracy by level", columns=columns, rows=rows, n_words=2, note=OVER_QUERIES)


def benchmarks(summary: RoundsSummary) -> list[str]:
    """Benchmarks in the order of the evaluations, those in domain first."""
    scored = [score for row in summary.rounds for score in row.evaluations]
    names = dict.fromkeys(row.benchmark for row in scored)
    inside = {row.benchmark for row in scored if row.in_domain}
    return sorted(names, key=lambda name: name not in inside)


def methods(summary: RoundsSummary) -> list[str]:
    """Names of the sets, in their order."""
    return list(dict.fromkeys(row.method.name for row in summary.rounds))


def hardest_level(summary: RoundsSummary) -> int | None:
    """The highest level of the queries; None where there are not several."""
    levels = {part.level for row in summary.rounds for part in row.method.levels if part.level is not None}
    return max(levels) if len(levels) > 1 else None


def by_method(summary: RoundsSummary) -> list[RoundSummary]:
    """The rounds of the first set, then those of the next."""
    order = methods(summary)
    return sorted(summary.rounds, key=lambda row: (order.index(row.method.name), row.round))


def _headline(scores: list[EvaluationSummary], benchmark: str) -> str:
    return next((plus_minus(row.headline) for row in scores if row.benchmark == benchmark), MISSING)
