"""Tiny random models with a word-level tokenizer, made in a moment."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

N_WORDS = 40
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
WORDS = tuple(f"w{i}" for i in range(N_WORDS))


def llama_config(**changes: object) -> LlamaConfig:
    """A Llama of four query heads on one key head."""
    settings: dict[str, object] = {
        "vocab_size": len(SPECIAL) + N_WORDS,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "max_position_embeddings": 128,
        # Wide enough that what a token is followed by depends on all that came before.
        "initializer_range": 0.3,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    return LlamaConfig(**(settings | changes))


def save_model(folder: Path, config: PreTrainedConfig | None = None, seed: int = 0) -> PreTrainedModel:
    """Save a random model and its tokenizer in `folder`."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config or llama_config())
    vocabulary = {word: index for index, word in enumerate((*SPECIAL, *WORDS))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()
