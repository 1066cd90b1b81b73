"""Supervised fine-tuning on TRL's SFTTrainer: a recipe and rows of tokens in, a tuned model out.

Loss is the mean over the completion tokens of an optimizer step, whatever way they are split over rows, accumulation
and devices. Every epoch has every example once, on any number of devices: the last batch is filled up with rows that
teach nothing, where the trainer would repeat some. Packed rows hold whole examples; positions start anew with each, and
`dartune.training.attention` proves, before the first step, that they do not see each other.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from safetensors import SafetensorError
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from dartune.config import TrainingConfig
from dartune.errors import ConfigError, MissingExtra, WriteError
from dartune.training.attention import check_apart
from dartune.training.base import Base
from dartune.training.checkpoints import checkpoint_folder, mark_complete, newest_complete, remove_incomplete
from dartune.training.packing import LENGTHS, pack
from dartune.training.quiet import narrow_loss_buffer
from dartune.training.ranks import from_main, n_ranks, wait_for_all
from dartune.training.rows import IGNORED, TokenRows
from dartune.training.speed import flops_per_token, peak_flops


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress:
    """One optimizer step, as it is done."""

    step: int
    n_steps: int
    loss: float
    """Nats for each completion token of the step."""
    learning_rate: float
    tokens_per_s: float
    """Prompt and completion tokens, since this process began to train."""
    mfu: float | None
    """Share of the devices' peak arithmetic that the model's own uses; None where the peak is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One training loop."""

    config: TrainingConfig
    seed: int
    folder: Path
    """For its checkpoints, and nobody else's."""
    progress: Callable[[StepProgress], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What a finished training loop leaves in memory."""

    trainer: SFTTrainer
    log_history: list[dict[str, float]]
    """One entry for each step, those of earlier runs included."""
    n_steps: int
    n_rows: int
    """Rows of an epoch: packed, or one for each example."""
    n_filled_rows: int
    """The same with those that only fill up the last batch."""
    seconds: float
    """Time in the loop, over all resumed runs."""


class _Speed:
    """Tokens a second since the loop began, and what share of the devices' arithmetic they take."""

    def __init__(self, base: Base, rows: TokenRows) -> None:
        self.start = time.perf_counter()
        self._flops = flops_per_token(
            base.size, n_tokens=rows.n_tokens, n_learnt=rows.n_completion_tokens, n_squared=rows.n_squared_tokens
        )
        peak = peak_flops(torch.cuda.get_device_name()) if torch.cuda.is_available() else None
        self._peak = None if peak is None else peak * n_ranks()

    def entries(self, n_tokens: float) -> dict[str, float]:
        """What a log says of it."""
        rate = n_tokens / (time.perf_counter() - self.start)
        return {"tokens_per_s": rate} | ({} if self._peak is None else {"mfu": rate * self._flops / self._peak})


class _Trainer(SFTTrainer):
    """SFTTrainer that logs its speed, phones nobody, and writes no model card into every checkpoint."""

    speed: _Speed
    n_rows: int
    n_filled_rows: int

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log a step, with its speed."""
        if "loss" in logs:
            logs |= self.speed.entries(self._total_train_tokens)
        super().log(logs, start_time)

    def _send_telemetry(self) -> None:
        pass

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """Write nothing."""


class _Watcher(TrainerCallback):
    """Reports steps, keeps time, and marks checkpoints complete."""

    def __init__(self, job: Job, trainer: _Trainer, seconds_before: float) -> None:
        self._job = job
        self._trainer = trainer
        self._seconds_before = seconds_before

    @property
    def seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._trainer.speed.start

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self._job.config.packing:
            with self._trainer.compute_loss_context_manager():
                check_apart(kwargs["model"], self._trainer.data_collator)
        self._trainer.speed.start = time.perf_counter()

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        logs = kwargs["logs"]
        if self._job.progress is not None and state.is_world_process_zero and "loss" in logs:
            self._job.progress(
                StepProgress(
                    step=state.global_step,
                    n_steps=state.max_steps,
                    loss=logs["loss"],
                    learning_rate=logs["learning_rate"],
                    tokens_per_s=logs["tokens_per_s"],
                    mfu=logs.get("mfu"),
                )
            )

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        wait_for_all()  # each process writes a part of its own
        if state.is_world_process_zero:
            path = checkpoint_folder(self._job.folder, state.global_step)
            mark_complete(path, step=state.global_step, seconds=self.seconds)


def new_trainer(base: Base, rows: TokenRows, job: Job, arguments: SFTConfig) -> _Trainer:
    """The trainer of `job`; `rows` fit the window, so nothing is cut.

    Raises:
        ConfigError: adapters are to go on layers that the model does not have.
        MissingExtra: peft is needed and not installed.
    """
    table = _laid_out(rows.table, job)
    n_rows = table.num_rows
    table = _in_whole_batches(table, job.config.batch_size, filler=base.tokenizer.eos_token_id)
    dataset = Dataset.from_dict({name: table.column(name) for name in table.column_names})
    speed = _Speed(base, rows)
    try:
        trainer = _Trainer(
            model=base.model,
            args=arguments,
            train_dataset=dataset,
            processing_class=base.tokenizer,
            peft_config=_adapters(job.config),
        )
    except ValueError as exc:
        if job.config.lora is None:
            raise
        raise ConfigError(f"training.lora.target: {' '.join(str(exc).split())[:300]}") from exc
    trainer.speed, trainer.n_rows, trainer.n_filled_rows = speed, n_rows, table.num_rows
    trainer.remove_callback(PrinterCallback)
    return trainer


def _laid_out(table: pa.Table, job: Job) -> pa.Table:
    """The rows of an epoch, packed where the recipe says so.

    Neighbours in a set answer the same query; they are shuffled before they are packed, because a row of them would
    make its step narrower.
    """
    if not job.config.packing:
        return table
    return pack(table.take(np.random.default_rng(job.seed).permutation(table.num_rows)), job.config.max_length)


def _in_whole_batches(table: pa.Table, batch_size: int, *, filler: int) -> pa.Table:
    """`table` and rows without loss that bring it to a multiple of `batch_size`; `filler` is any token."""
    n_missing = -table.num_rows % batch_size
    empty = {"input_ids": [filler], "labels": [IGNORED], LENGTHS: [1]}
    columns = {field.name: pa.array([empty[field.name]] * n_missing, field.type) for field in table.schema}
    return pa.concat_tables([table, pa.table(columns)])


def fine_tune(base: Base, trainer: _Trainer, job: Job) -> Tuned:
    """Run the loop of `job` to its end, from its newest complete checkpoint if there is one.

    Raises:
        ConfigError: memory does not suffice, or packed examples would see each other.
        WriteError: a checkpoint could not be written.
    """
    from_main(lambda: remove_incomplete(job.folder))
    checkpoint = newest_complete(job.folder)
    watcher = _Watcher(job, trainer, checkpoint.seconds if checkpoint else 0.0)
    trainer.add_callback(watcher)
    try:
        with narrow_loss_buffer(base.model.config.get_text_config().vocab_size):
            trainer.train(resume_from_checkpoint=str(checkpoint.path) if checkpoint else None)
    except torch.OutOfMemoryError as exc:
        raise _out_of_memory(job.config) from exc
    except (OSError, SafetensorError) as exc:
        raise WriteError(f"{job.folder}: a checkpoint could not be written ({exc}); free space and run again") from exc
    return Tuned(
        trainer=trainer,
        log_history=[entry for entry in trainer.state.log_history if "loss" in entry],
        n_steps=trainer.state.global_step,
        n_rows=trainer.n_rows,
        n_filled_rows=trainer.n_filled_rows,
        seconds=watcher.seconds,
    )


def _adapters(config: TrainingConfig) -> Any:
    if config.lora is None:
        return None
    try:
        from peft import LoraConfig
    except ImportError as exc:
        raise MissingExtra("peft", "train") from exc
    lora = config.lora
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target) or "all-linear",
        task_type="CAUSAL_LM",
    )


def _out_of_memory(config: TrainingConfig) -> ConfigError:
    ways = [
        f"training.device_batch_size (now {config.device_batch_size})" * (config.device_batch_size > 1),
        "set training.gradient_checkpointing = true" * (not config.gradient_checkpointing),
        "train adapters with training.lora" * (config.lora is None),
        "spread the weights over more devices (docs/training.md)",
        f"lower training.max_length (now {config.max_length}), which drops the longest examples",
    ]
    return ConfigError(
        f"training: out of memory with {config.device_batch_size} rows of up to {config.max_length} tokens on a "
        f"device; in this order: {'lower ' if ways[0] else ''}{', or '.join(way for way in ways if way)}"
    )
