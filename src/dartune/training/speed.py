"""How much of a device's arithmetic a training uses: model FLOPs utilisation (PaLM, arXiv 2204.02311, appendix B)."""

from dataclasses import dataclass

PEAK_FLOPS = {
    "B200": 2250e12, "H200": 989e12, "H100": 989e12, "H800": 989e12, "H20": 148e12, "A100": 312e12, "A800": 312e12,
    "L40S": 362e12, "L40": 181e12, "L4": 121e12, "A10G": 70e12, "A10": 125e12, "A6000": 155e12, "4090": 165e12,
}  # fmt: skip
"""Part of a GPU's name -> bfloat16 operations a second without sparsity, from the vendor's data sheets (SXM where there
are several). Longer names come before those that they contain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """What decides the arithmetic of a decoder."""

    n_block_weights: int
    """Weights but for embeddings and output layer."""
    n_head_weights: int
    """Weights of the output layer, which only tokens with loss go through."""
    n_layers: int
    attention_width: int
    """Heads times their size."""


def flops_per_token(size: ModelSize, *, n_tokens: int, n_learnt: int, n_squared: int) -> float:
    """Floating-point operations of forward and backward for each token of a set; recomputation is not counted.

    `n_tokens`: tokens of the set; `n_learnt`: those with loss; `n_squared`: sum of the squared lengths of its examples.
    Every weight costs 6 operations for a token; causal attention costs 6 for each pair of tokens and unit of width.
    """
    weights = 6.0 * (size.n_block_weights * n_tokens + size.n_head_weights * n_learnt)
    attention = 6.0 * size.n_layers * size.attention_width * n_squared
    return (weights + attention) / n_tokens


def peak_flops(device_name: str) -> float | None:
    """Peak of a device by its name, or None where it is not known."""
    return next((peak for part, peak in PEAK_FLOPS.items() if part in device_name), None)
