"""Drawing the next token of every row of a batch.

Token `t` of a request depends on the model's distribution, the request's seed and `t`, and on nothing else: the
uniform numbers are a hash of (seed, t), not the state of a generator. What else is in the batch can change a text
only where rounding in the model moves a probability across such a number.

The nucleus (top-p) is drawn by rejection: a token drawn from the whole distribution is kept if it lies in the
nucleus, which needs no sort and holds for at least a share `top_p` of the rows; only the others are sorted and drawn
again, from the nucleus itself. (On a CPU, sorting 512 rows of 165 takes 5 ms; a tiny model's whole step takes 11.)
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Kind = Literal["greedy", "whole", "nucleus"]
"""Temperature 0; sampled with top_p 1; sampled with top_p below 1."""

_INT64_SPAN = 1 << 64
_GOLDEN = 0x9E3779B97F4A7C15 - _INT64_SPAN
_MIX_1 = 0xBF58476D1CE4E5B9 - _INT64_SPAN
_MIX_2 = 0x94D049BB133111EB - _INT64_SPAN


class Sampling(NamedTuple):
    """How each row is drawn; tensors of shape (rows,)."""

    seed: Tensor
    """int64."""
    step: Tensor
    """int64: index of the token within its response."""
    temperature: Tensor
    """float32; 0 is greedy."""
    top_p: Tensor
    """float32; 1 is the whole distribution."""


class Draw(NamedTuple):
    """Tokens drawn, and their natural log-probability at temperature 1; tensors of shape (rows,)."""

    token: Tensor
    logprob: Tensor


def draw(logits: Tensor, sampling: Sampling, kinds: Mapping[Kind, int]) -> Draw:
    """Draw one token per row from `logits` (rows, vocabulary), float32.

    `kinds` counts the rows of each kind, so that no work is done for a kind that is not there.
    """
    if kinds["greedy"] == len(logits):
        token = logits.argmax(-1)
    else:
        token = _sample(logits, sampling, any_nucleus=kinds["nucleus"] > 0)
        if kinds["greedy"]:
            token = torch.where(sampling.temperature > 0, token, logits.argmax(-1))
    return Draw(token=token, logprob=_pick(logits, token) - logits.logsumexp(-1))


def uniform(seed: Tensor, counter: Tensor) -> Tensor:
    """Numbers in [0, 1), float64: splitmix64 (Steele, Lea, Flood 2014) at place `counter` of the stream of `seed`."""
    z = seed + (counter + 1) * _GOLDEN
    z = (z ^ _shift_right(z, 30)) * _MIX_1
    z = (z ^ _shift_right(z, 27)) * _MIX_2
    return _shift_right(z ^ _shift_right(z, 31), 11).double() * 2.0**-53


def _shift_right(z: Tensor, n_bits: int) -> Tensor:
    # int64 >> repeats the sign bit; splitmix64 is defined on unsigned numbers.
    return (z >> n_bits) & ((1 << (64 - n_bits)) - 1)


def _sample(logits: Tensor, sampling: Sampling, *, any_nucleus: bool) -> Tensor:
    temperature = torch.where(sampling.temperature > 0, sampling.temperature, 1.0)
    weights = (logits / temperature[:, None]).softmax(-1)
    token = _inverse_cdf(weights, uniform(sampling.seed, 2 * sampling.step))
    if any_nucleus:
        heavier = torch.where(weights > _pick(weights, token)[:, None], weights, 0.0).sum(-1)
        outside = ((heavier >= sampling.top_p) & (sampling.top_p < 1)).nonzero()[:, 0]
        if len(outside):
            nucleus = _nucleus(weights[outside], sampling.top_p[outside])
            counter = 2 * sampling.step[outside] + 1
            token[outside] = _inverse_cdf(nucleus, uniform(sampling.seed[outside], counter))
    return token


def _nucleus(weights: Tensor, top_p: Tensor) -> Tensor:
    """`weights` with those outside the nucleus set to 0: a token is inside if less than `top_p` is heavier than it."""
    ordered = weights.sort(-1, descending=True).values
    heavier = ordered.cumsum(-1) - ordered
    n_inside = (heavier < top_p[:, None]).sum(-1).clamp_(min=1)
    lightest = _pick(ordered, n_inside - 1)
    return torch.where(weights >= lightest[:, None], weights, 0.0)


def _inverse_cdf(weights: Tensor, number: Tensor) -> Tensor:
    # float64: with 100,000 tokens a float32 sum loses more than many tokens' probability.
    cumulative = weights.cumsum(-1, dtype=torch.float64)
    target = number * cumulative[:, -1]
    return torch.searchsorted(cumulative, target[:, None], right=True)[:, 0].clamp_(max=weights.shape[1] - 1)


def _pick(rows: Tensor, index: Tensor) -> Tensor:
    return rows.gather(1, index[:, None])[:, 0]
