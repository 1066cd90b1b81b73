"""What the report says of what was left out: every count, every look that was not taken, and the pairs themselves."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from dartune.analysis.curated import Contamination, CurationSummary, ProcessCheck
from dartune.analysis.pages.left_out import left_out_section, omissions_grid, overlaps_grid, unsound_grid
from dartune.analysis.summary import RunSummary


def words(run: RunSummary) -> str:
    section = left_out_section(run)
    assert section is not None
    return " ".join("".join(ElementTree.fromstring(section).itertext()).split())


@pytest.fixture
def contamination(run_summary: RunSummary) -> Contamination:
    assert run_summary.curation.contamination is not None
    return run_summary.curation.contamination


def curated(run: RunSummary, process: ProcessCheck | None, contamination: Contamination | None) -> RunSummary:
    return replace(run, curation=CurationSummary(process=process, contamination=contamination))


def test_every_set_has_its_counts(run_summary: RunSummary) -> None:
    grid = omissions_grid(run_summary)
    assert [row[0] for row in grid.rows] == ["vrt", "uniform", "prop2diff"]
    assert dict(zip(grid.columns, grid.rows[0], strict=True)) == {
        "set": "vrt",
        "duplicates": "28",
        "near duplicates": "5",
        "queries of a benchmark": "2",
        "unsound found": "274",
        "unsound left out": "0",
        "examples missing": "17",
        "tokens missing": "0",
        "queries unfinished": "1",
    }


def test_unsound_ones_that_go_are_told_from_those_that_stay(run_summary: RunSummary) -> None:
    drops = curated(run_summary, ProcessCheck(check="mine:steps", action="drop"), None)
    assert omissions_grid(drops).rows[0][4:6] == ("274", "274")
    assert "fault in their steps" in unsound_grid(drops).title
    assert "They are left out." in unsound_grid(drops).note
    assert "counted here, not left out" in unsound_grid(run_summary).note


def test_the_share_of_unsound_answers_is_told_by_level(run_summary: RunSummary) -> None:
    grid = unsound_grid(run_summary)
    assert grid.title == "Right answers with a false equation"
    assert grid.columns == ("set", *(f"level {level} %" for level in range(1, 6)))
    assert grid.rows[0] == ("vrt", "0.5 (2 of 400)", "1.0 (4 of 400)", "7.0 (28 of 400)", "20.0 (80 of 400)",
                            "40.0 (160 of 400)")  # fmt: skip


def test_a_level_without_correct_answers_has_no_share(run_summary: RunSummary) -> None:
    method = run_summary.methods[0]
    levels = tuple(replace(part, n_correct=0, n_unsound=0) for part in method.omissions.levels[:1])
    unlabelled = replace(levels[0], level=None, n_correct=3)
    method = replace(method, omissions=replace(method.omissions, levels=(*levels, unlabelled)))
    grid = unsound_grid(replace(run_summary, methods=(method,)))
    assert grid.columns == ("set", "level 1 %", "no level")
    assert grid.rows == (("vrt", "–", "0.0 (0 of 3)"),)


def test_a_look_that_was_not_taken_is_no_zero(run_summary: RunSummary) -> None:
    blind = curated(run_summary, None, None)
    assert omissions_grid(blind).rows[0][4:6] == ("–", "–")
    assert unsound_grid(blind).rows == ()
    assert "Right answers with" not in words(blind)
    assert "The queries were not compared with the benchmarks" in words(blind)


def test_pairs_stand_with_both_texts_and_how_they_match(run_summary: RunSummary) -> None:
    text = words(run_summary)
    assert "story · 64.3 % of its words in common runs" in text
    assert "Ann has 7 boxes of 9 pens . She gives 4 away . How many pens are left with her ?" in text
    assert "Ben has 7 boxes of 9 pens . She gives 4 away . How many ?" in text
    assert "story · the same words" in text
    assert "3 pairs match; 2 queries were left out of every set. Here are the 2 with the smallest overlap." in text
    assert "All pairs are in sets/vrt/contamination.jsonl." in text


def test_every_benchmark_has_a_row_also_without_a_match(contamination: Contamination) -> None:
    grid = overlaps_grid(contamination)
    assert grid.rows == (("story", "2,000", "1", "2", "2"), ("expr", "2,000", "0", "0", "0"))
    assert "more than 50 % of the problem's words lie in runs of 13 words" in grid.note
    assert "every number" in grid.note
    assert "every number" not in overlaps_grid(replace(contamination, same_numbers=False)).note


def test_reported_queries_are_not_said_to_be_gone(run_summary: RunSummary, contamination: Contamination) -> None:
    one = replace(contamination, action="report", n_queries=1, n_pairs=1, pairs=contamination.pairs[:1])
    text = words(curated(run_summary, None, one))
    assert "1 pair matches; 1 query was reported here and not left out. All pairs are in" in text


def test_no_match_and_no_benchmark_are_said(run_summary: RunSummary, contamination: Contamination) -> None:
    none = replace(contamination, n_queries=0, n_pairs=0, pairs=())
    assert "No query matches." in words(curated(run_summary, None, none))
    alone = replace(none, benchmarks=())
    assert "no benchmark that the queries could be compared with" in words(curated(run_summary, None, alone))


def test_a_run_without_sets_has_left_nothing_out(run_summary: RunSummary) -> None:
    assert left_out_section(replace(run_summary, methods=())) is None
