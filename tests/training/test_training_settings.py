"""Adapters, equal steps, long examples, new tokens, half precision, trackers, and what goes wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_sets import additions, write_set
from transformers import AutoModelForCausalLM, AutoTokenizer

from dartune.config import TrainingConfig
from dartune.errors import ConfigError
from dartune.training import train
from dartune.training.rows import IGNORED, Window, read_rows
from dartune.training.sft import StepProgress
from dartune.training.speed import ModelSize, flops_per_token, peak_flops

MakeConfig = Callable[..., TrainingConfig]


def test_adapters_are_trained_alone_and_merged(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, tiny_model: Path
) -> None:
    config = make_config(lora={"rank": 4, "alpha": 8, "target": ["q_proj", "v_proj"]}, learning_rate=3e-2, n_epochs=4)
    losses: list[float] = []
    train(config, set_dir=addition_set, out=tmp_path / "out", seed=0, progress=lambda step: losses.append(step.loss))
    assert losses[-1] < 0.9 * losses[0]
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (tmp_path / "out", tiny_model))
    assert ours.keys() == theirs.keys()
    changed = {name for name in theirs if not torch.equal(ours[name], theirs[name])}
    assert {name.split(".")[-2] for name in changed} == {"q_proj", "v_proj"}
    adapter = load_file(tmp_path / "out" / "adapter" / "adapter_model.safetensors")
    assert {weight.shape[0] for name, weight in adapter.items() if "lora_A" in name} == {4}


def test_adapters_go_on_from_a_checkpoint(tmp_path: Path, make_config: MakeConfig, addition_set: Path) -> None:
    config = make_config(lora={"rank": 4, "alpha": 8}, checkpoint_every=3)

    def interrupt(progress: StepProgress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, set_dir=addition_set, out=tmp_path / "out", seed=0, progress=interrupt)
    resumed = train(config, set_dir=addition_set, out=tmp_path / "out", seed=0)
    whole = train(config, set_dir=addition_set, out=tmp_path / "whole", seed=0)
    assert resumed.final_loss == whole.final_loss


def test_layers_that_the_model_lacks_are_named(tmp_path: Path, make_config: MakeConfig, addition_set: Path) -> None:
    with pytest.raises(ConfigError, match=r"training\.lora\.target: .*no_such_layer"):
        train(make_config(lora={"target": ["no_such_layer"]}), set_dir=addition_set, out=tmp_path / "o", seed=0)


@pytest.mark.parametrize("n_examples", [20, 64])
def test_equal_steps_whatever_the_size_of_the_set(tmp_path: Path, make_config: MakeConfig, n_examples: int) -> None:
    set_dir = write_set(tmp_path / "set", additions(n_examples))
    assert train(make_config(n_steps=5), set_dir=set_dir, out=tmp_path / "out", seed=0).n_steps == 5


def test_long_examples_are_cut_only_where_that_is_asked_for(tmp_path: Path, tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    pairs = [("Q 1 A", "= 1"), ("Q 2 A", "= 1 1 1 1 1 1"), ("Q 1 1 1 1 1 1 1 1 A", "= 1")]
    set_dir = write_set(tmp_path / "set", pairs)
    dropped = read_rows(set_dir, tokenizer, Window(max_length=8))
    assert (dropped.n_examples, dropped.n_too_long, dropped.n_truncated) == (1, 2, 0)
    cut = read_rows(set_dir, tokenizer, Window(max_length=8, too_long="truncate"))
    assert (cut.n_examples, cut.n_too_long, cut.n_truncated) == (2, 1, 1)
    whole, shortened = cut.table["labels"].to_pylist()
    assert whole[-1] == tokenizer.eos_token_id
    assert len(shortened) == 8
    assert tokenizer.eos_token_id not in shortened, "a cut example does not teach to stop"
    assert shortened[:4] == [IGNORED] * 4


def test_new_tokens_get_embeddings_near_the_mean(tmp_path: Path, make_config: MakeConfig, tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.add_tokens(["<think>"])
    tokenizer.save_pretrained(tiny_model)
    set_dir = write_set(tmp_path / "set", [("Q 1 A", "<think> = 1")] * 16)
    report = train(make_config(), set_dir=set_dir, out=tmp_path / "out", seed=0)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.get_input_embeddings().num_embeddings == model.config.vocab_size == 64
    assert torch.isfinite(model.get_input_embeddings().weight).all()
    assert report.final_loss < 5
    assert AutoTokenizer.from_pretrained(tmp_path / "out").convert_tokens_to_ids("<think>") == 38


@pytest.mark.parametrize("changes", [{"dtype": "bfloat16"}, {"gradient_checkpointing": True}])
@pytest.mark.parametrize("packing", [False, True])
def test_half_precision_and_recomputation_learn_the_same(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, changes: dict[str, object], packing: bool
) -> None:
    usual = make_config(packing=packing, max_length=64, batch_size=4, device_batch_size=2)
    plain = train(usual, set_dir=addition_set, out=tmp_path / "plain", seed=0)
    other = train(usual.model_copy(update=changes), set_dir=addition_set, out=tmp_path / "other", seed=0)
    assert other.final_loss == pytest.approx(plain.final_loss, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"report_to": ("wnadb",)}, r"training\.report_to: expected trackers among .*wandb, got 'wnadb'"),
        ({"report_to": ("neptune",)}, r"training\.report_to: neptune is not installed; mend it with: pip install nept"),
        ({"liger_kernels": True}, r"training\.liger_kernels: "),
        ({"attention": "flash_attention_2"}, r"training\.attention: 'flash_attention_2' cannot be used here"),
        ({"attention": "per_example"}, r"training\.attention: 'per_example' is for packed rows"),
    ],
)
def test_what_cannot_be_used_here_is_one_clear_line(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        train(make_config(**changes), set_dir=addition_set, out=tmp_path / "out", seed=0)
    assert "\n" not in str(caught.value)


def test_out_of_memory_says_what_to_lower(tmp_path: Path, make_config: MakeConfig, addition_set: Path) -> None:
    def fail(progress: StepProgress) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(
        ConfigError, match=r"lower training\.device_batch_size \(now 16\), or set .*checkpointing = true"
    ):
        train(make_config(), set_dir=addition_set, out=tmp_path / "out", seed=0, progress=fail)


def test_the_folder_says_what_the_model_was_made_from(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path
) -> None:
    out = tmp_path / "out"
    report = train(make_config(packing=True, max_length=64), set_dir=addition_set, out=out, seed=3, recipe_hash="abc")
    record = json.loads((out / "training.json").read_text())
    assert record["recipe_hash"] == "abc"
    assert (out / "manifest.json").read_text() == (addition_set / "manifest.json").read_text()
    card = (out / "README.md").read_text()
    assert f"| Training hash | {record['training_hash']} |" in card
    assert "| Recipe hash | abc |" in card
    assert f"| Examples | {report.n_examples} |" in card
    assert 0.9 < report.fill <= 1
    assert record["log_history"][0]["tokens_per_s"] > 0


def test_arithmetic_of_a_model() -> None:
    size = ModelSize(n_block_weights=100, n_head_weights=10, n_layers=2, attention_width=8)
    # Two examples of 3 tokens, 2 of them with loss in each.
    flops = flops_per_token(size, n_tokens=6, n_learnt=4, n_squared=18)
    assert flops == pytest.approx((6 * (100 * 6 + 10 * 4) + 6 * 2 * 8 * 18) / 6)
    assert peak_flops("NVIDIA H200") == peak_flops("NVIDIA H100 80GB HBM3") == 989e12
    assert peak_flops("NVIDIA A100-SXM4-80GB") == 312e12
    assert peak_flops("NVIDIA L4") == 121e12
    assert peak_flops("an abacus") is None
