"""Attention for packed rows, and the proof that it keeps their examples apart.

A row of packed examples is causal in blocks. torch's attention takes that as a dense mask, and computes all of the
row's square to throw most of it away; FlashAttention, where it is installed, computes the blocks alone. With nothing
but torch, `per_example_attention` does the same: one example after another, each with the fast causal kernel.
"""

from functools import lru_cache
from importlib.metadata import version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.utils.import_utils import is_flash_attn_2_available

from dartune.config import TrainingConfig
from dartune.errors import ConfigError
from dartune.training.packing import LENGTHS

if TYPE_CHECKING:
    from collections.abc import Callable

PER_EXAMPLE = "dartune_per_example"
"""The name by which transformers knows `per_example_attention`. It has no mask of its own, so that none is built."""

_PROBE_LENGTH = 16
_NOISE = 1e-4
"""Largest change of logits, relative to their size, that counts as rounding. The same kernels on the same shapes differ
by 0; examples that see each other changed them by 0.004 (Bloom) to 0.4 (Mamba) in untrained models of four layers."""


def per_example_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    cu_seq_lens_q: torch.Tensor,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each example of one packed row (batch 1, heads, tokens, dim) -> (1, tokens, heads, dim).

    `cu_seq_lens_q` has the places where examples start, and the row's length last.
    """
    parts = [
        sdpa_attention_forward(
            module,
            query[:, :, start:end],
            key[:, :, start:end],
            value[:, :, start:end],
            _window(end - start, sliding_window, query.device),
            **kwargs,
        )[0]
        for start, end in pairwise(_places(cu_seq_lens_q))
    ]
    return torch.cat(parts, dim=1), None


AttentionInterface.register(PER_EXAMPLE, per_example_attention)


def set_attention(model: PreTrainedModel, config: TrainingConfig, *, in_half: bool) -> None:
    """Let `model` compute attention as `config` says; `in_half`: in bfloat16, which FlashAttention needs.

    Raises:
        ConfigError: the model, or what is installed here, does not allow it.
    """
    wanted = _best(model, config, in_half=in_half) if config.attention == "auto" else config.attention
    if wanted == "per_example" and not config.packing:
        raise ConfigError("training.attention: 'per_example' is for packed rows; take 'auto', or set packing = true")
    try:
        model.set_attn_implementation(PER_EXAMPLE if wanted == "per_example" else wanted)
    except (ImportError, ValueError) as exc:
        reason = " ".join(str(exc).split())[:200]
        raise ConfigError(f"training.attention: {wanted!r} cannot be used here ({reason}); take 'auto'") from exc


def _best(model: PreTrainedModel, config: TrainingConfig, *, in_half: bool) -> str:
    if in_half and torch.cuda.is_available() and is_flash_attn_2_available():
        return "flash_attention_2"
    chosen = str(model.config._attn_implementation)
    if config.packing and chosen == "sdpa" and model._supports_attention_backend:
        return "per_example"
    return chosen


def check_apart(model: torch.nn.Module, collate: "Callable[[list[dict[str, list[int]]]], dict[str, Any]]") -> None:
    """Raise ConfigError if the examples of a packed row see each other in `model`.

    Looks at what the model does: another first example must leave the logits of the second as they were. Two forward
    passes over a row of two short examples; on every process where the weights are spread over several.
    """
    config = getattr(model, "config", None)
    n_words = config.get_text_config().vocab_size if config is not None else 2 * _PROBE_LENGTH
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            one, other = (_probe(model, collate, shift, n_words) for shift in (0, 7))
    except (ImportError, ValueError) as exc:
        reason = " ".join(str(exc).split())[:200]
        raise ConfigError(
            f"training.packing: {type(model).__name__} takes no packed rows here ({reason}); set it to false"
        ) from exc
    finally:
        model.train(was_training)
    change = (one - other)[_PROBE_LENGTH:].abs().max() / one.abs().max()
    # Not a number is no proof either.
    if not change <= _NOISE:
        name = getattr(config, "_attn_implementation", "?")
        raise ConfigError(
            f"training.packing: with attention {name!r} of transformers {version('transformers')}, packed examples see "
            f"each other in {type(model).__name__} (logits change by {change:.1e}); take another training.attention, "
            "or set training.packing = false"
        )


def _probe(model: torch.nn.Module, collate: Any, shift: int, n_words: int) -> torch.Tensor:
    """Logits of a row of two examples, (tokens, words); `shift` changes the first one."""
    first = [(place * 3 + shift) % n_words for place in range(_PROBE_LENGTH)]
    second = [place % n_words for place in range(_PROBE_LENGTH)]
    row = first + second
    batch = collate([{"input_ids": row, "labels": row, LENGTHS: [_PROBE_LENGTH, _PROBE_LENGTH]}])
    device = next(model.parameters()).device
    inputs = {name: x.to(device) if torch.is_tensor(x) else x for name, x in batch.items() if name != "labels"}
    return model(**inputs, use_cache=False).logits[0].float()  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _places(cu_seq_lens: torch.Tensor) -> tuple[int, ...]:
    """Read once for all layers of a step, because reading makes the host wait; tensors are keys by identity."""
    return tuple(cu_seq_lens.tolist())


def _window(length: int, sliding_window: int | None, device: torch.device) -> torch.Tensor | None:
    if sliding_window is None or length <= sliding_window:
        return None
    places = torch.arange(length, device=device)
    distance = places[:, None] - places[None, :]
    return ((distance >= 0) & (distance < sliding_window))[None, None]
