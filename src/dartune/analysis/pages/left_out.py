"""The part of a run's report that says what was left out of the sets, and shows the queries that a benchmark asks too.

Pure.
"""

from dartune.analysis.curated import Contamination, MatchedPair, ProcessCheck
from dartune.analysis.drawing.formats import MISSING, count, percent
from dartune.analysis.drawing.grid import Grid, to_html
from dartune.analysis.drawing.markup import Markup
from dartune.analysis.drawing.page import details, model_text, paragraph, section
from dartune.analysis.summary import MethodSummary, RunSummary

_NOT_COMPARED = "The queries were not compared with the benchmarks: the recipe says so."
_NO_BENCHMARK = "There is no benchmark that the queries could be compared with."


def left_out_section(run: RunSummary) -> Markup | None:
    """What curation left out or found; None for a run without sets."""
    if not run.methods:
        return None
    unsound = unsound_grid(run)
    return section(
        "What was left out",
        to_html(omissions_grid(run)),
        to_html(unsound) if unsound.rows else None,
        *_contamination(run.curation.contamination),
    )


def omissions_grid(run: RunSummary) -> Grid:
    """Each training set: what was left out of it, and what it lacks."""
    columns = ("set", "duplicates", "near duplicates", "queries of a benchmark", "unsound found", "unsound left out",
               "examples missing", "tokens missing", "queries unfinished")  # fmt: skip
    rows = tuple(
        (
            method.name,
            count(method.omissions.n_duplicates),
            count(method.omissions.n_near_duplicates),
            count(method.omissions.n_dropped_queries),
            *_unsound_cells(method, run.curation.process),
            count(method.omissions.n_missing),
            count(method.omissions.n_missing_tokens),
            count(method.omissions.n_unfinished),
        )
        for method in run.methods
    )
    note = (
        "Duplicates and near duplicates: correct responses that read like an earlier one to the same query. Unsound: "
        "correct responses whose steps the recipe's check found fault with. Missing: fewer than the recipe asks for. "
        "Unfinished: queries that sampling has brought neither to their target nor to their cap."
    )
    return Grid(title="Left out of the sets, or lacking", columns=columns, rows=rows, note=note)


def _unsound_cells(method: MethodSummary, process: ProcessCheck | None) -> tuple[str, str]:
    if process is None:
        return MISSING, MISSING
    found = method.omissions.n_unsound
    return count(found), count(found if process.action == "drop" else 0)


def unsound_grid(run: RunSummary) -> Grid:
    """The share of right answers reached by a fault, by set and level; no rows where nobody looked."""
    process = run.curation.process
    parts = [part for method in run.methods for part in method.omissions.levels]
    levels = sorted({part.level for part in parts if part.level is not None})
    with_none = [*levels, None] if any(part.level is None for part in parts) else levels
    columns = ("set", *("no level" if level is None else f"level {level} %" for level in with_none))
    rows = tuple((method.name, *(_share_cell(method, level) for level in with_none)) for method in run.methods)
    note = "In %, and how many of how many correct responses in the tries that the set's method made."
    title = "Right answers with a fault in their steps"
    if process and process.check == "equations":
        title = "Right answers with a false equation"
        note += " False: its sides differ, or it is malformed."
    if process:
        note += " They are left out." if process.action == "drop" else " They are counted here, not left out."
    return Grid(title=title, columns=columns, rows=rows if process else (), note=note)


def _share_cell(method: MethodSummary, level: int | None) -> str:
    found = next((part for part in method.omissions.levels if part.level == level), None)
    if found is None or found.share is None:
        return MISSING
    return f"{percent(found.share)} ({count(found.n_unsound)} of {count(found.n_correct)})"


def overlaps_grid(found: Contamination) -> Grid:
    """Each benchmark against the training queries; no rows without benchmarks."""
    columns = ("benchmark", "problems", "pairs of the same words", "pairs with common runs", "queries in them")
    rows = tuple(
        (row.benchmark, count(row.n_problems), count(row.n_exact), count(row.n_ngram), count(row.n_queries))
        for row in found.benchmarks
    )
    numbers = ", and if the query has every number of the problem" if found.same_numbers else ""
    note = (
        "Every query is compared with every problem of every benchmark. Two have common runs if more than "
        f"{100 * found.min_overlap:g} % of the problem's words lie in runs of {found.n} words that the query has "
        f"too{numbers}."
    )
    return Grid(title="Queries that a benchmark asks too", columns=columns, rows=rows, note=note)


def _contamination(found: Contamination | None) -> tuple[Markup, ...]:
    if found is None:
        return (paragraph(_NOT_COMPARED),)
    if not found.benchmarks:
        return (paragraph(_NO_BENCHMARK),)
    return (to_html(overlaps_grid(found)), paragraph(_what_became(found)), *map(_pair, found.pairs))


def _what_became(found: Contamination) -> str:
    if not found.n_pairs:
        return "No query matches."
    pairs = "1 pair matches" if found.n_pairs == 1 else f"{count(found.n_pairs)} pairs match"
    became = "left out of every set" if found.action == "drop" else "reported here and not left out"
    queries = "1 query was" if found.n_queries == 1 else f"{count(found.n_queries)} queries were"
    n_shown = len(found.pairs)
    shown = "" if n_shown == found.n_pairs else f" Here are the {n_shown} with the smallest overlap."
    return f"{pairs}; {queries} {became}.{shown} All pairs are in {found.file}."


def _pair(pair: MatchedPair) -> Markup:
    how = "the same words" if pair.kind == "exact" else f"{percent(pair.overlap)} % of its words in common runs"
    return details(
        f"{pair.benchmark} · {how}",
        paragraph("Query", "meta"),
        model_text(pair.query),
        paragraph(f"Problem of {pair.benchmark}", "meta"),
        model_text(pair.benchmark_query),
    )
