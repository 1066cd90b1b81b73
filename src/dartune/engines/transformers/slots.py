"""Keys and values of many sequences of different lengths, one sequence a row, each written at its own position."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicCache

_WIDTH_STEP = 32


class Shape(NamedTuple):
    """Room for this many sequences of this many tokens."""

    n_rows: int
    width: int

    def to_hold(self, n_rows: int, width: int) -> "Shape":
        """This shape, or a larger one; grows by half at least, so that growing token by token stays cheap."""
        wide = self.width if width <= self.width else max(width, self.width * 3 // 2)
        return Shape(
            n_rows=self.n_rows if n_rows <= self.n_rows else max(n_rows, self.n_rows * 3 // 2),
            width=-(-wide // _WIDTH_STEP) * _WIDTH_STEP,
        )


def enlarged(tensor: Tensor, shape: Shape) -> Tensor:
    """Copy of `tensor` (rows, width, ...) with that many rows and that width; the new places are zero."""
    # Not left empty: attention multiplies masked values by 0, and 0 times a stray NaN is NaN.
    larger = tensor.new_zeros((*shape, *tensor.shape[2:]))
    larger[: tensor.shape[0], : tensor.shape[1]] = tensor
    return larger


class SlotCache(Cache):  # type: ignore[misc, unused-ignore]
    """A transformers cache that takes one token for each of the first rows, every row at its own position.

    Tensors have the shape (rows, width, heads, head size): the keys of a token lie together and are written as one
    piece. They are allocated when the first keys of a layer come, and grow layer by layer.
    """

    def __init__(self) -> None:
        super().__init__(layers=[])
        self._shape = Shape(0, 0)
        self._keys: list[Tensor] = []
        self._values: list[Tensor] = []
        self._place = torch.empty(0, dtype=torch.int64)
        self._width = 0

    def reserve(self, n_rows: int, width: int) -> None:
        """Make room for `n_rows` rows of `width` tokens, keeping what is there."""
        shape = self._shape.to_hold(n_rows, width)
        if shape == self._shape:
            return
        self._shape = shape
        for layer in range(len(self._keys)):
            self._keys[layer] = enlarged(self._keys[layer], shape)
            self._values[layer] = enlarged(self._values[layer], shape)

    def seek(self, position: Tensor, width: int) -> None:
        """Let the next updates write row i at `position[i]`, and attend to the first `width` positions."""
        first = torch.arange(len(position), device=position.device) * self._shape.width
        self._place, self._width = first + position, width

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write one token's states (rows, heads, 1, size); returns those of all positions up to the width."""
        self._allocate(layer_idx, key_states, value_states)
        return self._write(self._keys[layer_idx], key_states), self._write(self._values[layer_idx], value_states)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens before the current one in the longest row."""
        return self._width - 1

    def fill(self, rows: Tensor, computed: DynamicCache) -> None:
        """Take over the sequences that a forward pass put into `computed`, from their beginning."""
        for index, (keys, values, _) in enumerate(computed):
            self._allocate(index, keys, values)
            width = keys.shape[2]
            self._keys[index][rows, :width] = keys.transpose(1, 2)
            self._values[index][rows, :width] = values.transpose(1, 2)

    def copy(self, rows: Tensor, source: "SlotCache", source_rows: Tensor, width: int) -> None:
        """Take over the first `width` positions of rows of `source`, which may be this cache."""
        for index, (keys, values) in enumerate(zip(source._keys, source._values, strict=True)):
            if index == len(self._keys):
                self._allocate(index, keys.transpose(1, 2), values.transpose(1, 2))
            self._keys[index][rows, :width] = keys[source_rows, :width]
            self._values[index][rows, :width] = values[source_rows, :width]

    def _allocate(self, layer: int, keys: Tensor, values: Tensor) -> None:
        if layer == len(self._keys):
            for store, states in ((self._keys, keys), (self._values, values)):
                store.append(states.new_zeros((*self._shape, states.shape[1], states.shape[3])))

    def _write(self, store: Tensor, states: Tensor) -> Tensor:
        n_rows = states.shape[0]
        store.flatten(0, 1).index_copy_(0, self._place, states[:, :, 0])
        return store[:n_rows, : self._width].transpose(1, 2)
