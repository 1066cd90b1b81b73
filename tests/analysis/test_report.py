import base64
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dartune.analysis.drawing.page import MAX_TEXT_CHARS
from dartune.analysis.report import render_report, write_report
from dartune.analysis.study import StudyRun, study
from dartune.analysis.summary import RunSummary, StudySummary
from dartune.errors import WriteError

HOSTILE = (
    "</title></style></pre><script src='https://evil.example/x.js'>alert(1)</script>"
    "<img src=x onerror=alert(1)>\u202e\x1b[31m\x00\ud800&amp;"
)


class Tags(HTMLParser):
    """Every element and attribute that a browser's parser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: dict[str, set[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")


def parse(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


def tree(page: str) -> ElementTree.Element:
    """The page by a strict parser: every part of it, the drawings too, is well-formed XML."""
    return ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def words(page: str) -> str:
    return " ".join("".join(tree(page).itertext()).split())


@pytest.fixture(scope="module")
def pages(run_summary: RunSummary, study_summary: StudySummary) -> dict[str, str]:
    return {"run": render_report(run_summary), "study": render_report(study_summary)}


@pytest.mark.parametrize("kind", ["run", "study"])
def test_page_runs_and_loads_nothing(pages: dict[str, str], kind: str) -> None:
    tags = parse(pages[kind])
    assert not tags.names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"}
    assert not tags.attributes.keys() & {"src", "href", "style", "srcset", "data", "action"}
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert "url(" not in pages[kind]
    assert "@import" not in pages[kind]
    assert "://" not in pages[kind]


@pytest.mark.parametrize("kind", ["run", "study"])
def test_policy_allows_our_style_alone(pages: dict[str, str], kind: str) -> None:
    style = re.findall(r"<style>(.*?)</style>", pages[kind], re.DOTALL)
    assert len(style) == 1
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>' in pages[kind]
    # A policy holds for what comes after it.
    assert pages[kind].index("Content-Security-Policy") < pages[kind].index("<style>")


@pytest.mark.parametrize("kind", ["run", "study"])
def test_every_drawing_has_a_text_alternative(pages: dict[str, str], kind: str) -> None:
    drawings = tree(pages[kind]).findall(".//svg")
    assert len(drawings) >= 6
    for drawing in drawings:
        assert drawing.get("role") == "img"
        assert drawing.findtext("title")
        assert re.search(r"\d", drawing.findtext("desc") or "")


def test_run_tells_its_numbers(pages: dict[str, str], run_summary: RunSummary) -> None:
    text = words(pages["run"])
    assert (
        "world:teacher-a was sampled 41,230 times (1,964,402 tokens, 1 min 01 s) on 2,000 queries of world/train"
        in text
    )
    assert "3 training sets were chosen: vrt (6,000 examples, 142,160 response tokens), uniform" in text
    vrt = next(row for row in run_summary.evaluations if (row.method, row.benchmark) == ("vrt", "story"))
    assert f"vrt {100 * vrt.headline.value:.1f} %" in text
    assert "level 5 · fails 97.9 % of 96 tries" in text
    assert "level 5 · fails 94.8 % of 58 tries · with a fault in its steps" in text
    assert "the steps before it were checked too" in text
    assert "48 + 11 = 59 . So 59 - 23 = 36 ." in text
    assert 'source = "world/train"' in text


def test_study_tells_differences(pages: dict[str, str]) -> None:
    text = words(pages["study"])
    assert "10 runs: pair a and pair b, seeds 0, 1, 2, 3, 4, 10, 11, 12, 13 and 14." in text
    assert re.search(
        r"On story, uniform minus vrt is \+\d\.\d points \(95 % interval \+\d\.\d to \+\d\.\d\) over 10 runs", text
    )
    assert "runs/a-0 · recipe 3f9a2c7d51b0" in text


def test_figures_carry_their_table(pages: dict[str, str]) -> None:
    root = tree(pages["run"])
    with_table = [figure for figure in root.findall(".//figure") if figure.find("details//table") is not None]
    assert len(with_table) == 3
    assert root.find(".//section/div//table") is not None  # the cost figure's stands above it


def test_hostile_text_stays_text(hostile: Callable[[str], RunSummary], pages: dict[str, str]) -> None:
    page = render_report(hostile(HOSTILE))
    page.encode("utf-8")
    assert parse(page).names == parse(pages["run"]).names
    assert parse(page).attributes.keys() == parse(pages["run"]).attributes.keys()
    text = "".join(tree(page).itertext())
    assert "<script src='https://evil.example/x.js'>alert(1)</script>" in text
    assert "⟨U+202E⟩⟨U+001B⟩[31m⟨U+0000⟩⟨U+D800⟩&amp;" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)


def test_long_model_text_is_cut_and_says_so(run_summary: RunSummary) -> None:
    example = replace(run_summary.hard_examples[0], response="x" * (MAX_TEXT_CHARS + 1234))
    page = render_report(replace(run_summary, hard_examples=(example,)))
    assert "… 1,234 more characters" in page
    assert "x" * (MAX_TEXT_CHARS + 1) not in page


def test_one_method_without_levels(run_summary: RunSummary) -> None:
    method = run_summary.methods[0]
    row = next(row for row in run_summary.evaluations if row.method == "vrt")
    text = words(
        render_report(
            replace(
                run_summary,
                methods=(replace(method, levels=(replace(method.levels[0], level=None),)),),
                evaluations=(replace(row, macro=None, levels=(replace(row.levels[0], level=None),)),),
                hard_examples=(replace(run_summary.hard_examples[0], level=None),),
            )
        )
    )
    assert "a training set was chosen: vrt" in text
    assert "On story, accuracy is vrt" in text
    assert "no level" in text


def test_many_methods(run_summary: RunSummary) -> None:
    methods = tuple(replace(run_summary.methods[0], name=f"set-{i}") for i in range(12))
    rows = tuple(replace(run_summary.evaluations[0], method=method.name) for method in methods)
    text = words(render_report(replace(run_summary, methods=methods, evaluations=rows)))
    assert "12 training sets were chosen" in text
    assert "set-11" in text


def test_counts_of_zero(run_summary: RunSummary) -> None:
    empty = replace(
        run_summary.methods[0],
        n_raw=0,
        raw_tokens=0,
        n_correct=0,
        fill=None,
        n_examples=0,
        response_tokens=0,
        levels=(),
    )
    nothing = replace(run_summary.pool, n_queries=0, n_raw=0, raw_tokens=0, seconds_sampling=0.0)
    page = render_report(replace(run_summary, pool=nothing, methods=(empty,), evaluations=(), hard_examples=()))
    assert "was sampled 0 times" in words(page)
    assert "What the sets are worth" not in page


def test_steps_that_nobody_checked_are_said_to_be_unchecked(run_summary: RunSummary) -> None:
    unchecked = tuple(replace(example, is_sound=None) for example in run_summary.hard_examples)
    blind = replace(run_summary, curation=replace(run_summary.curation, process=None), hard_examples=unchecked)
    text = words(render_report(blind))
    assert "the steps before it are not checked." in text
    assert "with a fault" not in text


def test_a_run_that_only_sampled(run_summary: RunSummary) -> None:
    bare = replace(run_summary, student=None, methods=(), evaluations=(), hard_examples=(), timings={}, versions={})
    text = words(render_report(bare))
    assert "every response was graded." in text
    assert "training set" not in text


def test_study_of_one_run(run_summary: RunSummary) -> None:
    text = words(render_report(study("one", "now", [StudyRun(variant="a", path="runs/a", summary=run_summary)])))
    assert "1 run: a, seed 0." in text
    assert "paired t test" not in text


def test_write_replaces_whole_or_not_at_all(run_summary: RunSummary, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "report.html"
    write_report(run_summary, out)
    write_report(run_summary, out)
    assert out.read_text("utf-8") == render_report(run_summary)
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]
    assert out.stat().st_size < 200_000
    with pytest.raises(WriteError, match=r"report\.html"):
        write_report(run_summary, out / "report.html")
