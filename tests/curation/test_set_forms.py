import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from curation.sampled_pools import QUERIES, make_job
from dartune.adapters.trl import math_reward
from dartune.adapters.verl import compute_score
from dartune.config import CurationConfig
from dartune.curation import SetManifest, curate

ALL = ("alpaca", "dart", "grpo", "verl")


def export(pool: Path, out: Path, *names: str, **config: object) -> SetManifest:
    settings = CurationConfig.model_validate({"exports": names, **config})
    return curate(pool, make_job(settings), out=out)["uniform"]


def test_alpaca_and_dart_hold_the_bare_texts(pool: Path, tmp_path: Path) -> None:
    manifest = export(pool, tmp_path, "alpaca", "dart")
    folder = tmp_path / "uniform"
    chats = pq.read_table(folder / "chat" / "train.parquet")["messages"].to_pylist()
    pairs = pq.read_table(folder / "dart" / "train.parquet").to_pylist()
    lines = [json.loads(line) for line in (folder / "alpaca" / "train.jsonl").read_text().splitlines()]
    assert len(pairs) == len(lines) == manifest.n_examples
    for chat, pair, line in zip(chats, pairs, lines, strict=True):
        assert pair == {"query": chat[0]["content"], "response": chat[1]["content"]}
        assert line == {"instruction": pair["query"], "input": "", "output": pair["response"]}


def test_prompts_for_rl_have_pass_rates_in_the_band(pool: Path, tmp_path: Path) -> None:
    everything = export(pool, tmp_path / "all", "grpo")
    rows = pq.read_table(tmp_path / "all" / "uniform" / "grpo" / "train.parquet").to_pylist()
    assert len(rows) == everything.n_prompts == len(QUERIES)
    assert all(row["query"] in row["prompt"] and row["solution"] == f"$\\boxed{{{row['ref_answer']}}}$" for row in rows)
    stopped = pq.read_table(tmp_path / "all" / "uniform" / "queries.parquet").to_pylist()
    for row, query in zip(rows, stopped, strict=True):
        n, c = query["n_raw"], query["n_correct"]
        assert row["pass_rate"] == ((c - 1) / (n - 1) if c == 4 else c / n)
    band = {"least": 0.2, "most": 0.6}
    some = export(pool, tmp_path / "some", "grpo", pass_rates=band)
    kept = pq.read_table(tmp_path / "some" / "uniform" / "grpo" / "train.parquet")["pass_rate"].to_pylist()
    assert kept == [row["pass_rate"] for row in rows if 0.2 <= row["pass_rate"] <= 0.6]
    assert 0 < some.n_prompts == len(kept) < len(rows)


def test_rows_for_grpo_are_rewarded_by_the_adapter(pool: Path, tmp_path: Path) -> None:
    export(pool, tmp_path, "grpo")
    row = pq.read_table(tmp_path / "uniform" / "grpo" / "train.parquet").to_pylist()[7]
    columns = {name: [value] * 2 for name, value in row.items() if name != "prompt"}
    assert math_reward()(completions=[r"So \boxed{7}", r"So \boxed{8}"], **columns) == [1.0, 0.0]


def test_rows_for_verl_are_scored_by_the_adapter(pool: Path, tmp_path: Path) -> None:
    export(pool, tmp_path, "verl")
    row = pq.read_table(tmp_path / "uniform" / "verl" / "train.parquet").to_pylist()[7]
    assert list(row) == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    assert row["prompt"] == [{"role": "user", "content": QUERIES[7].text}]
    assert row["reward_model"] == {"style": "rule", "ground_truth": "7"}
    assert (row["extra_info"]["index"], row["extra_info"]["query_id"]) == (7, QUERIES[7].id)
    for response, score in ((r"So \boxed{7}", 1.0), (r"So \boxed{8}", 0.0)):
        scored = compute_score(row["data_source"], response, row["reward_model"]["ground_truth"], row["extra_info"])
        assert scored["score"] == score


def test_no_prompt_is_asked_by_a_benchmark(pool: Path, tmp_path: Path) -> None:
    job = make_job(CurationConfig(exports=("verl",)), benchmarks={"test": QUERIES[:5]})
    assert curate(pool, job, out=tmp_path)["uniform"].n_prompts == len(QUERIES) - 5
    rows = pq.read_table(tmp_path / "uniform" / "verl" / "train.parquet").to_pylist()
    assert not {query.id for query in QUERIES[:5]} & {row["extra_info"]["query_id"] for row in rows}


def test_the_card_names_every_form_and_its_numbers(pool: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    manifest = export(pool, tmp_path / "sets", *ALL)
    folder = tmp_path / "sets" / "uniform"
    card = (folder / "README.md").read_text()
    assert f"{manifest.n_examples:,} examples with {manifest.response_tokens:,} response tokens" in card
    sizes = {
        name: datasets.load_dataset(str(folder), name, split="train", cache_dir=str(tmp_path / "cache")).num_rows
        for name in ("prompt-completion", "chat", *ALL)
    }
    n = manifest.n_examples
    assert sizes == {"prompt-completion": n, "chat": n, "alpaca": n, "dart": n, "grpo": 60, "verl": 60}


def test_forms_that_are_no_longer_asked_for_go(pool: Path, tmp_path: Path) -> None:
    export(pool, tmp_path, "alpaca", "dart")
    export(pool, tmp_path, "dart")
    assert (tmp_path / "uniform" / "dart").exists()
    assert not (tmp_path / "uniform" / "alpaca").exists()


def test_a_band_upside_down_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"least \(0\.9\) must not be more than most \(0\.1\)"):
        CurationConfig.model_validate({"pass_rates": {"least": 0.9, "most": 0.1}})
