"""Supervised fine-tuning on TRL's SFTTrainer: a recipe and rows of tokens in, a tuned model out.

Loss is the mean over the completion tokens of an optimizer step, whatever way they are split over rows, accumulation
and devices. Packed rows hold whole examples ("bfd": best fit, none cut); positions start anew with each, from which
transformers builds a mask that keeps examples apart.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import torch
from datasets import Dataset
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.utils import logging as transformers_logging
from trl.trainer import utils as trl_utils
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from dartune.config import TrainingConfig
from dartune.errors import ConfigError, ModelError, WriteError
from dartune.files import sync
from dartune.training.checkpoints import (
    N_KEPT,
    checkpoint_folder,
    mark_complete,
    newest_complete,
    remove_incomplete,
)
from dartune.training.rows import TokenRows

_SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The model that training starts from."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stored_dtype: torch.dtype
    """Type of the weights on disk; they are trained in float32 and saved in this type."""
    context: int | None
    """Longest sequence that the model's configuration allows, where it says."""


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
    seconds: float
    """Time in the loop, over all resumed runs."""


class _Trainer(SFTTrainer):
    """SFTTrainer that tells nobody, and writes no model card into every checkpoint."""

    def _send_telemetry(self) -> None:
        pass

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """Write nothing."""


class _Watcher(TrainerCallback):
    """Reports steps, keeps time, and marks checkpoints complete."""

    def __init__(self, job: Job, seconds_before: float) -> None:
        self._job = job
        self._seconds_before = seconds_before
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._start

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._start = time.perf_counter()

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        logs = kwargs["logs"]
        if self._job.progress is not None and state.is_world_process_zero and "loss" in logs:
            self._job.progress(
                StepProgress(
                    step=state.global_step,
                    n_steps=state.max_steps,
                    loss=logs["loss"],
                    learning_rate=logs["learning_rate"],
                    tokens_per_s=logs["num_tokens"] / (time.perf_counter() - self._start),
                )
            )

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            path = checkpoint_folder(self._job.folder, state.global_step)
            mark_complete(path, step=state.global_step, seconds=self.seconds)


def load_base(source: str) -> Base:
    """Load a model folder or hub id in float32, for training.

    Raises:
        ModelError: transformers cannot load it.
    """
    try:
        shape = AutoConfig.from_pretrained(source)
        tokenizer = AutoTokenizer.from_pretrained(source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, use_safetensors=True)
    except (OSError, ValueError, SafetensorError) as exc:
        raise ModelError(f"{source}: transformers cannot load it ({str(exc).strip().splitlines()[0]})") from exc
    return Base(
        model=model,
        tokenizer=tokenizer,
        stored_dtype=shape.dtype or torch.float32,
        context=getattr(shape.get_text_config(), "max_position_embeddings", None),
    )


def new_trainer(base: Base, rows: TokenRows, job: Job) -> SFTTrainer:
    """The trainer of `job`; `rows` fit the window, so nothing is cut.

    Raises:
        ConfigError: the batch size cannot be made of whole device batches.
    """
    dataset = Dataset.from_dict({name: rows.table.column(name) for name in rows.table.column_names})
    if job.config.packing:
        # Neighbours in a set answer the same query; packing them into one row would make every step narrower.
        dataset = dataset.shuffle(seed=job.seed)
    trainer = _Trainer(model=base.model, args=_arguments(job), train_dataset=dataset, processing_class=base.tokenizer)
    trainer.remove_callback(PrinterCallback)
    return trainer


def fine_tune(base: Base, trainer: SFTTrainer, job: Job) -> Tuned:
    """Run the loop of `job` to its end, from its newest complete checkpoint if there is one.

    Raises:
        WriteError: a checkpoint could not be written.
    """
    remove_incomplete(job.folder)
    checkpoint = newest_complete(job.folder)
    watcher = _Watcher(job, checkpoint.seconds if checkpoint else 0.0)
    trainer.add_callback(watcher)
    try:
        with _narrow_loss_buffer(base.model.config.get_text_config().vocab_size):
            trainer.train(resume_from_checkpoint=str(checkpoint.path) if checkpoint else None)
    except (OSError, SafetensorError) as exc:
        raise WriteError(f"{job.folder}: a checkpoint could not be written ({exc}); free space and run again") from exc
    return Tuned(
        trainer=trainer,
        log_history=[entry for entry in trainer.state.log_history if "loss" in entry],
        n_steps=trainer.state.global_step,
        seconds=watcher.seconds,
    )


def save(tuned: Tuned, base: Base, out: Path) -> None:
    """Write the model, its tokenizer and configurations into `out`, in the base's type.

    Raises:
        WriteError: the disk refuses.
    """
    try:
        torch.nn.Module.to(base.model, dtype=base.stored_dtype)
        tuned.trainer.save_model(str(out))
        (out / TRAINING_ARGS_NAME).unlink(missing_ok=True)
        for file in out.iterdir():
            sync(file)
    except (OSError, SafetensorError) as exc:
        raise WriteError(f"{out}: the model could not be written ({exc}); free space and run again") from exc


@contextmanager
def quiet() -> Iterator[None]:
    """Silence progress bars and notices of the libraries; errors still raise."""
    verbosity, had_bars = transformers_logging.get_verbosity(), datasets.is_progress_bar_enabled()
    had_transformers_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if had_transformers_bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
        if had_bars:
            datasets.enable_progress_bars()


@contextmanager
def _narrow_loss_buffer(n_columns: int) -> Iterator[None]:
    """Make TRL's buffer of logits no wider than the vocabulary.

    It is 32,768 columns wide however few are used; at 180 entries the far-apart rows cost 7 % of each step on CPU.
    """
    before = trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE
    trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE = min(before, n_columns)
    try:
        yield
    finally:
        trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE = before


@contextmanager
def threads(n_threads: int | None) -> Iterator[None]:
    """Compute on `n_threads` CPU threads; None leaves torch's number."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _arguments(job: Job) -> SFTConfig:
    config = job.config
    on_gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(job.folder),
        seed=job.seed,
        num_train_epochs=config.n_epochs,
        per_device_train_batch_size=config.device_batch_size,
        gradient_accumulation_steps=accumulation_steps(config, n_devices=int(os.environ.get("WORLD_SIZE", "1"))),
        # Without packing this would only cut rows, one by one in Python, that are known to fit.
        max_length=config.max_length if config.packing else None,
        packing=config.packing,
        packing_strategy="bfd",
        learning_rate=config.learning_rate,
        lr_scheduler_type=_SCHEDULERS[config.schedule],
        warmup_steps=config.warmup_ratio,
        weight_decay=config.weight_decay,
        bf16=config.dtype == "bfloat16" or (config.dtype == "auto" and on_gpu and torch.cuda.is_bf16_supported()),
        activation_checkpointing=config.gradient_checkpointing,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=N_KEPT,
        # Every step, so that the history of a resumed training is that of an uninterrupted one.
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=on_gpu,
    )


def accumulation_steps(config: TrainingConfig, *, n_devices: int) -> int:
    """Device batches that make up one optimizer step on each of `n_devices`.

    Raises:
        ConfigError: `batch_size` is not a multiple of the rows on all devices at a time.
    """
    at_once = config.device_batch_size * n_devices
    if config.batch_size % at_once:
        raise ConfigError(
            f"training.batch_size: expected a multiple of {at_once} (device_batch_size {config.device_batch_size} x "
            f"{n_devices} devices), got {config.batch_size}; change one of the two"
        )
    return config.batch_size // at_once
