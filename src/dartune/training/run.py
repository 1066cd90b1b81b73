"""Fine-tune a base model on a curated set, once: resumable, and recognised when done."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from dartune.config import TrainingConfig
from dartune.errors import MissingExtra
from dartune.files import lock_folder
from dartune.models import resolve_model
from dartune.training.record import (
    CHECKPOINTS_FOLDER,
    Identity,
    TrainingRecord,
    TrainingReport,
    finished_report,
    identity,
    write_record,
    write_started,
)

if TYPE_CHECKING:
    from dartune.training.rows import TokenRows
    from dartune.training.sft import StepProgress, Tuned


def train(
    config: TrainingConfig,
    *,
    set_dir: Path,
    out: Path,
    seed: int,
    progress: "Callable[[StepProgress], None] | None" = None,
) -> TrainingReport:
    """Fine-tune `config.model` on the set in `set_dir` into `out`: a Hugging Face model folder with `training.json`.

    A training that was stopped goes on from its newest complete checkpoint; one that is finished is not repeated. On
    CPU the same settings, set, base model, seed and thread count give the same weights. `progress` is called after
    every optimizer step of this process.

    Raises:
        ConfigError: `out` belongs to another training, or the batch size cannot be made of whole device batches.
        DataError: the set is missing, malformed or empty, or every example is too long.
        ModelError: the base model is missing or incomplete, or has no end token.
        MissingExtra: trl is not installed.
        FolderBusy: another process trains into `out`.
        WriteError: a checkpoint or the model could not be written.
    """
    this = identity(config, set_dir=set_dir, seed=seed)
    report = finished_report(out, this)
    if report is None:
        with lock_folder(out / CHECKPOINTS_FOLDER):
            report = finished_report(out, this) or _train(config, this, set_dir, out, progress)
    shutil.rmtree(out / CHECKPOINTS_FOLDER, ignore_errors=True)
    return report


def _train(
    config: TrainingConfig, this: Identity, set_dir: Path, out: Path, progress: "Callable[[StepProgress], None] | None"
) -> TrainingReport:
    from dartune.training.rows import read_rows

    sft = _libraries()
    with sft.quiet(), sft.threads(config.n_threads):
        base = sft.load_base(resolve_model(config.model))
        rows = read_rows(set_dir, base.tokenizer, min(config.max_length, base.context or config.max_length))
        job = sft.Job(config=config, seed=int(this["seed"]), folder=out / CHECKPOINTS_FOLDER, progress=progress)
        trainer = sft.new_trainer(base, rows, job)
        write_started(out, this)
        tuned = sft.fine_tune(base, trainer, job)
        sft.save(tuned, base, out)
    report = _report(config, rows, tuned)
    record = TrainingRecord(config=config, set_dir=set_dir, identity=this, report=report, log_history=tuned.log_history)
    write_record(out, record)
    return report


def _libraries() -> ModuleType:
    try:
        import trl  # noqa: F401
    except ImportError as exc:
        raise MissingExtra("trl", "train") from exc
    from dartune.training import sft

    return sft


def _report(config: TrainingConfig, rows: "TokenRows", tuned: "Tuned") -> TrainingReport:
    last = tuned.log_history[-max(1, tuned.n_steps // 10) :]
    n_tokens = config.n_epochs * (rows.n_prompt_tokens + rows.n_completion_tokens)
    return TrainingReport(
        n_examples=rows.n_examples,
        n_prompt_tokens=rows.n_prompt_tokens,
        n_completion_tokens=rows.n_completion_tokens,
        n_too_long=rows.n_too_long,
        n_steps=tuned.n_steps,
        final_loss=sum(entry["loss"] for entry in last) / len(last),
        seconds=tuned.seconds,
        tokens_per_s=n_tokens / tuned.seconds,
    )
