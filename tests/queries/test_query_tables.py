import io
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from dartune.config import QueriesConfig
from dartune.errors import DataError
from dartune.queries import check_queries, describe_sets, load_queries
from dartune.queries.tables import check_view, queries_table, report_table, sets_table
from dartune.types import Query


def rendered(view: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    console.print(view)
    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(output, str)
    return output


def test_all_named_sets_are_listed_with_their_sources() -> None:
    sets = {info.name: info for info in describe_sets()}
    assert sum(name.startswith("world/") for name in sets) >= 3
    assert sets["math/train"].sources == (
        "data folder",
        "hf:EleutherAI/hendrycks_math",
        "hf:DigitalLearningGmbH/MATH-lighteval",
        "raw.githubusercontent.com/rllm-org/rllm",
    )
    table = rendered(sets_table(describe_sets()))
    assert all(name in table for name in sets)
    assert "7,472" in table


def test_what_is_known_of_a_set_in_training_data_is_listed_in_short() -> None:
    names, what = ([str(cell) for cell in sets_table(describe_sets()).columns[i].cells] for i in (0, 4))
    notes = {name: text.partition("\ncontamination: ")[2] for name, text in zip(names, what, strict=True)}
    assert notes["math/test"] == "MATH's test solutions are public since 2021"
    assert notes["gsm8k/test"].endswith("less on new problems of the same kind")
    assert notes["math/train"] == ""
    assert [name for name in notes if notes[name]] == [info.name for info in describe_sets() if info.contamination]


HOSTILE = "\x1b[2J\x1b]0;owned\x07 [red]bold[/red] :smile: \u202etxt\x9b1m\rgone\ttab"


def test_hostile_text_reaches_the_terminal_as_plain_characters() -> None:
    query = Query.of(HOSTILE, HOSTILE, domain=HOSTILE)
    output = rendered(queries_table([query]))
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(output)
    assert "⟨U+001B⟩[2J⟨U+001B⟩]0;owned⟨U+0007⟩ [red]bold[/red]" in output
    assert ":smile:" in output


def test_a_check_is_shown_with_findings_and_verdict(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"query": "a", "ref_answer": "1", "level": 2}\n' + '{"query": "\\u001b[2J"}\n' * 30)
    check = check_queries(QueriesConfig(source=str(path)))
    output = rendered(check_view(check))
    assert "line 2: ref_answer: expected text, got nothing" in output
    assert "and 10 more" in output
    assert "not ok: 1 different problems pass the filters" in output
    assert "31" in rendered(report_table(check.report))
    assert "2: 1" in output


def test_reports_are_plain_data(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"query": "a", "ref_answer": "1"}\n')
    report = json.loads(json.dumps(asdict(check_queries(QueriesConfig(source=str(path))))))
    assert report["report"]["origin"]["path"] == str(path)
    assert report["report"]["n_rows"] == 1


@pytest.mark.parametrize("source", ["math/tran", "hf", "nothing"])
def test_an_unknown_source_says_what_is_expected(source: str) -> None:
    with pytest.raises(DataError) as caught:
        load_queries(QueriesConfig(source=source))
    hint = '; nearest is "math/train"' if source == "math/tran" else ""
    assert str(caught.value) == (
        f'queries.source: expected a named set, a file or hf:DATASET, got "{source}"{hint}; '
        "`dartune queries list` shows the named sets"
    )


def test_importing_queries_brings_no_heavy_library() -> None:
    script = (
        "import sys, dartune.queries; "
        "print(*{'torch', 'transformers', 'datasets', 'pyarrow', 'polars', 'rich', 'trl'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
