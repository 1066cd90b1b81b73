"""The report of a run in rounds. Pure."""

from dartune.analysis.drawing.formats import count, listing, percent
from dartune.analysis.drawing.grid import to_html
from dartune.analysis.drawing.markup import element
from dartune.analysis.drawing.page import details, facts, figure, page, paragraph, section
from dartune.analysis.figures.rounds import rounds_accuracy_panels, sampling_panels
from dartune.analysis.summary import RoundsSummary
from dartune.analysis.tables.rounds import (
    by_method,
    methods,
    rounds_accuracy_by_level_grid,
    rounds_accuracy_grid,
    rounds_grid,
    rounds_levels_grid,
)


def rounds_page(summary: RoundsSummary) -> str:
    """The page as text; it needs no network, no script and no other file."""
    header = (
        element("h1", summary.name),
        paragraph(summary.created, "byline"),
        paragraph(_what_was_done(summary), "lede"),
        *(paragraph(_what_it_found(summary, name)) for name in methods(summary)),
    )
    sampling = figure(
        sampling_panels(summary),
        "Each round samples the model that the one before it trained on the same set; the first samples the recipe's. "
        "Fail rates are estimated anew in every round. New solutions are those that no earlier round of the set found.",
        rounds_grid(summary),
    )
    accuracy = figure(
        rounds_accuracy_panels(summary),
        "Greedy accuracy after each round, with 95 % intervals over the benchmark's queries; they do not hold the "
        "spread between training seeds. Axes do not start at zero.",
        rounds_accuracy_grid(summary),
    )
    runs = {row.path: row.sampled_model for row in summary.rounds}
    by_level = details("By level", to_html(rounds_accuracy_by_level_grid(summary)))
    sections = [
        section("What each round found", sampling, details("By level", to_html(rounds_levels_grid(summary)))),
        *([section("What each round is worth", accuracy, by_level)] if accuracy else []),
        section("The runs", facts([(path, f"sampled {model}") for path, model in runs.items()])),
    ]
    return page(f"{summary.name} · dartune", header, sections)


def _what_was_done(summary: RoundsSummary) -> str:
    n = max(row.round for row in summary.rounds)
    return (
        f"{n} rounds of sampling, choosing and training for {listing(methods(summary))}: every round trains "
        f"{summary.student} anew, and from the second on samples the model that the round before has made."
    )


def _what_it_found(summary: RoundsSummary, name: str) -> str:
    rows = [row for row in by_method(summary) if row.method.name == name]
    rates = [f"{percent(row.method.mean_fail_rate)}\u00a0%" for row in rows]
    n_new = sum(row.n_new for row in rows)
    return f"{name}: mean fail rate, round by round, {listing(rates)}; {count(n_new)} distinct solutions in all."
