"""The model card of a tuned model: what it was made from, how, and how to ask it."""

import json
from pathlib import Path
from typing import Any

from dartune.files import write_text
from dartune.training.record import MANIFEST_FILE, TrainingRecord, set_files, training_hash, versions

CARD_FILE = "README.md"

_CARD = """---
base_model: {model}
library_name: transformers
pipeline_tag: text-generation
tags: [dartune, math, sft]
---

# {title}

Fine-tuned by [DART](https://arxiv.org/abs/2407.13690) from `{model}` with dartune {dartune}, on responses that were
sampled from a model and graded right. `training.json` has every setting, digest and loss; `{set_manifest}` is the
manifest of the training set.

| | |
|:---|---:|
{rows}

Asked with the prompt template `{template}`, in which it was trained.
"""


def write_card(out: Path, record: TrainingRecord) -> None:
    """Write the card of the model in `out`."""
    manifest = json.loads(set_files(record.set_dir)[1].read_bytes())
    config = record.config
    title = f"{Path(config.model).name.removeprefix('world:')} on {manifest.get('method', 'its set')}"
    rows = "\n".join(f"| {name} | {_text(value)} |" for name, value in _facts(record, manifest).items())
    text = _CARD.format(
        model=config.model,
        title=title,
        dartune=versions()["dartune"],
        set_manifest=MANIFEST_FILE,
        rows=rows,
        template=manifest.get("template", "unknown"),
    )
    write_text(out / CARD_FILE, text)


def _facts(record: TrainingRecord, manifest: dict[str, Any]) -> dict[str, object]:
    config, report = record.config, record.report
    return {
        "Recipe hash": record.recipe_hash,
        "Training hash": training_hash(record.identity),
        "Pool hash": manifest.get("pool_hash"),
        "Seed": record.identity["seed"],
        "Policy of the set": (manifest.get("policy") or {}).get("policy"),
        "Examples": report.n_examples,
        "Prompt tokens": report.n_prompt_tokens,
        "Completion tokens": report.n_completion_tokens,
        "Left out as too long": report.n_too_long,
        "Cut as too long": report.n_truncated,
        "Steps": report.n_steps,
        "Rows in a step": config.batch_size,
        "Tokens in a row": config.max_length,
        "Fill of the rows": f"{report.fill:.2%}",
        "Learning rate": f"{config.learning_rate:g}, {config.schedule}, {config.warmup_ratio:.0%} warm-up",
        "Trained weights": f"adapters of rank {config.lora.rank}" if config.lora else "all",
        "Final loss": f"{report.final_loss:.4f}",
    }


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "unknown" if value is None else str(value)
