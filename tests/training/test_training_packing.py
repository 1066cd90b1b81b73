"""Packing joins whole examples into rows without letting them see each other."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from training_sets import additions, write_set

from dartune.config import TrainingConfig
from dartune.training.rows import IGNORED, read_rows
from dartune.training.sft import Base, Job, load_base, new_trainer

MakeConfig = Callable[..., TrainingConfig]


def trainer_of(config: TrainingConfig, set_dir: Path, folder: Path, attention: str = "sdpa") -> tuple[Base, object]:
    base = load_base(config.model)
    base.model.set_attn_implementation(attention)
    rows = read_rows(set_dir, base.tokenizer, config.max_length)
    return base, new_trainer(base, rows, Job(config=config, seed=0, folder=folder, progress=None))


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
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
        for start, end in pairwise(starts):
            alone = base.model(input_ids=batch["input_ids"][:, start:end]).logits[0]
            torch.testing.assert_close(together[start:end], alone, rtol=0, atol=2e-6)
            assert labels[0, start] == IGNORED
        # The check above can fail: without positions the examples do see each other.
        mixed = base.model(input_ids=batch["input_ids"]).logits[0]
    assert (mixed - together)[starts[1] :].abs().max() > 1e-2


def test_packed_and_padded_batches_have_the_same_loss_and_gradients(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path
) -> None:
    gradients, losses = [], []
    for packing, at_once in ((False, 64), (False, 8), (True, 1), (True, 3)):
        config = make_config(
            packing=packing, max_length=64, device_batch_size=at_once, batch_size=72 if packing else 64, n_epochs=1
        )
        base, trainer = trainer_of(config, addition_set, tmp_path / "c")
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
    rows = read_rows(set_dir, base.tokenizer, 40)
    packed = []
    for row in trainer.train_dataset:
        assert len(row["input_ids"]) <= 40
        ends = torch.tensor(row["seq_lengths"]).cumsum(0).tolist()
        packed += [tuple(row["input_ids"][a:b]) for a, b in pairwise([0, *ends])]
    assert sorted(packed) == sorted(map(tuple, rows.table["input_ids"].to_pylist()))
    assert len(packed) == 300 > 3 * len(trainer.train_dataset)


def test_masked_prompt_and_end_token_reach_the_loss(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path
) -> None:
    for packing in (False, True):
        _, trainer = trainer_of(make_config(packing=packing, max_length=64), addition_set, tmp_path / "c")
        for batch in trainer.get_train_dataloader():
            learnt = batch["labels"][batch["labels"] != IGNORED]
            n_examples = int((batch["input_ids"] == 1).sum())
            assert int((learnt == 2).sum()) == n_examples
            assert len(learnt) == 3 * n_examples
            assert not set(learnt.tolist()) & {0, 1, 4, 5, 6}
