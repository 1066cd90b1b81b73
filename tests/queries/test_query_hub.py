import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dartune.config import QueriesConfig
from dartune.errors import DataError, MissingExtra
from dartune.queries import load_queries
from dartune.queries.benchmarks import Benchmark, HubCopy
from dartune.queries.benchmarks.opening import open_benchmark
from dartune.queries.collecting import collect
from dartune.queries.columns import Columns
from dartune.queries.hub import HubDataset, parse_hub_name
from dartune.types import Query

CARD = """---
configs:
- config_name: main
  default: true
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
- config_name: hard
  data_files:
  - split: test
    path: data/test-*
---
# Problems
"""


def table(*rows: tuple[str, str, str]) -> pa.Table:
    picture = {"bytes": b"\x89PNG", "path": "a.png"}
    return pa.Table.from_pylist(
        [{"problem": text, "answer": answer, "level": level, "picture": picture} for text, answer, level in rows]
    )


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    datasets.disable_progress_bars()
    folder = tmp_path / "problems"
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    pq.write_table(table(("1+1?", "2", "Level 1")), folder / "data" / "train-00000-of-00002.parquet")
    pq.write_table(table(("2+2?", "4", "Level 2")), folder / "data" / "train-00001-of-00002.parquet")
    pq.write_table(table(("3+3?", "6", "Level 3")), folder / "data" / "test-00000-of-00001.parquet")
    return folder


def load(source: str, split: str = "train") -> tuple[Query, ...]:
    return load_queries(QueriesConfig(source=source, split=split)).queries


def test_a_folder_in_the_hubs_layout(hub_folder: Path) -> None:
    source = f"hf:{hub_folder}"
    assert load(source) == (
        Query.of("1+1?", "2", level=1, source=source),
        Query.of("2+2?", "4", level=2, source=source),
    )
    assert load(f"{source}:hard", "test") == (Query.of("3+3?", "6", level=3, source=f"{source}:hard"),)


def test_jsonl_files_in_a_folder_of_the_hub(hub_folder: Path) -> None:
    folder = hub_folder.parent / "lines"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "train.jsonl").write_text('{"question": "1+1?", "answer": 2}\n')
    assert load(f"hf:{folder}") == (Query.of("1+1?", "2", source=f"hf:{folder}"),)


@pytest.mark.parametrize(
    ("suffix", "split", "message"),
    [
        ("", "validation", " (validation): Unknown split \"validation\". Should be one of ['train', 'test']."),
        (":easy", "test", ":easy (test): BuilderConfig 'easy' not found. Available: ['main', 'hard']"),
        ("x", "test", "x: no such folder"),
    ],
)
def test_what_the_folder_lacks_is_one_line(hub_folder: Path, suffix: str, split: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        load(f"hf:{hub_folder}{suffix}", split)
    assert str(caught.value) == f"hf:{hub_folder}{message}"


def test_a_column_that_is_not_there_lists_those_that_are(hub_folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_queries(QueriesConfig(source=f"hf:{hub_folder}", columns={"text": "problems"}))
    assert str(caught.value) == (
        f'hf:{hub_folder} (train): expected column "problems" for text, got columns problem, answer, level; '
        'nearest is "problem"'
    )


def test_names_of_datasets() -> None:
    assert parse_hub_name("openai/gsm8k:main@740312a", "test") == HubDataset(
        path="openai/gsm8k", subset="main", revision="740312a", split="test"
    )
    assert str(parse_hub_name("openai/gsm8k", "test")) == "hf:openai/gsm8k (test)"
    with pytest.raises(DataError, match=r'expected hf:ID\[:SUBSET\]\[@REVISION\] or hf:FOLDER, got "hf:"'):
        parse_hub_name("", "train")


def test_without_the_library_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        MissingExtra, match=r"datasets is not installed; mend it with: pip install 'dartune\[datasets\]'"
    ):
        load(f"hf:{tmp_path}")


@pytest.mark.integration
@pytest.mark.timeout(60)
@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_hub_out_of_reach_fails_at_once(tmp_path: Path, offline: str) -> None:
    script = (
        "import time; from dartune.config import QueriesConfig; from dartune.queries import load_queries\n"
        "import datasets; start = time.monotonic()\n"
        "try: load_queries(QueriesConfig(source='hf:openai/gsm8k:main'))\n"
        "except ValueError as error: print(time.monotonic() - start, error)"
    )
    environment = os.environ | {
        "HF_ENDPOINT": "https://127.0.0.1:9",
        "HF_HUB_OFFLINE": offline,
        "HF_HOME": str(tmp_path),
        "no_proxy": "*",
    }
    start = time.monotonic()
    output = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout
    waited, _, message = output.strip().partition(" ")
    assert message in (
        "hf:openai/gsm8k:main (train): https://127.0.0.1:9 does not answer: [Errno 111] Connection refused; "
        "for a dataset that was fetched before set HF_HUB_OFFLINE=1",
        "hf:openai/gsm8k:main (train): Couldn't reach 'openai/gsm8k' on the Hub (OfflineModeIsEnabled)",
    )
    assert float(waited) < 5 < 60 - (time.monotonic() - start)


def hub_copy(folder: Path, *subsets: str) -> Benchmark:
    datasets = tuple(HubDataset(path=str(folder), subset=subset, split="test") for subset in subsets)
    copy = HubCopy(datasets=datasets, n_rows=2, adapt=Columns(text="problem", ref_answer="answer", level="level"))
    return Benchmark(name="two", description="", n_rows=2, sources=(copy,))


def test_the_subsets_of_a_hub_copy_are_read_one_after_the_other(hub_folder: Path) -> None:
    rows, report = collect(open_benchmark(hub_copy(hub_folder, "main", "hard"), None))
    assert [(query.text, query.level) for query in rows] == [("3+3?", 3), ("3+3?", 3)]
    assert report.origin.source == f"hf:{hub_folder} (test of 2 subsets)"
    assert (report.origin.checksum, report.n_rows, report.origin.n_rows_expected) == ("not verified", 2, 2)


def test_a_hub_copy_that_lacks_a_subset_has_not_answered(hub_folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_benchmark(hub_copy(hub_folder, "main", "easy"), None)
    assert str(caught.value) == (
        f"two: no source answered: (1) hf:{hub_folder} (test of 2 subsets): BuilderConfig 'easy' not found. "
        "Available: ['main', 'hard']; connect to the network"
    )
