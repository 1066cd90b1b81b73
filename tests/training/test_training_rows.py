"""What a set becomes: exact ids, masked prompts, end tokens with loss, and clear errors."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from training_sets import additions, write_set
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from dartune.errors import DataError, ModelError
from dartune.training.rows import IGNORED, Window, read_rows


@pytest.fixture
def tokenizer(tiny_model: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_model)


def test_a_row_is_prompt_completion_and_end(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    rows = read_rows(write_set(tmp_path / "set", [("Q 1 + 2 A", "= 3")]), tokenizer, Window(max_length=64))
    (ids,) = rows.table["input_ids"].to_pylist()
    (labels,) = rows.table["labels"].to_pylist()
    prompt = tokenizer("Q 1 + 2 A")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["<bos>", "Q", "1", "+", "2", "A", "=", "3", "<eos>"]
    assert labels == [IGNORED] * len(prompt) + ids[len(prompt) :]
    assert (rows.n_examples, rows.n_prompt_tokens, rows.n_completion_tokens) == (1, 6, 3)


def test_tokens_never_merge_across_the_boundary(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    vocab = {"a": 0, "b": 1, "ab": 2, "</s>": 3}
    merging = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE(vocab, [("a", "b")])), eos_token="</s>")
    assert merging("ab")["input_ids"] == [2]
    rows = read_rows(write_set(tmp_path / "set", [("a", "b")]), merging, Window(max_length=64))
    assert rows.table["input_ids"].to_pylist() == [[0, 1, 3]]
    assert rows.table["labels"].to_pylist() == [[IGNORED, 1, 3]]


def test_end_token_keeps_its_loss_where_it_also_pads(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.pad_token = tokenizer.eos_token
    rows = read_rows(write_set(tmp_path / "set", additions(5)), tokenizer, Window(max_length=64))
    assert all(labels[-1] == tokenizer.eos_token_id for labels in rows.table["labels"].to_pylist())


def test_too_long_examples_are_left_out_and_counted(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    pairs = [("Q 1 A", "= 1"), ("Q 1 A", "= " + "1 " * 30), ("Q 2 A", "= 2")]
    rows = read_rows(write_set(tmp_path / "set", pairs), tokenizer, Window(max_length=7))
    assert (rows.n_examples, rows.n_too_long) == (2, 1)
    assert read_rows(tmp_path / "set", tokenizer, Window(max_length=36)).n_too_long == 0
    assert read_rows(tmp_path / "set", tokenizer, Window(max_length=35)).n_too_long == 1
    with pytest.raises(DataError, match=r"all 3 examples have more than 6 tokens; raise training.max_length"):
        read_rows(tmp_path / "set", tokenizer, Window(max_length=6))


def test_an_empty_set_is_refused(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(DataError, match=r"train\.parquet: the set is empty"):
        read_rows(write_set(tmp_path / "set", []), tokenizer, Window(max_length=64))


@pytest.mark.parametrize("missing", ["train.parquet", "manifest.json"])
def test_an_unfinished_set_is_refused(tmp_path: Path, tokenizer: PreTrainedTokenizerBase, missing: str) -> None:
    folder = write_set(tmp_path / "set", additions(2))
    (folder / missing).unlink()
    with pytest.raises(DataError, match=f"{missing}: no such file"):
        read_rows(folder, tokenizer, Window(max_length=64))


def test_missing_or_mistyped_columns_and_nulls_are_named(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({}))
    file = tmp_path / "train.parquet"
    pq.write_table(pa.table({"prompt": ["Q"], "response": ["A"]}), file)
    with pytest.raises(DataError, match=r"column 'completion' is missing; got prompt, response"):
        read_rows(tmp_path, tokenizer, Window(max_length=64))
    pq.write_table(pa.table({"prompt": ["Q"], "completion": [3]}), file)
    with pytest.raises(DataError, match=r"column 'completion': expected text, got int64"):
        read_rows(tmp_path, tokenizer, Window(max_length=64))
    pq.write_table(pa.table({"prompt": ["Q", "Q"], "completion": ["= 3", None]}), file)
    with pytest.raises(DataError, match=r"row 1: completion: expected text, got null"):
        read_rows(tmp_path, tokenizer, Window(max_length=64))
    file.write_bytes(b"not parquet")
    with pytest.raises(DataError, match=r"train\.parquet: not a readable Parquet file"):
        read_rows(tmp_path, tokenizer, Window(max_length=64))


def test_a_tokenizer_without_end_token_is_refused(tmp_path: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.eos_token = None
    with pytest.raises(ModelError, match="no end token"):
        read_rows(write_set(tmp_path / "set", additions(2)), tokenizer, Window(max_length=64))
