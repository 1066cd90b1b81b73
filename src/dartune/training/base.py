"""The model that a training starts from, ready to be trained."""

from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dartune.config import TrainingConfig
from dartune.errors import ModelError
from dartune.training.attention import set_attention
from dartune.training.speed import ModelSize

_EMBEDDINGS_MULTIPLE = 64
"""New embeddings come in this multiple, so that matrix products keep shapes that devices are fast at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The model that training starts from."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stored_dtype: torch.dtype
    """Type of the weights on disk; they are trained in float32 and saved in this type."""
    context: int | None
    """Longest sequence that the model's configuration allows, where it says."""

    @property
    def size(self) -> ModelSize:
        """What decides the model's arithmetic."""
        shape = self.model.config.get_text_config()
        n_embeddings = shape.vocab_size * shape.hidden_size
        # Where DeepSpeed has spread a weight over processes, what is here of it is empty.
        n_all = sum(getattr(weight, "ds_numel", weight.numel()) for weight in self.model.parameters())
        is_tied = bool(shape.tie_word_embeddings)
        head_dim = getattr(shape, "head_dim", None) or shape.hidden_size // shape.num_attention_heads
        return ModelSize(
            n_block_weights=n_all - (1 if is_tied else 2) * n_embeddings,
            n_head_weights=n_embeddings,
            n_layers=shape.num_hidden_layers,
            attention_width=shape.num_attention_heads * head_dim,
        )


def trains_in_half(config: TrainingConfig) -> bool:
    """Whether matrix products are made in bfloat16; weights and the optimizer's state stay float32."""
    on_gpu = torch.cuda.is_available()
    return config.dtype == "bfloat16" or (config.dtype == "auto" and on_gpu and torch.cuda.is_bf16_supported())


def load_base(source: str, config: TrainingConfig, *, seed: int) -> Base:
    """Load a model folder or hub id in float32, for training as `config` says; `seed` draws embeddings that are new.

    Raises:
        ConfigError: the attention that the recipe asks for cannot be used.
        ModelError: transformers cannot load it.
    """
    try:
        shape = AutoConfig.from_pretrained(source)
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, use_safetensors=True)
    except (OSError, ValueError, SafetensorError) as exc:
        raise ModelError(f"{source}: transformers cannot load it ({str(exc).strip().splitlines()[0]})") from exc
    _fit_embeddings(model, tokenizer, seed)
    set_attention(model, config, in_half=trains_in_half(config))
    return Base(
        model=model,
        tokenizer=tokenizer,
        stored_dtype=shape.dtype or torch.float32,
        context=getattr(shape.get_text_config(), "max_position_embeddings", None),
    )


def _fit_embeddings(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, seed: int) -> None:
    """Give every token of the tokenizer an embedding.

    New ones are drawn close to the mean of the others: at zero or at random they would be likelier than every word of
    a trained model, and take probability from all of them (Hewitt 2021).
    """
    if len(tokenizer) <= int(model.config.get_text_config().vocab_size):
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=_EMBEDDINGS_MULTIPLE)
