"""A tiny untrained Llama with a word-level tokenizer, a training set and a quick recipe."""

from collections.abc import Callable
from pathlib import Path

import pytest
from training_sets import additions, write_set

from dartune.config import TrainingConfig

WORDS = ["<pad>", "<bos>", "<eos>", "<unk>", "Q", "A", "+", "=", *map(str, range(30))]


@pytest.fixture
def tiny_model(tmp_path: Path) -> Path:
    """Folder of a random model of 0.1 M parameters; its tokenizer puts <bos> before every text."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(WORDS),
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=1,
            max_position_embeddings=64,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
        )
    )
    folder = tmp_path / "base"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def addition_set(tmp_path: Path) -> Path:
    return write_set(tmp_path / "sets" / "vrt", additions(64))


@pytest.fixture
def make_config(tiny_model: Path) -> Callable[..., TrainingConfig]:
    """A quick recipe on the tiny model; keyword arguments change it."""

    def make(**changes: object) -> TrainingConfig:
        quick = {
            "model": str(tiny_model),
            "n_epochs": 2,
            "batch_size": 16,
            "device_batch_size": 16,
            "packing": False,
            "learning_rate": 3e-3,
            "n_threads": 1,
        }
        return TrainingConfig.model_validate(quick | changes)

    return make
