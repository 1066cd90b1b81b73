"""Packing joins whole examples into rows without letting them see each other."""

import gzip
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import transformers
from hypothesis import given
from hypothesis import strategies as st
from training_sets import additions, write_set
from transformers import AttentionInterface
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from dartune.config import TrainingConfig
from dartune.errors import ConfigError
from dartune.training.arguments import new_arguments
from dartune.training.attention import PER_EXAMPLE, check_apart, per_example_attention, set_attention
from dartune.training.base import Base, load_base
from dartune.training.packing import best_fit
from dartune.training.rows import IGNORED, Window, read_rows
from dartune.training.sft import Job, fine_tune, new_trainer

MakeConfig = Callable[..., TrainingConfig]


def trainer_of(config: TrainingConfig, set_dir: Path, folder: Path, attention: str = "auto") -> tuple[Base, object]:
    config = config.model_copy(update={"attention": attention})
    base = load_base(config.model, config, seed=0)
    rows = read_rows(set_dir, base.tokenizer, Window(max_length=config.max_length))
    job = Job(config=config, seed=0, folder=folder, progress=None)
    return base, new_trainer(base, rows, job, new_arguments(config, seed=0, folder=folder))


@pytest.mark.parametrize("attention", ["auto", "sdpa", "eager"])
def test_a_packed_row_gives_the_logits_of_each_example_alone(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, attention: str
) -> None:
    config = make_config(packing=True, max_length=64, device_batch_size=2, batch_size=2)
    base, trainer = trainer_of(config, addition_set, tmp_path / "c", attention)
    batch = next(iter(trainer.get_train_dataloader()))
    starts = [*(batch["position_ids"][0] == 0).nonzero().flatten().tolist(), batch["input_ids"].shape[1]]
    assert len(starts) > 8
    with torch.no_grad():
        labels = batch.pop("labels")
        together = base.model(**batch).logits[0]
        # "auto" is for packed rows alone.
        base.model.set_attn_implementation("sdpa" if attention == "auto" else attention)
        for start, end in pairwise(starts):
            alone = base.model(input_ids=batch["input_ids"][:, start:end]).logits[0]
            torch.testing.assert_close(together[start:end], alone, rtol=0, atol=2e-6)
            assert labels[0, start] == IGNORED
        # The check above can fail: without positions the examples do see each other.
        mixed = base.model(input_ids=batch["input_ids"]).logits[0]
    assert (mixed - together)[starts[1] :].abs().max() > 1e-2


@pytest.mark.parametrize("attention", ["auto", "sdpa", "eager"])
def test_packed_and_padded_batches_have_the_same_loss_and_gradients(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, attention: str
) -> None:
    gradients, losses = [], []
    for packing, at_once in ((False, 64), (False, 8), (True, 1), (True, 3)):
        config = make_config(
            packing=packing, max_length=64, device_batch_size=at_once, batch_size=72 if packing else 64, n_epochs=1
        )
        base, trainer = trainer_of(config, addition_set, tmp_path / "c", attention)
        trainer.create_optimizer()
        batches = list(trainer.get_train_dataloader())
        samples, n_items = trainer.get_batch_samples(iter(batches), len(batches), torch.device("cpu"))
        losses.append(sum(trainer.training_step(base.model, sample, n_items).item() for sample in samples))
        gradients.append(torch.cat([weight.grad.flatten() for weight in base.model.parameters()]))
    for loss, gradient in zip(losses[1:], gradients[1:], strict=True):
        assert loss == pytest.approx(losses[0], rel=1e-5)
        torch.testing.assert_close(gradient, gradients[0], rtol=1e-4, atol=1e-6)


def test_packing_keeps_every_example_whole(tmp_path: Path, make_config: MakeConfig) -> None:
    set_dir = write_set(tmp_path / "set", additions(300))
    config = make_config(packing=True, max_length=40)
    base, trainer = trainer_of(config, set_dir, tmp_path / "c")
    rows = read_rows(set_dir, base.tokenizer, Window(max_length=40))
    packed = []
    for row in trainer.train_dataset.select(range(trainer.n_rows)):
        assert len(row["input_ids"]) <= 40
        ends = torch.tensor(row["seq_lengths"]).cumsum(0).tolist()
        packed += [tuple(row["input_ids"][a:b]) for a, b in pairwise([0, *ends])]
    assert sorted(packed) == sorted(map(tuple, rows.table["input_ids"].to_pylist()))
    assert len(packed) == 300 > 3 * trainer.n_rows
    fillers = trainer.train_dataset.select(range(trainer.n_rows, trainer.n_filled_rows))
    assert {tuple(row["labels"]) for row in fillers} == {(IGNORED,)}
    assert trainer.n_filled_rows % config.batch_size == 0


def test_masked_prompt_and_end_token_reach_the_loss(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path
) -> None:
    for packing in (False, True):
        _, trainer = trainer_of(make_config(packing=packing, max_length=64), addition_set, tmp_path / "c")
        for batch in trainer.get_train_dataloader():
            learnt = batch["labels"][batch["labels"] != IGNORED]
            n_examples = int((batch["input_ids"] == 1).sum())
            assert int((learnt == 2).sum()) == n_examples > 0
            assert len(learnt) == 3 * n_examples
            assert not set(learnt.tolist()) & {0, 1, 4, 5, 6}


def leaky_attention(
    module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: object, **kwargs: object
) -> tuple[torch.Tensor, None]:
    """Causal over the whole row, as an implementation that does not know of packing would be."""
    heads = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(heads, 1), value.repeat_interleave(heads, 1)
    return F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2), None


def test_attention_that_lets_examples_see_each_other_is_refused(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path
) -> None:
    AttentionInterface.register("leaky", leaky_attention)
    config = make_config(packing=True, max_length=64)
    base, trainer = trainer_of(config, addition_set, tmp_path / "c")
    check_apart(base.model, trainer.data_collator)
    base.model.set_attn_implementation("leaky")
    with pytest.raises(ConfigError, match=r"'leaky' of transformers .* see each other in LlamaForCausalLM") as caught:
        fine_tune(base, trainer, Job(config=config, seed=0, folder=tmp_path / "c", progress=None))
    assert "\n" not in str(caught.value)
    base.model.train()
    with pytest.raises(ConfigError):
        check_apart(base.model, trainer.data_collator)
    assert base.model.training, "the check leaves the model as it was"


def test_a_sliding_window_is_kept_within_each_example() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, 20, 8) for _ in range(3))
    places = torch.arange(20)
    is_causal = places[:, None] >= places[None, :]
    is_near = places[:, None] - places[None, :] < 4
    is_same = (places[:, None] < 13) == (places[None, :] < 13)
    ours, _ = per_example_attention(
        torch.nn.Module(), query, key, value, None, cu_seq_lens_q=torch.tensor([0, 13, 20]), sliding_window=4
    )
    dense = F.scaled_dot_product_attention(query, key, value, attn_mask=is_causal & is_near & is_same)
    torch.testing.assert_close(ours, dense.transpose(1, 2))


@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=200))
def test_best_fit_places_every_example_once_and_leaves_little_room(lengths: list[int]) -> None:
    rows = best_fit(lengths, 50)
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    filled = [sum(lengths[index] for index in row) for row in rows]
    assert max(filled) <= 50
    # No two rows could be one: the later one would have gone into the earlier one's room.
    assert all(a + b > 50 for i, a in enumerate(filled) for b in filled[:i])


def test_rows_are_full_where_examples_are_short() -> None:
    lengths = np.random.default_rng(0).lognormal(5.3, 0.6, 20_000).clip(1, 4096).astype(int).tolist()
    rows = best_fit(lengths, 4096)
    assert sum(lengths) / (4096 * len(rows)) > 0.99
    assert len(rows) - -(-sum(lengths) // 4096) <= 2


def untrained(family: str) -> transformers.PreTrainedModel:
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=97, hidden_size=64, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, head_dim=16, sliding_window=8, pad_token_id=0,
    )  # fmt: skip
    return transformers.AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize(
    ("family", "attention"),
    [
        ("Llama", PER_EXAMPLE),
        ("Mistral", PER_EXAMPLE),
        ("Qwen2", PER_EXAMPLE),
        ("Qwen3", PER_EXAMPLE),
        ("Gemma2", "eager"),
        ("Gemma3Text", PER_EXAMPLE),
        ("Phi3", PER_EXAMPLE),
        ("Mixtral", PER_EXAMPLE),
        ("GPTNeoX", PER_EXAMPLE),
    ],
)
def test_families_that_keep_examples_apart(family: str, attention: str) -> None:
    model = untrained(family)
    set_attention(model, TrainingConfig(model="none"), in_half=False)
    assert model.config._attn_implementation == attention
    check_apart(model, DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True))


@pytest.mark.parametrize("family", ["Mamba", "Bloom"])
def test_families_that_let_examples_see_each_other_are_refused(family: str) -> None:
    model = untrained(family)
    set_attention(model, TrainingConfig(model="none"), in_half=False)
    with pytest.raises(ConfigError, match=f"see each other in {family}ForCausalLM"):
        check_apart(model, DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True))


@pytest.mark.data
def test_rows_of_real_solutions_are_full(data_dir: Path) -> None:
    lengths = []
    for name in ("gsm8k_train", "math_test"):
        with gzip.open(data_dir / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            # A token of English and mathematics has about three and a half characters.
            lengths += [len(row["query"] + row["solution"]) * 2 // 7 + 1 for row in map(json.loads, file)]
    rows = best_fit(lengths, 4096)
    assert sum(lengths) / (4096 * len(rows)) > 0.99
