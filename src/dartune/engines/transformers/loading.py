"""From a model's name to weights on a device."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer
from transformers.utils import logging

from dartune.config import TransformersEngineConfig
from dartune.errors import ConfigError, ModelError
from dartune.models import model_identity, resolve_model


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model ready to decode, and what the engine needs to know of it."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    identity: str
    """From `dartune.models.model_identity`."""
    end_ids: tuple[int, ...]
    """Tokens that end a response."""
    context: int
    """Longest sequence, prompt and response together, in tokens."""


def load(config: TransformersEngineConfig) -> LoadedModel:
    """Load the model that `config` names.

    A folder must hold `config.json`, safetensors weights and a tokenizer; pickled weights are not read. With dtype
    "auto" the weights are float32 on CPU, where narrower types are slower, and keep the checkpoint's type on a GPU.

    Raises:
        ModelError: it is missing or incomplete, or its cache or positions are of a kind that cannot be batched.
        ConfigError: the device does not exist.
    """
    device = _device(config.device)
    source = resolve_model(config.model)
    dtype = config.dtype if config.dtype != "auto" or device.type != "cpu" else "float32"
    model, tokenizer = _read(source, dtype)
    _check_architecture(model, source)
    torch.nn.Module.to(model, device)
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        identity=model_identity(config.model, source, getattr(model.config, "_commit_hash", None)),
        end_ids=_end_ids(model, tokenizer),
        context=_context(model, source),
    )


class _Checkpoint(NamedTuple):
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def _read(source: str, dtype: str) -> _Checkpoint:
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        # Its annotations leave out output_loading_info, which makes it return a pair.
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source, dtype=dtype, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, SafetensorError) as exc:
        reason = " ".join(str(exc).split())[:300]
        raise ModelError(f"model {source}: transformers cannot load it ({reason})") from exc
    finally:
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    model, report = loaded
    # transformers would go on with random numbers in their place.
    if report["missing_keys"]:
        name = min(report["missing_keys"])
        raise ModelError(f"model {source}: the weights lack {name}; copy the whole checkpoint there")
    return _Checkpoint(model, tokenizer)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as exc:
        reason = str(exc).split("\n", 1)[0]
        raise ConfigError(
            f"engine.device: expected a usable device such as cpu or cuda, got {name!r} ({reason})"
        ) from exc


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    generation = getattr(model, "generation_config", None)
    ids = getattr(generation, "eos_token_id", None)
    found = set(ids if isinstance(ids, list | tuple) else [ids]) | {tokenizer.eos_token_id}
    return tuple(sorted(token for token in found if token is not None))


def _check_architecture(model: PreTrainedModel, source: str) -> None:
    layers = DynamicCache(config=model.config).layers
    kinds = {type(layer) for layer in layers}
    if len(kinds) != 1 or not kinds <= {DynamicLayer, DynamicSlidingWindowLayer}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ModelError(
            f"model {source}: expected one plain key-value cache for every layer, got {names}; use another engine"
        )
    rope = (getattr(model.config.get_text_config(decoder=True), "rope_parameters", None) or {}).get("rope_type")
    if rope in ("dynamic", "longrope"):
        raise ModelError(
            f"model {source}: its {rope} positions depend on the longest sequence in a batch; use another engine"
        )


def _context(model: PreTrainedModel, source: str) -> int:
    """Longest sequence; a sliding window counts as the end of the context, for within it attention is plain."""
    config = model.config.get_text_config(decoder=True)
    longest = getattr(config, "max_position_embeddings", None)
    if longest is None:
        raise ModelError(f"model {source}: config.json gives no max_position_embeddings; use another engine")
    windows = [
        layer.sliding_window
        for layer in DynamicCache(config=config).layers
        if isinstance(layer, DynamicSlidingWindowLayer)
    ]
    return int(min([longest, *windows]))
