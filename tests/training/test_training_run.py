"""The whole training of a tiny model: what it leaves, what it refuses, what it repeats."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_sets import additions, write_set
from transformers import AutoModelForCausalLM, AutoTokenizer

from dartune.config import TrainingConfig
from dartune.errors import ConfigError, DataError, ModelError
from dartune.training import is_trained, train

MakeConfig = Callable[..., TrainingConfig]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same_weights(left: Path, right: Path) -> bool:
    ours, theirs = weights(left), weights(right)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_training_leaves_a_loadable_model_and_its_record(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config, out = make_config(n_epochs=8), tmp_path / "out"
    steps = []
    assert not is_trained(out, config, set_dir=addition_set, seed=3)
    report = train(config, set_dir=addition_set, out=out, seed=3, progress=steps.append)
    assert capfd.readouterr() == ("", "")

    assert [step.step for step in steps] == list(range(1, 33))
    assert {step.n_steps for step in steps} == {32}
    assert steps[-1].learning_rate < steps[5].learning_rate <= config.learning_rate
    assert steps[0].loss > 3 > 2 > report.final_loss
    assert report.final_loss == pytest.approx(sum(step.loss for step in steps[-3:]) / 3)
    assert (report.n_examples, report.n_too_long, report.n_steps) == (64, 0, 32)
    assert report.n_completion_tokens == 64 * 3
    assert report.tokens_per_s == pytest.approx(
        8 * (report.n_prompt_tokens + report.n_completion_tokens) / report.seconds
    )
    record = json.loads((out / "training.json").read_text())
    assert record["report"]["final_loss"] == report.final_loss
    assert len(record["log_history"]) == 32
    assert not (out / "checkpoints").exists()
    assert not (out / "training_args.bin").exists()
    model = AutoModelForCausalLM.from_pretrained(out)
    assert model.generation_config.eos_token_id == 2
    assert model.dtype == torch.float32
    assert AutoTokenizer.from_pretrained(out)("Q 1")["input_ids"] == [1, 4, 9]
    assert is_trained(out, config, set_dir=addition_set, seed=3)


def test_a_finished_training_is_not_repeated(tmp_path: Path, make_config: MakeConfig, addition_set: Path) -> None:
    config, out = make_config(n_epochs=1), tmp_path / "out"
    first = train(config, set_dir=addition_set, out=out, seed=0)
    written = (out / "model.safetensors").stat().st_mtime_ns
    steps: list[object] = []
    changed = config.model_copy(update={"n_threads": 2, "checkpoint_every": 7})
    assert train(changed, set_dir=addition_set, out=out, seed=0, progress=steps.append) == first
    assert not steps
    assert (out / "model.safetensors").stat().st_mtime_ns == written


def test_the_seed_decides_the_weights(tmp_path: Path, make_config: MakeConfig, addition_set: Path) -> None:
    config = make_config(n_epochs=1)
    outs = [tmp_path / name for name in ("a", "b", "c")]
    for out, seed in zip(outs, (1, 1, 2), strict=True):
        train(config, set_dir=addition_set, out=out, seed=seed)
    assert same_weights(outs[0], outs[1])
    assert not same_weights(outs[0], outs[2])


def test_a_folder_of_another_training_is_refused(tmp_path: Path, make_config: MakeConfig, addition_set: Path) -> None:
    config, out = make_config(n_epochs=1), tmp_path / "out"
    train(config, set_dir=addition_set, out=out, seed=0)
    with pytest.raises(ConfigError, match=r"holds another training \(seed differ; seed: expected 1, got 0\)"):
        train(config, set_dir=addition_set, out=out, seed=1)
    slower = config.model_copy(update={"learning_rate": 1e-4})
    with pytest.raises(ConfigError, match=r"learning_rate: expected 0\.0001, got 0\.003"):
        train(slower, set_dir=addition_set, out=out, seed=0)
    other = write_set(tmp_path / "sets" / "other", additions(64, seed=1))
    with pytest.raises(ConfigError, match=r"\(set differ"):
        train(config, set_dir=other, out=out, seed=0)
    assert not is_trained(out, slower, set_dir=addition_set, seed=0)
    assert not is_trained(out, config, set_dir=other, seed=0)


def test_bad_input_leaves_nothing_claimed(tmp_path: Path, make_config: MakeConfig, addition_set: Path) -> None:
    out = tmp_path / "out"
    empty = write_set(tmp_path / "sets" / "empty", [])
    with pytest.raises(DataError, match="the set is empty"):
        train(make_config(), set_dir=empty, out=out, seed=0)
    with pytest.raises(DataError, match="all 64 examples have more than 4 tokens"):
        train(make_config(max_length=4), set_dir=addition_set, out=out, seed=0)
    with pytest.raises(ConfigError, match=r"batch_size: expected a multiple of 5 \(device_batch_size 5 x 1 devices\)"):
        train(make_config(device_batch_size=5), set_dir=addition_set, out=out, seed=0)
    config = make_config(n_epochs=1)
    assert train(config, set_dir=addition_set, out=out, seed=0).n_steps == 4


def test_examples_beyond_the_models_context_are_left_out(tmp_path: Path, make_config: MakeConfig) -> None:
    pairs = [*additions(15), ("Q 1 A", "= " + "1 " * 70)]
    report = train(make_config(n_epochs=1), set_dir=write_set(tmp_path / "set", pairs), out=tmp_path / "out", seed=0)
    assert (report.n_examples, report.n_too_long) == (15, 1)


def test_a_base_without_weights_is_refused(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, tiny_model: Path
) -> None:
    (tiny_model / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"base: no weights; expected model\.safetensors"):
        train(make_config(), set_dir=addition_set, out=tmp_path / "out", seed=0)


def test_a_damaged_base_is_refused(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, tiny_model: Path
) -> None:
    (tiny_model / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(ModelError, match="transformers cannot load it") as caught:
        train(make_config(), set_dir=addition_set, out=tmp_path / "out", seed=0)
    assert "\n" not in str(caught.value)
