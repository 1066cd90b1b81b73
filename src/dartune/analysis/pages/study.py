"""The report of a study. Pure."""

from dartune.analysis.drawing.formats import listing, p_value, points
from dartune.analysis.drawing.grid import to_html
from dartune.analysis.drawing.markup import element
from dartune.analysis.drawing.page import facts, figure, page, paragraph, section, unless_empty
from dartune.analysis.figures.study import (
    study_accuracy_panels,
    study_difference_by_level_panels,
    study_difference_panels,
)
from dartune.analysis.summary import StudySummary
from dartune.analysis.tables.study import differences_grid, study_grid, study_sets_grid


def study_page(study: StudySummary) -> str:
    """The page as text; it needs no network, no script and no other file."""
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
        unless_empty("Accuracy over runs", accuracy, *each),
        unless_empty("Differences, run by run", differences, by_level),
        unless_empty("Training sets", to_html(study_sets_grid(study)) if study.sets else None),
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
