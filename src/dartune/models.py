"""What a model's name in a recipe stands for: a folder, a hub id, or a packaged model of the embedded world."""

import hashlib
import json
from pathlib import Path

from dartune.errors import ModelError

WORLD_PREFIX = "world:"
_DECIDING_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
"""What decides a model's texts beside its weights: how it is built, how it reads and writes, when it ends."""
_WEIGHTS = "model.safetensors"
_WEIGHTS_INDEX = "model.safetensors.index.json"


def resolve_model(name: str) -> str:
    """The path of a complete local model folder, or `name` itself where it is a hub id.

    "world:<name>" is the folder of a packaged model of the embedded world. A hub id ("owner/model") is not looked up.

    Raises:
        ModelError: the folder does not exist, or lacks its configuration or weights.
    """
    if name.startswith(WORLD_PREFIX):
        from dartune.world import packaged_model

        return str(packaged_model(name.removeprefix(WORLD_PREFIX)))
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        weight_files(folder)
        return str(folder)
    if folder.is_file():
        raise ModelError(f"{name}: expected a model folder, got a file; name the folder that holds config.json")
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or not name:
        raise ModelError(f"{name!r}: no such model folder; name a folder, a hub id or world:<name>")
    return name


def model_identity(name: str, resolved: str, revision: str | None) -> str:
    """`<name>@<12 hex digits>`: of the content for a folder, whatever it is called by; of the revision for a hub id."""
    folder = Path(resolved)
    if folder.is_dir():
        return f"{folder.resolve().name}@{model_digest(resolved)[:12]}"
    return f"{name}@{(revision or 'unknown')[:12]}"


def weight_files(folder: Path) -> list[Path]:
    """The files that hold the weights of a local model, sorted. Pickled weights are not read, so they do not count.

    Raises:
        ModelError: config.json, or a file of weights, is missing.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: config.json is missing; expected a model folder as transformers saves it")
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if (folder / _WEIGHTS_INDEX).is_file():
        return _shards(folder / _WEIGHTS_INDEX)
    raise ModelError(f"{folder}: no weights; expected {_WEIGHTS} or its shards; save the model with save_pretrained()")


def _shards(index: Path) -> list[Path]:
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise ModelError(f"{index}: expected a weight_map from parameter to file; download the model again") from exc
    shards = sorted(index.parent / name for name in names)
    for shard in shards:
        if not shard.is_file():
            raise ModelError(f"{shard}: a shard that {index.name} names is missing; download the model again")
    return shards


def model_digest(resolved: str) -> str:
    """Content hash of a local model: its configuration, tokenizer and weights; a hub id stands for itself.

    32 hex digits. Reads every byte: about a second for each gigabyte.
    """
    folder = Path(resolved)
    if not folder.is_dir():
        return resolved
    small = [folder / name for name in _DECIDING_FILES if (folder / name).is_file()]
    digest = hashlib.blake2b(digest_size=16)
    for path in [*small, *weight_files(folder)]:
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()
