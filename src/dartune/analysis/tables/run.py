"""The tables of a run, as grids of text. Pure.

Examples never stand without their tokens: sets of equal size may differ in tokens, and a set with more of them has
been trained on for longer.
"""

from dartune.analysis.drawing.formats import (
    MISSING,
    count,
    interval,
    level_name,
    percent,
    plus_minus,
)
from dartune.analysis.drawing.grid import Grid
from dartune.analysis.summary import EvaluationSummary, RunSummary
from dartune.analysis.tables.shared import OVER_QUERIES, sorted_levels


def demo_grids(run: RunSummary) -> tuple[Grid, ...]:
    """What to print after a run, in 80 columns: what each set cost and covers, and what it is worth."""
    grids = (_cost_grid(run), _worth_grid(run))
    return tuple(grid for grid in grids if grid.rows)


def _cost_grid(run: RunSummary) -> Grid:
    levels = sorted_levels(row.level for method in run.methods for row in method.levels)
    rows = []
    for method in run.methods:
        coverage = {row.level: row.coverage for row in method.levels}
        size = (
            count(method.n_examples),
            count(method.response_tokens),
            count(method.n_raw),
            percent(method.acceptance),
        )
        rows.append((method.name, *size, *(_whole_percent(coverage.get(level)) for level in levels)))
    columns = ("set", "examples", "response tokens", "raw tries", "accepted %", *(f"L{level}" for level in levels))
    note = "Under L1, L2, ...: the % of the level's queries that have an example." if levels else ""
    return Grid(title=f"{run.name}: training sets", columns=columns, rows=tuple(rows), note=note)


def _worth_grid(run: RunSummary) -> Grid:
    columns = ["set"]
    picks: list[tuple[str, int | None]] = []
    for name in benchmarks(run):
        inside = is_in_domain(run, name)
        levels = [part.level for row in run.evaluations if row.benchmark == name for part in row.levels]
        hardest = max((level for level in levels if level is not None), default=None)
        columns.append(name if inside else f"{name} (out of domain)")
        picks.append((name, None))
        if inside and hardest is not None:
            columns.append(f"{name}, level {hardest}")
            picks.append((name, hardest))
    scored = {(row.method, row.benchmark): row for row in run.evaluations}
    rows = tuple(
        (model, *(_score_cell(scored.get((model, name)), level) for name, level in picks)) for model in models(run)
    )
    return Grid(title=f"{run.name}: accuracy", columns=tuple(columns), rows=rows if picks else (), note=OVER_QUERIES)


def sets_grid(run: RunSummary) -> Grid:
    """Each training set: size in examples and tokens, and what sampling it takes."""
    columns = ("set", "examples", "response tokens", "per example", "prompt tokens", "raw tries",
               "raw tokens", "accepted %", "fill %")  # fmt: skip
    rows = tuple(
        (
            method.name,
            count(method.n_examples),
            count(method.response_tokens),
            f"{method.response_tokens / method.n_examples:.1f}" if method.n_examples else MISSING,
            count(method.prompt_tokens),
            count(method.n_raw),
            count(method.raw_tokens),
            percent(method.acceptance),
            percent(method.fill),
        )
        for method in run.methods
    )
    note = (
        "Raw tries: those that the method alone needs, in trial order. Accepted: correct over raw tries. "
        "Fill: mean over queries of min(1, correct / target)."
    )
    return Grid(title="Training sets and what they cost", columns=columns, rows=rows, note=note)


def levels_grid(run: RunSummary) -> Grid:
    """Each training set level by level."""
    columns = ("set", "level", "queries", "raw tries", "correct", "mean fail rate %", "covered", "coverage %",
               "examples", "per query", "response tokens")  # fmt: skip
    rows = tuple(
        (
            method.name,
            level_name(row.level),
            count(row.n_queries),
            count(row.n_raw),
            count(row.n_correct),
            percent(row.mean_fail_rate),
            count(row.n_covered),
            percent(row.coverage),
            count(row.n_examples),
            f"{row.responses_per_query:.2f}",
            count(row.response_tokens),
        )
        for method in run.methods
        for row in method.levels
    )
    return Grid(title="Sets by level", columns=columns, rows=rows)


def accuracy_grid(run: RunSummary) -> Grid:
    """Every model on every benchmark: the headline with its interval, and how it answers."""
    columns = ("benchmark", "set", "domain", "queries", "accuracy", "tokens per answer", "no answer", "cut off")
    rows = tuple(
        (
            row.benchmark,
            row.method,
            "in" if row.in_domain else "out",
            count(row.overall.n),
            interval(row.headline),
            f"{row.mean_tokens:.1f}",
            count(row.verdicts.get("no_answer", 0)),
            count(row.verdicts.get("truncated", 0)),
        )
        for row in _by_benchmark(run)
    )
    note = f"Accuracy: mean over levels, or of all queries where there are no levels. {OVER_QUERIES}"
    return Grid(title="Accuracy", columns=columns, rows=rows, n_words=3, note=note)


def accuracy_by_level_grid(run: RunSummary) -> Grid:
    """Every model on every benchmark, level by level."""
    levels = sorted_levels(part.level for row in run.evaluations for part in row.levels)
    columns = ("benchmark", "set", *(f"level {level}" for level in levels))
    rows = tuple(
        (row.benchmark, row.method, *(_level_cell(row, level) for level in levels)) for row in _by_benchmark(run)
    )
    return Grid(title="Accuracy by level", columns=columns, rows=rows, n_words=2, note=OVER_QUERIES)


def accuracy_by_domain_grid(run: RunSummary) -> Grid:
    """Every model on every benchmark that has several domains, a row for each domain; no rows where none has."""
    rows = tuple(
        (row.benchmark, part.domain or "none", row.method, count(part.score.n), interval(part.score))
        for row in _by_benchmark(run)
        if len(row.domains) > 1
        for part in row.domains
    )
    columns = ("benchmark", "domain", "set", "queries", "accuracy")
    return Grid(title="Accuracy by domain", columns=columns, rows=rows, n_words=3, note=OVER_QUERIES)


def benchmarks(run: RunSummary) -> list[str]:
    """Benchmarks in the order of the evaluations, those in domain first."""
    names = dict.fromkeys(row.benchmark for row in run.evaluations)
    return sorted(names, key=lambda name: not is_in_domain(run, name))


def is_in_domain(run: RunSummary, benchmark: str) -> bool:
    """Whether the benchmark is of the domain that was trained on."""
    return any(row.in_domain for row in run.evaluations if row.benchmark == benchmark)


def models(run: RunSummary) -> list[str]:
    """The scored models: the base model, those of the sets in their order, then any other."""
    scored = list(dict.fromkeys(row.method for row in run.evaluations))
    order = ["base", *(method.name for method in run.methods)]
    return sorted(scored, key=lambda name: order.index(name) if name in order else len(order))


def _score_cell(row: EvaluationSummary | None, level: int | None) -> str:
    """The headline, or one level, in short form."""
    if row is None:
        return MISSING
    if level is None:
        return plus_minus(row.headline)
    return next((plus_minus(part.score) for part in row.levels if part.level == level), MISSING)


def _level_cell(row: EvaluationSummary, level: int) -> str:
    return next((interval(part.score) for part in row.levels if part.level == level), MISSING)


def _whole_percent(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:.0f}"


def _by_benchmark(run: RunSummary) -> list[EvaluationSummary]:
    """Evaluations in the order of `benchmarks`, then of `models`."""
    order, names = benchmarks(run), models(run)
    return sorted(run.evaluations, key=lambda row: (order.index(row.benchmark), names.index(row.method)))
