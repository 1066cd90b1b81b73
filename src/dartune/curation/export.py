"""A training set on disk, in the forms that trainers read.

    sets/<method>/
      README.md              card of a Hugging Face dataset with two configurations: prompt-completion and chat
      train.parquet          query_id, trial, level, domain, n_tokens, prompt, completion
      train.jsonl            prompt, completion
      chat/train.parquet     messages
      queries.parquet        what each query was asked for, cost and gave
      manifest.json          written last: a folder with it is complete

`datasets.load_dataset("sets/<method>", "chat")` reads the folder as it is.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.curation.choose import Candidate, Choice
from dartune.curation.manifest import FILE_NAME, SetManifest
from dartune.errors import WriteError
from dartune.files import write_atomic, write_json, write_text
from dartune.prompts import Template
from dartune.types import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """What was chosen, with what is needed to write it."""

    queries: Sequence[Query]
    template: Template
    choices: Mapping[str, Choice]
    chosen: Sequence[Candidate]


def write_set(folder: Path, content: TrainingSet, manifest: SetManifest) -> None:
    """Write every form of the set to `folder`. Raises WriteError; a folder without a manifest is incomplete."""
    try:
        (folder / "chat").mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made ({error.strerror})") from error
    rows = _rows(content)
    _write_table(folder / "train.parquet", pa.table(rows))
    pairs = zip(rows["prompt"], rows["completion"], strict=True)
    lines = "".join(json.dumps({"prompt": p, "completion": c}, ensure_ascii=False) + "\n" for p, c in pairs)
    write_text(folder / "train.jsonl", lines)
    _write_table(folder / "chat" / "train.parquet", pa.table({"messages": _conversations(content)}))
    _write_table(folder / "queries.parquet", pa.table(_query_rows(content)))
    write_text(folder / "README.md", _card(manifest))
    write_json(folder / FILE_NAME, asdict(manifest))


def _rows(content: TrainingSet) -> dict[str, list[object]]:
    queries = {query.id: query for query in content.queries}
    pairs = [(queries[c.key.query_id], c) for c in content.chosen]
    return {
        "query_id": [q.id for q, _ in pairs],
        "trial": [c.key.trial for _, c in pairs],
        "level": [q.level for q, _ in pairs],
        "domain": [q.domain for q, _ in pairs],
        "n_tokens": [c.n_tokens for _, c in pairs],
        "prompt": [content.template.render(q.text) for q, _ in pairs],
        "completion": [content.template.completion(c.text) for _, c in pairs],
    }


def _conversations(content: TrainingSet) -> list[list[dict[str, str]]]:
    texts = {query.id: query.text for query in content.queries}
    return [
        [{"role": "user", "content": texts[c.key.query_id]}, {"role": "assistant", "content": c.text.strip()}]
        for c in content.chosen
    ]


def _query_rows(content: TrainingSet) -> dict[str, list[object]]:
    n_examples = Counter(c.key.query_id for c in content.chosen)
    tokens: Counter[str] = Counter()
    prompt_tokens: Counter[str] = Counter()
    for c in content.chosen:
        tokens[c.key.query_id] += c.n_tokens
        prompt_tokens[c.key.query_id] += c.n_prompt_tokens
    pairs = [(query, content.choices[query.id]) for query in content.queries]
    return {
        "query_id": [q.id for q, _ in pairs],
        "level": [q.level for q, _ in pairs],
        "target": [c.target.n_correct for _, c in pairs],
        "max_trials": [c.target.max_trials for _, c in pairs],
        "n_raw": [c.cost.n_raw for _, c in pairs],
        "n_correct": [c.cost.n_correct for _, c in pairs],
        "raw_tokens": [c.cost.n_tokens for _, c in pairs],
        "n_examples": [n_examples[q.id] for q, _ in pairs],
        "response_tokens": [tokens[q.id] for q, _ in pairs],
        "prompt_tokens": [prompt_tokens[q.id] for q, _ in pairs],
    }


def _card(manifest: SetManifest) -> str:
    rows = "".join(
        f"| {'-' if level.level is None else level.level} | {level.n_queries} | {level.n_covered} "
        f"| {level.n_examples} | {level.response_tokens} |\n"
        for level in manifest.levels
    )
    return (
        "---\nconfigs:\n"
        "- config_name: prompt-completion\n  default: true\n  data_files: train.parquet\n"
        "- config_name: chat\n  data_files: chat/train.parquet\n---\n\n"
        f"# {manifest.method}\n\n"
        f"{manifest.n_examples} examples, {manifest.response_tokens} response tokens, "
        f"chosen by dartune {manifest.dartune_version} with the policy `{json.dumps(manifest.policy)}`.\n\n"
        "| level | queries | covered | examples | response tokens |\n|---|---|---|---|---|\n" + rows
    )


def _write_table(path: Path, table: pa.Table) -> None:
    write_atomic(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
