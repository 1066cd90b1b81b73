"""The card of a training set: how it was made, in numbers, above the settings by which `datasets` reads the folder."""

import json
from collections.abc import Sequence

from dartune.config import ExportName
from dartune.curation.manifest import SetManifest

CONFIGS: dict[ExportName | None, tuple[str, str]] = {
    None: ("chat", "chat/train.parquet"),
    "alpaca": ("alpaca", "alpaca/train.parquet"),
    "dart": ("dart", "dart/train.parquet"),
    "grpo": ("grpo", "grpo/train.parquet"),
    "verl": ("verl", "verl/train.parquet"),
}
"""What a recipe asks for -> name of its configuration, and its file; None: what is always there."""


def render_card(manifest: SetManifest, exports: Sequence[ExportName]) -> str:
    """The README.md of the set's folder."""
    return "\n".join(
        [
            *_settings(exports),
            f"# {manifest.method}",
            "",
            f"{manifest.n_examples:,} examples with {manifest.response_tokens:,} response tokens, chosen from a pool "
            f"of graded responses by dartune {manifest.dartune_version}: policy `{json.dumps(manifest.policy)}`, "
            f"prompts by `{manifest.template}`, seed {manifest.seed}. The numbers are those of `manifest.json`.",
            "",
            *_table(
                ("level", "queries", "covered", "examples", "response tokens", "correct", "of these unsound"),
                _levels(manifest),
            ),
            "",
            *_table(("what", "number"), _counts(manifest)),
            *_overlaps(manifest),
            "",
        ]
    )


def _settings(exports: Sequence[ExportName]) -> list[str]:
    configs = [CONFIGS[None], *(CONFIGS[name] for name in exports)]
    first = ["- config_name: prompt-completion", "  default: true", "  data_files: train.parquet"]
    others = [line for name, file in configs for line in (f"- config_name: {name}", f"  data_files: {file}")]
    return ["---", "tags:", "- dartune", "- synthetic", "configs:", *first, *others, "---", ""]


def _levels(manifest: SetManifest) -> list[tuple[object, ...]]:
    return [
        (
            "-" if level.level is None else level.level,
            f"{level.n_queries:,}",
            f"{level.n_covered:,}",
            f"{level.n_examples:,}",
            f"{level.response_tokens:,}",
            f"{level.n_correct:,}",
            f"{level.n_unsound:,}",
        )
        for level in manifest.levels
    ]


def _counts(manifest: SetManifest) -> list[tuple[object, ...]]:
    counts = {
        "prompt tokens": manifest.prompt_tokens,
        "responses left out because an earlier one reads the same": manifest.n_duplicates,
        "left out because an earlier one reads nearly the same": manifest.n_near_duplicates,
        "correct responses that came to their answer by a fault": manifest.n_unsound,
        "examples fewer than asked for": manifest.n_missing,
        "queries not yet sampled to their end": manifest.n_unfinished,
        "queries that a benchmark asks too": manifest.n_contaminated,
        "of these left out": manifest.n_dropped_queries,
        "prompts for reinforcement learning": manifest.n_prompts,
    }
    return [(what, f"{n:,}") for what, n in counts.items()]


def _overlaps(manifest: SetManifest) -> list[str]:
    if not manifest.overlaps:
        return ["", "Not compared with any benchmark."]
    rows = [(o.benchmark, f"{o.n_problems:,}", o.n_exact, o.n_ngram, o.n_queries) for o in manifest.overlaps]
    return [
        "",
        "Compared with these benchmarks; every pair that matches is in `contamination.jsonl`.",
        "",
        *_table(("benchmark", "problems", "exact pairs", "n-gram pairs", "queries"), rows),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return [f"| {' | '.join(map(_cell, row))} |" for row in (header, ["---"] * len(header), *rows)]


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")
