"""From a recipe's settings to those of TRL's trainer."""

import os
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK, get_available_reporting_integrations
from trl.trainer.sft_config import SFTConfig

from dartune.config import TrainingConfig
from dartune.errors import ConfigError
from dartune.training.base import trains_in_half
from dartune.training.checkpoints import N_KEPT
from dartune.training.ranks import n_ranks

_SCHEDULERS = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def new_arguments(config: TrainingConfig, *, seed: int, folder: Path) -> SFTConfig:
    """The trainer's arguments; `folder` is for checkpoints. Joins the other processes of this training, if any.

    They have to be made before the model is loaded: FSDP and DeepSpeed then load it in parts.

    Raises:
        ConfigError: a tracker or kernel is not installed, or the batch size cannot be made of whole device batches.
    """
    _check_trackers(config)
    _check_kernels(config)
    return SFTConfig(
        output_dir=str(folder),
        use_cpu=not torch.accelerator.is_available(),
        seed=seed,
        num_train_epochs=config.n_epochs,
        max_steps=config.n_steps or -1,
        per_device_train_batch_size=config.device_batch_size,
        gradient_accumulation_steps=accumulation_steps(config, n_devices=n_ranks()),
        # Rows are packed and fit already; "packing" has TRL read the lengths of their examples.
        packing=config.packing,
        packing_strategy="bfd",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        learning_rate=config.learning_rate,
        lr_scheduler_type=_SCHEDULERS[config.schedule],
        warmup_steps=config.warmup_ratio,
        weight_decay=config.weight_decay,
        bf16=trains_in_half(config),
        use_liger_kernel=config.liger_kernels,
        ddp_find_unused_parameters=False,
        # FSDP recomputes by itself, as its own configuration says; both together would gather weights twice.
        activation_checkpointing=config.gradient_checkpointing and os.environ.get("ACCELERATE_USE_FSDP") != "true",
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=N_KEPT,
        # Every step, so that the history of a resumed training is that of an uninterrupted one.
        logging_steps=1,
        report_to=list(config.report_to) or "none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
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


def _check_trackers(config: TrainingConfig) -> None:
    for name in config.report_to:
        if name not in INTEGRATION_TO_CALLBACK:
            known = ", ".join(sorted(INTEGRATION_TO_CALLBACK))
            raise ConfigError(f"training.report_to: expected trackers among {known}, got {name!r}")
        if name not in get_available_reporting_integrations():  # type: ignore[no-untyped-call]
            raise ConfigError(f"training.report_to: {name} is not installed; mend it with: pip install {name}")


def _check_kernels(config: TrainingConfig) -> None:
    if not config.liger_kernels:
        return
    if find_spec("liger_kernel") is None:
        raise ConfigError(
            "training.liger_kernels: liger-kernel is not installed; mend it with: pip install liger-kernel, or set it "
            "to false"
        )
    if not torch.cuda.is_available():
        raise ConfigError("training.liger_kernels: Liger's kernels need a GPU, and there is none; set it to false")
