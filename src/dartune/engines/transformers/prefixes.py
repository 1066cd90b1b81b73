"""Prompts computed once: rejection sampling asks the same prompt again and again."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from dartune.engines.transformers.slots import SlotCache

Prefix = tuple[int, ...]

_MAX_TOKENS_PER_PASS = 8192
"""Bounds the memory of one forward pass over prompts; enough to keep a large GPU busy."""


class PrefixStore:
    """Keys and values of the prefixes asked for most recently, one a row of `cache`."""

    def __init__(self, model: PreTrainedModel, n_rows: int) -> None:
        """Keep up to `n_rows` prefixes of `model`."""
        self.cache = SlotCache()
        self.n_rows = n_rows
        self._model = model
        self._rows: OrderedDict[Prefix, int] = OrderedDict()

    def rows(self, prefixes: Sequence[Prefix]) -> list[int]:
        """Row of the cache that holds each prefix, computing those that are not there.

        At most `n_rows` different prefixes, none empty. The rows stay valid until the next call.
        """
        missing = []
        for prefix in dict.fromkeys(prefixes):
            if prefix in self._rows:
                self._rows.move_to_end(prefix)
            else:
                missing.append(prefix)
        for chunk in _chunks(sorted(missing, key=len)):
            self._compute(chunk)
        return [self._rows[prefix] for prefix in prefixes]

    def _compute(self, prefixes: list[Prefix]) -> None:
        width = len(prefixes[-1])
        # Padded on the right: under the causal mask no token of a prefix sees the padding behind it.
        padded = [[*prefix, *[0] * (width - len(prefix))] for prefix in prefixes]
        computed = DynamicCache()
        tokens = torch.tensor(padded, device=self._model.device)
        self._model.base_model(input_ids=tokens, past_key_values=computed, use_cache=True)
        places = [self._place(prefix) for prefix in prefixes]
        self.cache.reserve(max(self._rows.values()) + 1, width)
        self.cache.fill(torch.tensor(places, device=self._model.device), computed)

    def _place(self, prefix: Prefix) -> int:
        full = len(self._rows) == self.n_rows
        self._rows[prefix] = self._rows.popitem(last=False)[1] if full else len(self._rows)
        return self._rows[prefix]


def _chunks(prefixes: list[Prefix]) -> Iterator[list[Prefix]]:
    """Runs of `prefixes`, which come shortest first, that one forward pass takes."""
    start = 0
    for end in range(1, len(prefixes) + 1):
        if end == len(prefixes) or (end + 1 - start) * len(prefixes[end]) > _MAX_TOKENS_PER_PASS:
            yield prefixes[start:end]
            start = end
