"""Fine-tune a base model on a curated set, once: resumable, and recognised when done."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from dartune.config import TrainingConfig
from dartune.errors import MissingExtra
from dartune.files import lock_folder
from dartune.models import resolve_model
from dartune.training.card import write_card
from dartune.training.ranks import from_main, is_main
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One call of `train`."""

    config: TrainingConfig
    set_dir: Path
    out: Path
    identity: Identity
    seed: int
    recipe_hash: str | None


def train(
    config: TrainingConfig,
    *,
    set_dir: Path,
    out: Path,
    seed: int,
    progress: "Callable[[StepProgress], None] | None" = None,
    recipe_hash: str | None = None,
) -> TrainingReport:
    """Fine-tune `config.model` on the set in `set_dir` into `out`: a Hugging Face model folder with `training.json`.

    A training that was stopped goes on from its newest complete checkpoint; one that is finished is not repeated. On
    CPU the same settings, set, base model, seed and thread count give the same weights. `progress` is called after
    every optimizer step of this process; `recipe_hash` is written into the record and the model card.

    Where torchrun or `accelerate launch` started several processes, all of them call this, and see the same folders.

    Raises:
        ConfigError: `out` belongs to another training, the batch size cannot be made of whole device batches, the
            attention, a kernel or a tracker cannot be used here or mixes packed examples, or memory does not suffice.
        DataError: the set is missing, malformed or empty, or every example is too long.
        ModelError: the base model is missing or incomplete, or has no end token.
        MissingExtra: trl, or peft where adapters are trained, is not installed.
        FolderBusy: another process trains into `out`.
        WriteError: a checkpoint or the model could not be written.
    """
    this = from_main(lambda: identity(config, set_dir=set_dir, seed=seed))
    task = _Task(config=config, set_dir=set_dir, out=out, identity=this, seed=seed, recipe_hash=recipe_hash)
    report = from_main(lambda: finished_report(out, this))
    if report is None:
        with lock_folder(out / CHECKPOINTS_FOLDER) if is_main() else nullcontext():
            report = from_main(lambda: finished_report(out, this)) or _train(task, progress)
    if is_main():
        shutil.rmtree(out / CHECKPOINTS_FOLDER, ignore_errors=True)
    return report


def _train(task: _Task, progress: "Callable[[StepProgress], None] | None") -> TrainingReport:
    sft = _libraries()
    from dartune.training.arguments import new_arguments
    from dartune.training.base import load_base
    from dartune.training.quiet import quiet, threads
    from dartune.training.rows import Window, read_rows
    from dartune.training.saving import save
    from dartune.training.shared_rows import for_all

    config, source = task.config, resolve_model(task.config.model)
    with quiet(), threads(config.n_threads):
        job = sft.Job(config=config, seed=task.seed, folder=task.out / CHECKPOINTS_FOLDER, progress=progress)
        arguments = new_arguments(config, seed=job.seed, folder=job.folder)
        base = load_base(source, config, seed=job.seed)
        longest = min(config.max_length, base.context or config.max_length)
        window = Window(max_length=longest, too_long=config.too_long)
        rows = for_all(lambda: read_rows(task.set_dir, base.tokenizer, window), job.folder / "rows.arrow")
        trainer = sft.new_trainer(base, rows, job, arguments)
        from_main(lambda: write_started(task.out, task.identity))
        tuned = sft.fine_tune(base, trainer, job)
        save(tuned, base, job, source=source, out=task.out)
    return from_main(lambda: _declare(task, rows, tuned))


def _declare(task: _Task, rows: "TokenRows", tuned: "Tuned") -> TrainingReport:
    record = TrainingRecord(
        config=task.config,
        set_dir=task.set_dir,
        identity=task.identity,
        report=_report(task.config, rows, tuned),
        log_history=tuned.log_history,
        recipe_hash=task.recipe_hash,
    )
    write_card(task.out, record)
    write_record(task.out, record)
    return record.report


def _libraries() -> ModuleType:
    try:
        import trl  # noqa: F401
    except ImportError as exc:
        raise MissingExtra("trl", "train") from exc
    from dartune.training import sft

    return sft


def _report(config: TrainingConfig, rows: "TokenRows", tuned: "Tuned") -> TrainingReport:
    last = tuned.log_history[-max(1, tuned.n_steps // 10) :]
    n_epochs = tuned.n_steps * config.batch_size / tuned.n_filled_rows
    return TrainingReport(
        n_examples=rows.n_examples,
        n_prompt_tokens=rows.n_prompt_tokens,
        n_completion_tokens=rows.n_completion_tokens,
        n_too_long=rows.n_too_long,
        n_truncated=rows.n_truncated,
        n_rows=tuned.n_rows,
        fill=rows.n_tokens / (tuned.n_rows * config.max_length) if config.packing else 1.0,
        n_steps=tuned.n_steps,
        final_loss=sum(entry["loss"] for entry in last) / len(last),
        seconds=tuned.seconds,
        tokens_per_s=n_epochs * rows.n_tokens / tuned.seconds,
    )
