import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from curation.sampled_pools import METHODS, QUERIES, make_job
from dartune.config import CurationConfig, FakeEngineConfig, MethodConfig, UniformMethod, VanillaMethod
from dartune.curation import CurationJob, SetManifest, curate
from dartune.engines.fake import FakeEngine
from dartune.errors import ConfigError, DataError
from dartune.grading import Grader
from dartune.prompts import Template, load_template
from dartune.sampling.job import Job
from dartune.sampling.run import sample_pool
from dartune.types import Query, SamplingParams


def make(pool: Path, out: Path, methods: dict[str, MethodConfig] = METHODS, **config: int) -> dict[str, SetManifest]:
    return curate(pool, make_job(CurationConfig.model_validate(config), methods=methods), out=out)


def test_sets_of_equal_size_and_of_equal_tokens(pool: Path, tmp_path: Path) -> None:
    manifests = make(pool, tmp_path, n_examples=120)
    assert [manifests[name].n_examples for name in ("vrt", "uniform", "prop2diff")] == [120] * 3
    wanted = manifests["prop2diff"].response_tokens
    assert 0 <= wanted - manifests["vrt-tokens"].response_tokens < 2000


def test_a_budget_of_tokens_cuts_the_same_draw(pool: Path, tmp_path: Path) -> None:
    manifests = make(pool, tmp_path / "tokens", n_tokens=20_000)
    for name in ("vrt", "uniform", "prop2diff"):
        assert 0 <= 20_000 - manifests[name].response_tokens < 2_000
    n = manifests["uniform"].n_examples
    make(pool, tmp_path / "examples", n_examples=n)
    by_tokens, by_examples = (
        pq.read_table(tmp_path / out / "uniform" / "train.parquet") for out in ("tokens", "examples")
    )
    assert by_tokens.equals(by_examples)
    with pytest.raises(DataError, match=r"raise curation\.n_tokens"):
        make(pool, tmp_path / "none", n_tokens=1)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_examples": 1, "n_tokens": 1}, "give one of them"),
        ({"teachers": ["a", "a"]}, "teachers: the same name twice"),
        ({"exports": ["dart", "dart"]}, "exports: the same name twice"),
    ],
)
def test_settings_that_do_not_fit_are_refused(config: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CurationConfig.model_validate(config)


def test_dart_covers_what_vanilla_misses(pool: Path, tmp_path: Path) -> None:
    hardest = {name: m.levels[-1] for name, m in make(pool, tmp_path).items()}
    assert hardest["vrt"].n_covered < hardest["uniform"].n_covered == hardest["prop2diff"].n_covered == 12
    assert hardest["vrt"].n_examples < hardest["uniform"].n_examples < hardest["prop2diff"].n_examples


def test_the_files_say_what_the_manifest_says(pool: Path, tmp_path: Path) -> None:
    manifest = make(pool, tmp_path, n_examples=100)["uniform"]
    folder = tmp_path / "uniform"
    rows = pq.read_table(folder / "train.parquet").to_pylist()
    lines = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    chats = pq.read_table(folder / "chat" / "train.parquet").column("messages").to_pylist()
    assert len(rows) == len(lines) == len(chats) == manifest.n_examples == 100
    assert sum(row["n_tokens"] for row in rows) == manifest.response_tokens
    assert lines == [{"prompt": row["prompt"], "completion": row["completion"]} for row in rows]
    assert chats[0][0]["content"] in rows[0]["prompt"]
    assert chats[0][1] == {"role": "assistant", "content": rows[0]["completion"]}
    costs = pq.read_table(folder / "queries.parquet").to_pylist()
    assert sum(row["n_examples"] for row in costs) == 100
    assert all(row["target"] == 4 for row in costs)


def test_a_set_that_is_written_in_parts_reads_the_same(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(pool, tmp_path / "whole")
    monkeypatch.setattr("dartune.curation.export._ROWS_AT_ONCE", 7)
    make(pool, tmp_path / "parts")
    for name in ("train.parquet", "chat/train.parquet", "queries.parquet"):
        whole, parts = (pq.read_table(tmp_path / out / "uniform" / name) for out in ("whole", "parts"))
        assert whole.equals(parts)
    lines = [(tmp_path / out / "uniform" / "train.jsonl").read_bytes() for out in ("whole", "parts")]
    assert lines[0] == lines[1]


def test_levels_that_only_some_queries_have_are_kept(pool: Path, tmp_path: Path) -> None:
    job = CurationJob(
        queries=[*(replace(query, level=None) for query in QUERIES[:-1]), QUERIES[-1]],
        methods={"uniform": METHODS["uniform"]},
        config=CurationConfig(),
        template=load_template("alpaca"),
        seed=1,
    )
    curate(pool, job, out=tmp_path)
    levels = pq.read_table(tmp_path / "uniform" / "train.parquet")["level"].to_pylist()
    assert set(levels) == {None, QUERIES[-1].level}


def test_the_folder_is_a_dataset(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    make(pool, tmp_path / "sets", n_examples=50)
    folder = str(tmp_path / "sets" / "vrt")
    cache = str(tmp_path / "cache")
    assert datasets.load_dataset(folder, split="train", cache_dir=cache).num_rows == 50
    chat = datasets.load_dataset(folder, "chat", split="train", cache_dir=cache)
    assert [message["role"] for message in chat[0]["messages"]] == ["user", "assistant"]


def test_a_set_that_is_current_is_left_alone(pool: Path, tmp_path: Path) -> None:
    first = make(pool, tmp_path, n_examples=50)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert make(pool, tmp_path, n_examples=50) == first
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert make(pool, tmp_path, n_examples=60)["vrt"].n_examples == 60


def test_a_set_whose_prompts_or_levels_changed_is_made_again(pool: Path, tmp_path: Path) -> None:
    def curate_with(queries: list[Query], template: Template) -> None:
        job = CurationJob(
            queries=queries, methods={"vrt": METHODS["vrt"]}, config=CurationConfig(), template=template, seed=1
        )
        curate(pool, job, out=tmp_path)

    chat = Template(name="chat", render=lambda text: f"<old>{text}", separator="")
    curate_with(QUERIES, chat)
    curate_with(QUERIES, replace(chat, render=lambda text: f"<new>{text}"))
    assert pq.read_table(tmp_path / "vrt" / "train.parquet")["prompt"][0].as_py().startswith("<new>")
    curate_with([replace(query, level=9) for query in QUERIES], chat)
    assert set(pq.read_table(tmp_path / "vrt" / "train.parquet")["level"].to_pylist()) == {9}


def test_a_set_that_cannot_reach_the_tokens_it_is_to_match_says_so(pool: Path, tmp_path: Path) -> None:
    few = VanillaMethod(policy="vanilla", n_trials=1, equal_tokens_with="prop2diff")
    manifests = make(pool, tmp_path, {"prop2diff": METHODS["prop2diff"], "few": few})
    missing = manifests["prop2diff"].response_tokens - manifests["few"].response_tokens
    assert manifests["few"].n_missing_tokens == missing > 0
    assert manifests["prop2diff"].n_unfinished == 0


def test_a_pool_that_is_not_sampled_to_its_end_is_noticed(pool: Path, tmp_path: Path) -> None:
    deeper: dict[str, MethodConfig] = {"deeper": UniformMethod(policy="uniform", k=30, max_trials=500)}
    assert make(pool, tmp_path, deeper)["deeper"].n_unfinished > 0


def test_a_set_without_its_manifest_is_made_again(pool: Path, tmp_path: Path) -> None:
    first = make(pool, tmp_path, n_examples=50)
    (tmp_path / "uniform" / "manifest.json").unlink()
    (tmp_path / "uniform" / "train.parquet").write_bytes(b"torn")
    assert make(pool, tmp_path, n_examples=50) == first
    assert pq.read_table(tmp_path / "uniform" / "train.parquet").num_rows == 50


def test_a_set_too_small_says_by_how_much(pool: Path, tmp_path: Path) -> None:
    manifest = make(pool, tmp_path, n_examples=10_000)["vrt"]
    assert manifest.n_missing == 10_000 - manifest.n_examples > 0


def test_a_circle_of_equal_tokens_is_refused(pool: Path, tmp_path: Path) -> None:
    methods: dict[str, MethodConfig] = {
        "a": VanillaMethod(policy="vanilla", n_trials=2, equal_tokens_with="b"),
        "b": VanillaMethod(policy="vanilla", n_trials=2, equal_tokens_with="a"),
    }
    with pytest.raises(ConfigError, match=r"methods\.a\.equal_tokens_with"):
        make(pool, tmp_path, methods)


def test_an_empty_set_is_refused(tmp_path: Path) -> None:
    config = FakeEngineConfig(pass_rates=(0.0,))
    job = Job(
        queries=QUERIES,
        methods={"vrt": METHODS["vrt"]},
        template=load_template("alpaca"),
        params=SamplingParams(),
        seed=5,
    )
    with Grader() as grader:
        sample_pool(job, engine=FakeEngine(config, QUERIES), grader=grader, pool=tmp_path / "pool")
    with pytest.raises(DataError, match="no correct response for method 'vrt'"):
        make(tmp_path / "pool", tmp_path / "sets", {"vrt": METHODS["vrt"]})
