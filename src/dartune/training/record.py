"""What identifies a training, and what one leaves behind.

`training.json` is written last, so a folder that has it holds a whole model. Until then `checkpoints/started.json` says
what the checkpoints beside it belong to. Both carry the identity: everything that decides the weights.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from dartune.config import TrainingConfig
from dartune.errors import ConfigError, DataError
from dartune.files import write_json, write_text
from dartune.models import model_digest, resolve_model

SET_FILE = "train.parquet"
MANIFEST_FILE = "manifest.json"
RECORD_FILE = "training.json"
CHECKPOINTS_FOLDER = "checkpoints"
SCHEMA_VERSION = 1

_STARTED_FILE = "started.json"
_NOT_IDENTITY = {
    "model", "n_threads", "checkpoint_every", "attention", "liger_kernels", "gradient_checkpointing", "report_to"
}  # fmt: skip
"""Settings that do not change the weights but by rounding; the model counts by its content."""

Identity = dict[str, JsonValue]
"""What decides the weights, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """What a finished training did."""

    n_examples: int
    """Examples trained on; those left out as too long are not among them."""
    n_prompt_tokens: int
    """Tokens of all prompts, in one epoch."""
    n_completion_tokens: int
    """Tokens that carry loss, in one epoch; end tokens included."""
    n_too_long: int
    """Examples left out because they exceed the window."""
    n_truncated: int
    """Examples cut to the window."""
    n_rows: int
    """Rows of an epoch: packed, or one for each example."""
    fill: float
    """Tokens of the examples over the places of the rows that they are in, in (0, 1]; 1 where nothing is packed."""
    n_steps: int
    """Optimizer steps."""
    final_loss: float
    """Nats for each completion token, mean of the last tenth of the steps."""
    seconds: float
    """Wall time in the training loop, without loading; over all resumed runs, lost steps left out."""
    tokens_per_s: float
    """Prompt and completion tokens for each of these seconds."""


def set_files(set_dir: Path) -> list[Path]:
    """The rows and the manifest of a set.

    Raises:
        DataError: one of them is missing.
    """
    files = [set_dir / SET_FILE, set_dir / MANIFEST_FILE]
    for path in files:
        if not path.is_file():
            raise DataError(f"{path}: no such file; expected a set folder as curation writes it")
    return files


def identity(config: TrainingConfig, *, set_dir: Path, seed: int) -> Identity:
    """Everything that decides the weights: settings, seed, and the contents of the base model and of the set.

    Raises:
        DataError: the set is missing.
        ModelError: the base model is missing or incomplete.
    """
    rows, _ = set_files(set_dir)
    with rows.open("rb") as file:
        rows_digest = hashlib.file_digest(file, "blake2b").hexdigest()[:32]
    return {
        **config.model_dump(mode="json", exclude=_NOT_IDENTITY),
        "model": model_digest(resolve_model(config.model)),
        "set": rows_digest,
        "seed": seed,
    }


def finished_report(out: Path, wanted: Identity) -> TrainingReport | None:
    """The report of the training that `out` holds, or None if it holds no finished one.

    Raises:
        ConfigError: `out` holds, or was to hold, the outcome of another recipe, set, base model or seed.
    """
    record = _read(out / RECORD_FILE)
    claim = record or _read(out / CHECKPOINTS_FOLDER / _STARTED_FILE)
    if claim is not None:
        _check(out, claim["identity"], wanted)
    return None if record is None else TrainingReport(**record["report"])


def is_trained(out: Path, config: TrainingConfig, *, set_dir: Path, seed: int) -> bool:
    """Whether `out` holds the finished model of exactly this training.

    Raises:
        DataError: the set is missing.
        ModelError: the base model is missing or incomplete.
    """
    record = _read(out / RECORD_FILE)
    return record is not None and record["identity"] == identity(config, set_dir=set_dir, seed=seed)


def write_started(out: Path, started: Identity) -> None:
    """Mark the checkpoints of `out` as those of `started`."""
    folder = out / CHECKPOINTS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / _STARTED_FILE, {"schema": SCHEMA_VERSION, "identity": started})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """What `training.json` holds."""

    config: TrainingConfig
    set_dir: Path
    identity: Identity
    report: TrainingReport
    log_history: list[dict[str, float]]
    """One entry for each optimizer step, as the trainer logged it."""
    recipe_hash: str | None
    """Of the whole recipe that the training is a part of, where there is one."""


def training_hash(this: Identity) -> str:
    """16 hex digits: trainings with the same hash give the same weights, but for rounding."""
    return hashlib.blake2b(json.dumps(this, sort_keys=True).encode(), digest_size=8).hexdigest()


def versions() -> dict[str, str]:
    """Of the libraries that decide what a training does."""
    return {name: version(name) for name in ("dartune", "torch", "transformers", "trl", "accelerate")}


def write_record(out: Path, record: TrainingRecord) -> None:
    """Declare the model in `out` whole; the manifest of its set is copied beside it."""
    rows, manifest = set_files(record.set_dir)
    write_text(out / MANIFEST_FILE, manifest.read_text(encoding="utf-8"))
    write_json(
        out / RECORD_FILE,
        {
            "schema": SCHEMA_VERSION,
            "recipe_hash": record.recipe_hash,
            "training_hash": training_hash(record.identity),
            "identity": record.identity,
            "config": record.config.model_dump(mode="json"),
            "set": {"path": str(rows.parent), "manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest()},
            "report": asdict(record.report),
            "versions": versions(),
            "log_history": record.log_history,
        },
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as exc:
        raise DataError(f"{path}: not JSON ({exc}); delete its folder and train again") from exc
    found = record.get("schema") if isinstance(record, dict) else None
    if found != SCHEMA_VERSION:
        raise DataError(f"{path}: expected schema {SCHEMA_VERSION}, got {found}; train into a new folder")
    return dict(record)


def _check(out: Path, found: Identity, wanted: Identity) -> None:
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    if differing:
        name = differing[0]
        raise ConfigError(
            f"{out}: holds another training ({', '.join(differing)} differ; {name}: expected {wanted[name]}, "
            f"got {found.get(name)}); train into a new folder or delete this one"
        )
