"""The HTML report of a run or of a study: one page, readable offline, with a table behind every figure."""

from pathlib import Path
from typing import assert_never

from dartune.analysis.curated_section import left_out_section
from dartune.analysis.figures import (
    accuracy_by_level_panels,
    accuracy_panels,
    cost_panels,
    set_panels,
    study_accuracy_panels,
    study_difference_by_level_panels,
    study_difference_panels,
)
from dartune.analysis.formats import count, duration, level_name, listing, p_value, percent, points
from dartune.analysis.grid import Grid, to_html
from dartune.analysis.markup import Markup, element
from dartune.analysis.page import details, facts, figure, model_text, page, paragraph, section
from dartune.analysis.rounds_page import rounds_page
from dartune.analysis.rounds_tables import rounds_grids
from dartune.analysis.summary import HardExample, RoundsSummary, RunSummary, StudySummary, Summary
from dartune.analysis.tables import (
    accuracy_by_domain_grid,
    accuracy_by_level_grid,
    accuracy_grid,
    benchmarks,
    demo_grids,
    differences_grid,
    is_in_domain,
    levels_grid,
    models,
    sets_grid,
    study_grid,
    study_headline_grids,
    study_sets_grid,
)
from dartune.files import write_text


def write_report(summary: Summary, out: Path) -> None:
    """Write the report of `summary` to the file `out`, whole or not at all; raises WriteError."""
    write_text(out, render_report(summary))


def render_report(summary: Summary) -> str:
    """The report as the text of an HTML page; it needs no network, no script and no other file."""
    match summary:
        case RunSummary():
            return _run_page(summary)
        case StudySummary():
            return _study_page(summary)
        case RoundsSummary():
            return rounds_page(summary)
        case _:
            assert_never(summary)


def summary_grids(summary: Summary) -> tuple[Grid, ...]:
    """The tables that the terminal shows, in 80 columns."""
    match summary:
        case RunSummary():
            return demo_grids(summary)
        case StudySummary():
            return study_headline_grids(summary)
        case RoundsSummary():
            return rounds_grids(summary)
        case _:
            assert_never(summary)


def _run_page(run: RunSummary) -> str:
    header = (
        element("h1", run.name),
        paragraph(f"seed {run.seed} · recipe {run.recipe_hash[:12]} · {run.created}", "byline"),
        paragraph(_what_was_run(run), "lede"),
        *(paragraph(words) for words in _what_came_out(run)),
    )
    sections = (_accuracy(run), _sets(run), _cost(run), left_out_section(run), _hard(run), _method(run))
    return page(f"{run.name} · dartune", header, [part for part in sections if part])


def _what_was_run(run: RunSummary) -> str:
    pool = run.pool
    first = (
        f"{run.sampled_model} was sampled {count(pool.n_raw)} times ({count(pool.raw_tokens)} tokens, "
        f"{duration(pool.seconds_sampling)}) on {count(pool.n_queries)} queries of {run.queries}, and every response "
        "was graded."
    )
    if not run.methods:
        return first
    sizes = [f"{method.name} ({count(method.n_examples)} examples, {count(method.response_tokens)} response tokens)"
             for method in run.methods]  # fmt: skip
    sets = "a training set was" if len(sizes) == 1 else f"{len(sizes)} training sets were"
    second = f" From this one pool {sets} chosen: {listing(sizes)}"
    if run.student is None or not run.evaluations:
        return f"{first}{second}."
    on = listing(benchmarks(run))
    return f"{first}{second}; {run.student} was fine-tuned on each and answered {on} greedily."


def _what_came_out(run: RunSummary) -> list[str]:
    """One sentence for each benchmark in domain."""
    said = []
    for benchmark in benchmarks(run):
        if not is_in_domain(run, benchmark):
            continue
        rows = {row.method: row for row in run.evaluations if row.benchmark == benchmark}
        scores = [f"{name} {percent(rows[name].headline.value)}\u00a0%" for name in models(run) if name in rows]
        levels = [part.level for row in rows.values() for part in row.levels if part.level is not None]
        over = f"the mean over levels {min(levels)} to {max(levels)}" if len(set(levels)) > 1 else "accuracy"
        said.append(f"On {benchmark}, {over} is {listing(scores)}.")
    return said


def _accuracy(run: RunSummary) -> Markup | None:
    if not run.evaluations:
        return None
    return section(
        "What the sets are worth",
        figure(
            accuracy_panels(run),
            "Greedy accuracy of the base model and of the models fine-tuned on each set. Lines through the marks are "
            "95 % intervals over the benchmark's queries; they do not hold the spread between training seeds. "
            "Axes do not start at zero.",
            accuracy_grid(run),
        ),
        figure(
            accuracy_by_level_panels(run),
            "The same by level, 1 the easiest, with 95 % Wilson intervals; marks of one level stand side by side.",
            accuracy_by_level_grid(run),
        ),
        *([to_html(by_domain)] if (by_domain := accuracy_by_domain_grid(run)).rows else []),
    )


def _sets(run: RunSummary) -> Markup | None:
    return _unless_empty(
        "What is in the sets",
        figure(
            set_panels(run),
            "Responses per query: examples in the set over all queries of the level, covered or not. "
            "Coverage: share of the level's queries with at least one example.",
            levels_grid(run),
        ),
    )


def _cost(run: RunSummary) -> Markup | None:
    if not run.methods:
        return None
    grid = sets_grid(run)
    caption = (
        "The numbers are in the table above. Tries and tokens are what each set would take if it were sampled alone; "
        "here all sets drew on one pool. Sets of equal size in examples may differ in tokens."
    )
    policies = facts([(method.name, method.policy) for method in run.methods])
    return section("What the sets cost", policies, to_html(grid), figure(cost_panels(run), caption))


def _hard(run: RunSummary) -> Markup | None:
    if not run.hard_examples:
        return None
    intro = "Queries that the sampled model mostly fails, and a right answer that sampling found. Right means that the "
    intro += "final answer agrees with the reference; "
    is_checked = run.curation.process is not None
    intro += f"the steps before it {'were checked too, see the titles' if is_checked else 'are not checked'}."
    return section("Hard queries solved", paragraph(intro), *(_hard_example(example) for example in run.hard_examples))


def _hard_example(example: HardExample) -> Markup:
    level = "" if example.level is None else f"level {level_name(example.level)} · "
    steps = " · with a fault in its steps" if example.is_sound is False else ""
    title = f"{level}fails {percent(example.fail_rate)} % of {count(example.n_trials)} tries{steps}"
    return details(
        title,
        paragraph("Query", "meta"),
        model_text(example.query),
        paragraph("Reference answer", "meta"),
        model_text(example.ref_answer),
        paragraph("Response", "meta"),
        model_text(example.response),
    )


def _method(run: RunSummary) -> Markup:
    stages = [(stage, duration(seconds)) for stage, seconds in run.timings.items()]
    ids = [
        ("seed", str(run.seed)),
        ("recipe hash", run.recipe_hash),
        ("sampled model", run.sampled_model),
        ("fine-tuned model", run.student or "none"),
        ("requests that failed", count(run.pool.n_failures)),
    ]
    return section(
        "How it was done",
        paragraph(
            "The fail rate of a query, its difficulty, is incorrect over all raw responses. Vanilla rejection tuning "
            "(VRT) tries every query equally often and keeps what is correct. DARS-Uniform samples each query until it "
            "has a fixed number of correct responses, DARS-Prop2Diff until it has a number in proportion to its fail "
            "rate (Tong et al. 2024, arXiv 2407.13690)."
        ),
        facts(ids),
        details("Time by stage", facts(stages)) if stages else None,
        details("Versions", facts(list(run.versions.items()))) if run.versions else None,
        details("Recipe", model_text(run.recipe)),
    )


def _study_page(study: StudySummary) -> str:
    variants = list(dict.fromkeys(cell.variant for cell in study.cells))
    seeds = sorted({cell.seed for cell in study.cells})
    pooled = None if len(variants) > 1 else variants[0]
    lede = (
        f"{_plural(len(study.cells), 'run')}: {listing(variants)}, "
        f"{'seed' if len(seeds) == 1 else 'seeds'} {listing([str(seed) for seed in seeds])}. "
        "Everything but the training set is the same inside a run, so sets are compared run by run."
    )
    header = (element("h1", study.name), paragraph(study.created, "byline"), paragraph(lede, "lede"),
              *(paragraph(words) for words in _study_findings(study, pooled)))  # fmt: skip
    over = "all runs, pooled" if pooled is None else pooled
    accuracy = figure(
        study_accuracy_panels(study, pooled),
        f"Mean accuracy over {over}, with 95 % t intervals over runs. Axes do not start at zero.",
        study_grid(study),
    )
    each = [
        figure(study_accuracy_panels(study, variant), f"The runs of {variant} alone.")
        for variant in variants
        if pooled is None
    ]
    differences = figure(
        study_difference_panels(study, pooled),
        f"Difference in percentage points inside a run, mean over {over}, with 95 % t intervals.",
    )
    by_level = figure(
        study_difference_by_level_panels(study, pooled), "The same by level, 1 the easiest.", differences_grid(study)
    )
    cells = [
        (f"{cell.variant}, seed {cell.seed}", f"{cell.path} · recipe {cell.recipe_hash[:12]}") for cell in study.cells
    ]
    sections = [
        _unless_empty("Accuracy over runs", accuracy, *each),
        _unless_empty("Differences, run by run", differences, by_level),
        _unless_empty("Training sets", to_html(study_sets_grid(study)) if study.sets else None),
        section("The runs", facts(cells)),
    ]
    return page(f"{study.name} · dartune", header, [part for part in sections if part])


def _study_findings(study: StudySummary, variant: str | None) -> list[str]:
    """One sentence for each comparison on a benchmark in domain."""
    in_domain = {row.benchmark for row in study.accuracies if row.in_domain}
    said = []
    for row in study.differences:
        if row.variant != variant or row.level is not None or row.benchmark not in in_domain:
            continue
        test = row.test
        between = "" if test.low is None else f" (95 % interval {points(test.low)} to {points(test.high)})"
        p = "" if test.p_t is None else f", paired t test {_p_words(test.p_t)}"
        said.append(
            f"On {row.benchmark}, {row.method} minus {row.baseline} is {points(test.difference)} points{between} "
            f"over {_plural(test.n, 'run')}{p}."
        )
    return said


def _plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _p_words(value: float) -> str:
    words = p_value(value)
    return f"p\u00a0<\u00a0{words[1:]}" if words.startswith("<") else f"p\u00a0=\u00a0{words}"


def _unless_empty(title: str, *parts: Markup | None) -> Markup | None:
    return section(title, *parts) if any(parts) else None
