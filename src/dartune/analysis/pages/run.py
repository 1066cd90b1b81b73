"""The report of a run. Pure."""

from dartune.analysis.drawing.formats import count, duration, level_name, listing, percent
from dartune.analysis.drawing.grid import to_html
from dartune.analysis.drawing.markup import Markup, element
from dartune.analysis.drawing.page import details, facts, figure, model_text, page, paragraph, section, unless_empty
from dartune.analysis.figures.run import accuracy_by_level_panels, accuracy_panels, cost_panels, set_panels
from dartune.analysis.pages.left_out import left_out_section
from dartune.analysis.summary import HardExample, RunSummary
from dartune.analysis.tables.run import (
    accuracy_by_domain_grid,
    accuracy_by_level_grid,
    accuracy_grid,
    benchmarks,
    is_in_domain,
    levels_grid,
    models,
    sets_grid,
)


def run_page(run: RunSummary) -> str:
    """The page as text; it needs no network, no script and no other file."""
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
    return unless_empty(
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
