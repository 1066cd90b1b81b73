"""From a tuned model in memory, perhaps spread over processes, to a model folder as transformers reads it."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel
from transformers.integrations.deepspeed import unset_hf_deepspeed_config
from transformers.trainer import TRAINING_ARGS_NAME

from dartune.errors import WriteError
from dartune.files import sync
from dartune.training.base import Base, load_base
from dartune.training.ranks import from_main, n_ranks, wait_for_all
from dartune.training.sft import Job, Tuned

ADAPTER_FOLDER = "adapter"
"""Where adapters lie beside the model that they are merged into."""


def save(tuned: Tuned, base: Base, job: Job, *, source: str, out: Path) -> None:
    """Write the model, its tokenizer and configurations into `out`, in the base's type; every process has to call it.

    Adapters are written to `out/adapter`, and merged into the weights of `source`.

    Raises:
        WriteError: the disk refuses.
    """
    try:
        if job.config.lora is not None:
            tuned.trainer.save_model(str(out / ADAPTER_FOLDER))
            from_main(lambda: _merge(source, job, base, out))
        elif n_ranks() == 1:
            torch.nn.Module.to(base.model, dtype=base.stored_dtype)
            tuned.trainer.save_model(str(out))
        else:
            _save_gathered(tuned, base, out)
        from_main(lambda: _finish(out))
    except (OSError, SafetensorError) as exc:
        raise WriteError(f"{out}: the model could not be written ({exc}); free space and run again") from exc


def _merge(source: str, job: Job, base: Base, out: Path) -> None:
    """Adapters are few and small: reading the base anew is simpler than gathering it, however it is spread."""
    from peft import PeftModel

    unset_hf_deepspeed_config()  # type: ignore[no-untyped-call]
    whole = load_base(source, job.config.model_copy(update={"attention": "eager"}), seed=job.seed).model
    merged = PeftModel.from_pretrained(whole, str(out / ADAPTER_FOLDER)).merge_and_unload()
    torch.nn.Module.to(merged, dtype=base.stored_dtype)
    merged.save_pretrained(str(out))
    base.tokenizer.save_pretrained(str(out))


def _save_gathered(tuned: Tuned, base: Base, out: Path) -> None:
    trainer = tuned.trainer
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)

    def write() -> None:
        model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
        assert isinstance(model, PreTrainedModel)
        # Gathered by FSDP2, a tied weight comes once under each of its names, and would be written as often.
        for name, source in model.all_tied_weights_keys.items():
            weights[name] = weights[source]
        model.save_pretrained(str(out), state_dict=_in_dtype(weights, base.stored_dtype))
        base.tokenizer.save_pretrained(str(out))

    from_main(write)
    wait_for_all()


def _in_dtype(weights: dict[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Weights that are tied stay one tensor, so that they are written once."""
    made: dict[int, torch.Tensor] = {}
    return {name: made.setdefault(weight.data_ptr(), weight.to(dtype)) for name, weight in weights.items()}


def _finish(out: Path) -> None:
    for folder in (out, out / ADAPTER_FOLDER):
        (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)
    for file in out.iterdir():
        sync(file)
