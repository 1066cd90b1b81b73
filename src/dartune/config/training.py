"""The fine-tuning of a recipe: what is learnt, for how long, and by what means."""

from typing import Annotated, Literal

from pydantic import Field

from dartune.config.sections import Count, Section

AttentionName = Literal[
    "auto", "per_example", "sdpa", "eager", "flex_attention", "flash_attention_2", "flash_attention_3"
]
"""How attention is computed. auto: FlashAttention 2 where it is installed and the training is on a GPU in bfloat16;
else, for packed rows, torch's attention of each example by itself where the model allows; else the model's choice."""


class LoraConfig(Section):
    """Low-rank adapters beside frozen weights (arXiv 2106.09685), merged into the model when it is saved."""

    rank: Count = 64
    alpha: Count = 128
    """Scale of the adapters, which add `alpha / rank` times their product."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target: tuple[str, ...] = ()
    """Ends of the names of the layers that get adapters; none given: every linear layer but the last."""


class TrainingConfig(Section):
    """Supervised fine-tuning. The defaults are the paper's (appendix B)."""

    model: str
    """The base model: a folder, a hub id, or "world:<name>"."""
    n_epochs: Annotated[float, Field(gt=0)] = 3
    n_steps: Count | None = None
    """Optimizer steps, whatever the size of the set, instead of `n_epochs`."""
    batch_size: Count = 64
    """Rows in one optimizer step (packed rows where `packing`), over all devices."""
    device_batch_size: Count = 1
    """Rows on one device at a time; gradients accumulate up to `batch_size`."""
    max_length: Count = 4096
    """Tokens in one row."""
    too_long: Literal["drop", "truncate"] = "drop"
    """What becomes of a longer example: left out, or cut at its end, so that it teaches no end. They are counted."""
    packing: bool = True
    learning_rate: Annotated[float, Field(gt=0)] = 1e-5
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.03
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    lora: LoraConfig | None = None
    """Train adapters instead of all weights."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    attention: AttentionName = "auto"
    liger_kernels: bool = False
    """Liger's fused layers; on a GPU."""
    gradient_checkpointing: bool = False
    report_to: tuple[str, ...] = ()
    """Trackers that get loss, learning rate and speed, by their names in transformers: wandb, mlflow, ..."""
    checkpoint_every: Count = 500
    """Optimizer steps between checkpoints from which a stopped training resumes."""
    n_threads: Count | None = None
    """CPU threads of one process; None leaves torch's default."""
