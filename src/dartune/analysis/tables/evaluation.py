"""Tables of evaluations: scores beside published ones, what stands behind a score, and differences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from dartune.analysis.drawing.formats import (
    MISSING,
    count,
    interval,
    level_name,
    listing,
    p_value,
    percent,
    plus_minus,
    points,
)
from dartune.analysis.drawing.grid import Grid
from dartune.evaluation.comparison import Compared
from dartune.evaluation.exchange import ImportedScores
from dartune.evaluation.metrics import Estimate, Score
from dartune.evaluation.published import PublishedScores
from dartune.evaluation.record import EvaluationRecord, Prompt
from dartune.evaluation.results import Averages, BenchmarkScore, average
from dartune.evaluation.sets import GROUPS, TITLES, averaged

_OWN_NOTE = (
    "Accuracy in % with the longer arm of its 95 % interval (Wilson, clustered by query); AVG: plain means over "
    "benchmarks, in domain, out of domain, and over all; those that are part of another there count once."
)
_MARKS = "†‡§"
"""One for each source of published rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One model's scores under the name that the tables give it."""

    name: str
    scores: tuple[BenchmarkScore, ...]


def main_grid(
    models: Sequence[Scores], *, published: Sequence[PublishedScores] = (), imported: Sequence[ImportedScores] = ()
) -> Grid:
    """One row for each model and a column for each benchmark, with averages."""
    names = list(
        dict.fromkeys([s.benchmark for m in models for s in m.scores] + [n for i in imported for n in i.scores])
    )
    rows = [_own_row(model, names) for model in models]
    notes = [_OWN_NOTE] * bool(models)
    for number, row in enumerate(imported, start=1):
        rows.append(_imported_row(row, number, names))
        metrics = ", ".join(dict.fromkeys(score.metric for score in row.scores.values()))
        notes.append(f"[{number}] from {row.path} ({row.program}, {metrics}), by that program's grader.")
    marks = _source_marks(published)
    rows += [_published_row(row, marks[row.source], names) for row in published]
    notes += [
        f"{mark} published, by the authors' grader, not measured here, AVG over the paper's six: {source}."
        for source, mark in marks.items()
    ]
    return Grid(
        title="accuracy",
        columns=("model", *(TITLES.get(name, name) for name in names), "AVG in", "AVG out", "AVG"),
        rows=tuple(rows),
        note=" ".join(notes),
    )


def gains_grid(models: Sequence[Scores], *, published: Sequence[PublishedScores] = ()) -> Grid:
    """Gains in points over the first model, and of published rows over VRT on the same base; without rows for none."""
    shares = [(model.name, {s.benchmark: s.accuracy.accuracy for s in model.scores}) for model in models]
    names = list(dict.fromkeys(name for _, share in shares for name in share)) or list(TITLES)
    marks = _source_marks(published)
    vrt = {row.base: row for row in published if row.is_vrt}
    rows = [_gains_row(one, shares[0], names) for one in shares[1:]]
    rows += [
        _gains_row((f"{marks[row.source]} {row.model}", row.accuracy), (base.model, base.accuracy), names)
        for row in published
        if (base := vrt.get(row.base, row)) is not row
    ]
    return Grid(
        title="gains, in points",
        columns=("model", "over", *(TITLES.get(name, name) for name in names), "AVG"),
        rows=tuple(rows),
        n_words=2,
        note="AVG: over the benchmarks that both have.",
    )


def _gains_row(
    model: tuple[str, Mapping[str, float]], baseline: tuple[str, Mapping[str, float]], names: Sequence[str]
) -> tuple[str, ...]:
    (name, shares), (over, others) = model, baseline
    gains = {key: share - others[key] for key, share in shares.items() if key in others}
    counted = averaged(gains)
    mean = fmean(gains[key] for key in counted) if counted else None
    return (name, over, *(points(gains.get(key)) for key in names), points(mean))


def _source_marks(published: Sequence[PublishedScores]) -> dict[str, str]:
    return dict(zip(dict.fromkeys(row.source for row in published), _MARKS, strict=False))


def _own_row(model: Scores, names: Sequence[str]) -> tuple[str, ...]:
    by_name = {score.benchmark: score.accuracy for score in model.scores}
    return (model.name, *(_accuracy(by_name.get(name)) for name in names), *_mean_cells(average(model.scores)))


def _mean_cells(means: Averages) -> tuple[str, ...]:
    return tuple(_estimate(mean) for mean in (means.in_domain, means.out_of_domain, means.overall))


def _imported_row(row: ImportedScores, number: int, names: Sequence[str]) -> tuple[str, ...]:
    cells = [plus_minus(row.scores[name].accuracy) if name in row.scores else MISSING for name in names]
    return (f"{row.model} [{number}]", *cells, MISSING, MISSING, MISSING)


def _published_row(row: PublishedScores, mark: str, names: Sequence[str]) -> tuple[str, ...]:
    cells = [percent(row.accuracy.get(name)) for name in names]
    means = (row.average(GROUPS["in-domain"]), row.average(GROUPS["out-of-domain"]), row.average())
    return (f"{mark} {row.model}", *cells, *map(percent, means))


def details_grid(model: Scores) -> Grid:
    """What stands behind one model's scores: intervals, macro means, and answers that were none."""
    rows = tuple(
        (
            TITLES.get(score.benchmark, score.benchmark),
            count(score.n_rows),
            count(score.n_trials),
            interval(score.accuracy),
            _estimate(score.macro_level),
            _estimate(score.macro_domain),
            percent(score.no_answer),
            percent(score.cut_off),
            percent(score.undecided),
            f"{score.mean_tokens:.1f}",
        )
        for score in model.scores
    )
    columns = ("benchmark", "rows", "tries", "accuracy %", "levels", "subjects", "no answer %")
    return Grid(
        title=f"{model.name}: scores",
        columns=(*columns, "cut off %", "undecided %", "tokens"),
        rows=rows,
        note="Levels, subjects: the mean over them, each with the same weight. Shares are of all tries. "
        "No answer: none was found, cut off or not. Undecided: the grader could not tell or the engine "
        "did not answer; it counts as not correct. Tokens: mean of an answer.",
    )


def tries_grid(model: Scores) -> Grid:
    """What several tries are worth; without rows where there was one."""
    rows = tuple(
        (
            TITLES.get(score.benchmark, score.benchmark),
            str(k),
            plus_minus(score.pass_at[k]),
            plus_minus(score.majority_at[k]),
            plus_minus(score.best_at[k]) if k in score.best_at else MISSING,
        )
        for score in model.scores
        for k in score.pass_at
    )
    return Grid(
        title=f"{model.name}: several tries",
        columns=("benchmark", "k", "pass@k", "maj@k", "best of k"),
        rows=rows,
        note="Exact means over all ways to take k of the tries. maj@k: undecided answers agree with none, and answers "
        "equally frequent share the vote. Best of k: by log-probability, where the engine gives it.",
    )


def domain_grid(models: Sequence[Scores], benchmark: str) -> Grid:
    """Accuracy by domain, such as MATH by subject; without rows where the benchmark has none."""
    parts = {m.name: s for m in models for s in m.scores if s.benchmark == benchmark}
    names = sorted({name for score in parts.values() for name in score.by_domain if name is not None})
    rows = tuple(
        (name, *(_accuracy(score.by_domain.get(part)) for part in names), *_overall(score, score.macro_domain))
        for name, score in parts.items()
    )
    title = f"{TITLES.get(benchmark, benchmark)} by subject"
    return _parts_grid(title, names, rows, "subjects")


def level_grid(models: Sequence[Scores], benchmark: str) -> Grid:
    """Accuracy by level; without rows where the benchmark has none."""
    parts = {m.name: s for m in models for s in m.scores if s.benchmark == benchmark}
    levels = sorted({level for score in parts.values() for level in score.by_level if level is not None})
    rows = tuple(
        (name, *(_accuracy(score.by_level.get(level)) for level in levels), *_overall(score, score.macro_level))
        for name, score in parts.items()
    )
    title = f"{TITLES.get(benchmark, benchmark)} by level"
    return _parts_grid(title, [level_name(level) for level in levels], rows, "levels")


def _overall(score: BenchmarkScore, macro: Estimate | None) -> tuple[str, str]:
    return _accuracy(score.accuracy), _estimate(macro)


def _parts_grid(title: str, names: Sequence[str], rows: tuple[tuple[str, ...], ...], parts: str) -> Grid:
    return Grid(
        title=title,
        columns=("model", *names, "micro", "macro"),
        rows=rows if names else (),
        note=f"micro: over all problems; macro: the mean of the {parts}.",
    )


def differences_grid(compared: Sequence[Compared]) -> Grid:
    """Paired differences with their intervals and tests."""
    rows = tuple(
        (
            f"{one.model} − {one.baseline}",
            TITLES.get(one.benchmark, one.benchmark),
            count(one.paired.n),
            points(one.paired.difference.value),
            f"[{points(one.paired.difference.low)}, {points(one.paired.difference.high)}]",
            f"{one.paired.n_better} / {one.paired.n_worse}",
            p_value(one.paired.p),
            p_value(one.p_adjusted),
            "yes" if one.p_adjusted < 0.05 else "no",
        )
        for one in compared
    )
    tests = ", ".join(dict.fromkeys(one.paired.test for one in compared))
    return Grid(
        title="paired differences, in points",
        columns=("models", "benchmark", "queries", "difference", "95 %", "better / worse", "p", "p (Holm)", "differ?"),
        rows=rows,
        n_words=2,
        note=f"Paired by query; {tests}; Holm's correction for {len(compared)} comparisons; differ: at 5 %.",
    )


def settings_text(name: str, record: EvaluationRecord) -> str:
    """All that one model's scores depend on, a line for each."""
    params = record.sampling
    how = "greedy" if params.temperature == 0 else f"temperature {params.temperature:g}, top_p {params.top_p:g}"
    stops = f", stop {list(params.stop)!r}" if params.stop else ""
    versions = ", ".join(f"{package} {version}" for package, version in record.versions.items())
    lines = [
        f"{name}: {record.model}",
        *_prompt_lines(record),
        f"  sampling: {how}, at most {params.max_new_tokens:,} new tokens{stops}, seed {record.seed}",
        f"  engine: {record.engine}; {versions}",
        f"  grader: {record.grader}",
        *(
            f"  {part.name}: {part.n_rows:,} rows x {part.n_trials} tries, data {part.checksum}, from {part.source}"
            + (f" (sha256 {part.sha256[:16]})" if part.sha256 else "")
            for part in record.benchmarks
        ),
    ]
    return "\n".join(lines)


def _prompt_lines(record: EvaluationRecord) -> list[str]:
    """A line for each way in which some benchmarks were asked."""
    asked: dict[Prompt, list[str]] = {}
    for part in record.benchmarks:
        asked.setdefault(record.prompt_of(part), []).append(part.name)
    return [
        f"  prompt{f' of {listing(names)}' if len(asked) > 1 else ''}: {prompt.template} {_ends(prompt.text)!r}"
        for prompt, names in asked.items()
    ]


def _ends(text: str) -> str:
    """A long text's beginning and end."""
    return text if len(text) <= 160 else f"{text[:80]} ... {text[-80:]}"


def _accuracy(score: Score | None) -> str:
    return MISSING if score is None else plus_minus(score)


def _estimate(estimate: Estimate | None) -> str:
    return MISSING if estimate is None else plus_minus(estimate)
