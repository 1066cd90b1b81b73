"""Checkpoints that a stopped training resumes from.

A checkpoint counts from the moment that its `complete.json` exists, which is written after everything else in it is on
the disk. What a kill leaves behind half-written has none, and is removed before the training goes on.
"""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from dartune.files import sync, write_json

N_KEPT = 2
"""The trainer removes older checkpoints before the new one is complete, so one more than the newest has to stay."""

_MARK = "complete.json"
_PREFIX = "checkpoint-"


class Checkpoint(NamedTuple):
    """A complete checkpoint."""

    path: Path
    step: int
    seconds: float
    """Time in the training loop up to here, over all runs."""


def checkpoint_folder(folder: Path, step: int) -> Path:
    """Where the trainer puts the checkpoint of `step`."""
    return folder / f"{_PREFIX}{step}"


def mark_complete(path: Path, *, step: int, seconds: float) -> None:
    """Put a finished checkpoint on the disk, then declare it complete."""
    for file in path.rglob("*"):
        sync(file)
    write_json(path / _MARK, {"step": step, "seconds": seconds})


def newest_complete(folder: Path) -> Checkpoint | None:
    """The complete checkpoint of the highest step, or None."""
    found = [
        Checkpoint(mark.parent, **json.loads(mark.read_text(encoding="utf-8")))
        for mark in folder.glob(f"{_PREFIX}*/{_MARK}")
    ]
    return max(found, key=lambda checkpoint: checkpoint.step, default=None)


def remove_incomplete(folder: Path) -> None:
    """Remove checkpoints that a kill left half-written."""
    for path in folder.glob(f"{_PREFIX}*"):
        if not (path / _MARK).is_file():
            shutil.rmtree(path)
