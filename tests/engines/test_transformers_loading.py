from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import llama_config, save_model
from transformers import Gemma2Config, MistralConfig, PreTrainedConfig

from dartune.config import TransformersEngineConfig
from dartune.engines.transformers.loading import load
from dartune.errors import ConfigError, ModelError

SMALL = {
    "vocab_size": 44,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}


def load_folder(folder: Path, **changes: object) -> object:
    return load(TransformersEngineConfig(model=str(folder), **changes))


def test_the_identity_is_the_name_and_the_content(tmp_path: Path) -> None:
    save_model(tmp_path / "a" / "tiny")
    save_model(tmp_path / "b" / "tiny")
    save_model(tmp_path / "c" / "tiny", seed=1)
    names = [load_folder(tmp_path / part / "tiny").identity for part in "abc"]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("tiny@")
    assert len(names[0]) == len("tiny@") + 12


def test_end_tokens_come_from_the_generation_config_and_the_tokenizer(tmp_path: Path) -> None:
    save_model(tmp_path, llama_config(eos_token_id=[5, 6]))
    assert load_folder(tmp_path).end_ids == (2, 5, 6)


def test_weights_are_float32_on_cpu_unless_another_type_is_asked_for(tmp_path: Path) -> None:
    save_model(tmp_path).to(torch.bfloat16).save_pretrained(tmp_path)
    assert load_folder(tmp_path, device="cpu").model.dtype == torch.float32
    assert load_folder(tmp_path, device="cpu", dtype="bfloat16").model.dtype == torch.bfloat16


def test_a_sliding_window_ends_the_context(tmp_path: Path) -> None:
    save_model(tmp_path, MistralConfig(**SMALL, sliding_window=64))
    assert load_folder(tmp_path).context == 64


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Gemma2Config(**SMALL, head_dim=8, sliding_window=32), "plain key-value cache"),
        (llama_config(rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}), "dynamic"),
    ],
)
def test_models_that_cannot_be_batched_are_refused(config: PreTrainedConfig, message: str, tmp_path: Path) -> None:
    save_model(tmp_path, config)
    with pytest.raises(ModelError, match=message):
        load_folder(tmp_path)


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json"])
def test_an_incomplete_folder_is_named_with_what_it_lacks(missing: str, tmp_path: Path) -> None:
    save_model(tmp_path / "tiny")
    (tmp_path / "tiny" / missing).unlink()
    with pytest.raises(ModelError) as caught:
        load_folder(tmp_path / "tiny")
    message = str(caught.value)
    assert str(tmp_path / "tiny") in message
    assert missing in message
    assert "\n" not in message


def test_damaged_weights_are_a_model_error(tmp_path: Path) -> None:
    save_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="cannot load"):
        load_folder(tmp_path)


def test_a_checkpoint_that_lacks_a_parameter_is_a_model_error(tmp_path: Path) -> None:
    save_model(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lack model\.norm\.weight"):
        load_folder(tmp_path)


def test_a_folder_without_a_tokenizer_is_a_model_error(tmp_path: Path) -> None:
    save_model(tmp_path)
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_folder(tmp_path)


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_is_a_config_error(device: str, tmp_path: Path) -> None:
    save_model(tmp_path)
    with pytest.raises(ConfigError, match=r"engine\.device"):
        load_folder(tmp_path, device=device)
