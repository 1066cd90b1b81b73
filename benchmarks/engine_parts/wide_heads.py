"""The packaged teacher with heads of 32 in place of 16, the narrowest that vLLM's attention on CPU takes.

It is the same function. A head of 32 has the rotary frequencies of a head of 16 at its even places, so the old places
move there, zeros fill the odd ones, and the queries grow by the square root of 2 that the scores are divided by.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from dartune.models import resolve_model

WIDTH = 32


def save_wide_teacher(folder: Path) -> str:
    """Write the model into `folder` and return its path."""
    source = Path(resolve_model("world:teacher-a"))
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    old = config["head_dim"]
    assert 2 * old == WIDTH
    # Rotation turns place i with place i + half a head.
    rotated = torch.tensor([2 * i for i in range(old // 2)] + [WIDTH // 2 + 2 * i for i in range(old // 2)])
    weights = {
        name: _widen(name, weight, old, rotated) for name, weight in load_file(source / "model.safetensors").items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(source / name, folder)
    (folder / "config.json").write_text(json.dumps(config | {"head_dim": WIDTH}), encoding="utf-8")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


def _widen(name: str, weight: torch.Tensor, old: int, rotated: torch.Tensor) -> torch.Tensor:
    kind = name.removesuffix(".weight").rpartition(".")[2]
    if kind == "o_proj":
        return _spread(weight.T, old, torch.arange(old)).T.contiguous()
    if kind == "v_proj":
        return _spread(weight, old, torch.arange(old))
    if kind in ("q_proj", "k_proj"):
        return _spread(weight, old, rotated) * (2**0.5 if kind == "q_proj" else 1.0)
    return weight


def _spread(rows: torch.Tensor, old: int, places: torch.Tensor) -> torch.Tensor:
    """Move the `old` rows of every head to `places` among WIDTH; the others are zero."""
    heads = rows.reshape(-1, old, rows.shape[1])
    wide = torch.zeros(len(heads), WIDTH, rows.shape[1], dtype=rows.dtype)
    wide[:, places] = heads
    return wide.reshape(-1, rows.shape[1])
