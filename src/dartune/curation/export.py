"""A training set on disk, in the forms that trainers read.

    sets/<method>/
      README.md              card of a Hugging Face dataset, with a configuration for each form
      train.parquet          query_id, trial, level, domain, n_tokens, prompt, completion
      train.jsonl            prompt, completion
      chat/train.parquet     messages
      contamination.jsonl    pairs of a query and a benchmark's problem that overlap
      queries.parquet        what each query was asked for, cost and gave
      manifest.json          written last: a folder with it is complete

and where the recipe's `curation.exports` has their names

      alpaca/train.parquet   instruction, input, output; the same in train.jsonl
      dart/train.parquet     query, response
      grpo/train.parquet     prompts for TRL's GRPOTrainer
      verl/train.parquet     prompts for verl

`datasets.load_dataset("sets/<method>", "chat")` reads the folder as it is.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.config import ExportName
from dartune.curation.card import CONFIGS, render_card
from dartune.curation.contamination import write_matches
from dartune.curation.content import TrainingSet
from dartune.curation.manifest import FILE_NAME, SetManifest
from dartune.curation.rl import GRPO_SCHEMA, VERL_SCHEMA, grpo_columns, verl_columns
from dartune.curation.writing import Columns, write_lines, write_table
from dartune.errors import WriteError
from dartune.files import write_atomic, write_json, write_text

_ROWS_AT_ONCE = 16_384
"""Examples that are rendered and written together."""
_FORMS_AT_ONCE = 2
"""Files that are written side by side: while one is compressed or synced, the rows of the other are made."""

_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_CHATS = pa.schema([("messages", pa.list_(_MESSAGE))])
_INSTRUCTIONS = pa.schema([("instruction", pa.string()), ("input", pa.string()), ("output", pa.string())])
_PAIRS = pa.schema([("query", pa.string()), ("response", pa.string())])


def write_set(folder: Path, content: TrainingSet, manifest: SetManifest) -> None:
    """Write every form of the set to `folder`. Raises WriteError; a folder without a manifest is incomplete."""
    exports = content.job.config.exports
    _clear(folder)
    with ThreadPoolExecutor(max_workers=_FORMS_AT_ONCE) as threads:
        for written in [threads.submit(write) for write in _form_writers(folder, content)]:
            written.result()
    write_atomic(
        folder / "queries.parquet",
        lambda temporary: pq.write_table(_query_table(content), temporary, compression="zstd"),
    )
    write_matches(folder, content.matches)
    write_text(folder / "README.md", render_card(manifest, exports))
    write_json(folder / FILE_NAME, asdict(manifest))


def _form_writers(folder: Path, content: TrainingSet) -> list[Callable[[], None]]:
    """What writes each of the forms, those that take longest first."""
    rows = _row_writer(content)
    return [
        lambda: write_lines(folder / "train.jsonl", (_prompts_and_completions(rows(p)) for p in _parts(content))),
        lambda: write_table(folder / "train.parquet", _row_schema(content), map(rows, _parts(content))),
        lambda: write_table(
            folder / "chat" / "train.parquet", _CHATS, (_conversations(content, p) for p in _parts(content))
        ),
        *(partial(_EXPORTS[name], folder / CONFIGS[name][1], content) for name in content.job.config.exports),
    ]


def _clear(folder: Path) -> None:
    """Take away what would belong to another set: its manifest, and forms that this one may not have."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).unlink(missing_ok=True)
        for name in get_args(ExportName):
            if (old := folder / CONFIGS[name][1]).exists():
                shutil.rmtree(old.parent)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made ({error.strerror})") from error


def _parts(content: TrainingSet) -> Iterator[slice]:
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, len(content.examples), _ROWS_AT_ONCE))


def _row_writer(content: TrainingSet) -> Callable[[slice], Columns]:
    """What makes the rows of some examples, each query's prompt rendered once."""
    template, queries = content.job.template, content.job.queries

    @cache
    def prompt(place: int) -> str:
        return template.render(queries[place].text)

    def rows(part: slice) -> Columns:
        places = content.examples.queries[part].tolist()
        return {
            "query_id": [queries[place].id for place in places],
            "trial": content.examples.trials[part].tolist(),
            "level": [queries[place].level for place in places],
            "domain": [queries[place].domain for place in places],
            "n_tokens": content.examples.n_tokens[part].tolist(),
            "prompt": [prompt(place) for place in places],
            "completion": [template.completion(text) for text in content.texts.responses[part].to_pylist()],
        }

    return rows


def _row_schema(content: TrainingSet) -> pa.Schema:
    """Levels and domains have no type where no example has any."""
    used = [content.job.queries[place] for place in set(content.examples.queries.tolist())]
    return pa.schema(
        [
            ("query_id", pa.string()),
            ("trial", pa.int64()),
            ("level", pa.int64() if any(query.level is not None for query in used) else pa.null()),
            ("domain", pa.string() if any(query.domain is not None for query in used) else pa.null()),
            ("n_tokens", pa.int64()),
            ("prompt", pa.string()),
            ("completion", pa.string()),
        ]
    )


def _prompts_and_completions(rows: Columns) -> Columns:
    return {name: rows[name] for name in ("prompt", "completion")}


def _pairs(content: TrainingSet, part: slice) -> Columns:
    """Problems and responses without any prompt around them."""
    return {
        "query": [content.job.queries[place].text for place in content.examples.queries[part].tolist()],
        "response": [text.strip() for text in content.texts.responses[part].to_pylist()],
    }


def _conversations(content: TrainingSet, part: slice) -> Columns:
    # Of Arrow's parts: from lists of dictionaries they would take three times as long.
    pairs = _pairs(content, part)
    n_pairs = len(pairs["query"])
    texts = [text for pair in zip(pairs["query"], pairs["response"], strict=True) for text in pair]
    messages = pa.StructArray.from_arrays(
        [pa.array(["user", "assistant"] * n_pairs), pa.array(texts, pa.string())], fields=list(_MESSAGE)
    )
    offsets = pa.array(range(0, 2 * n_pairs + 1, 2), pa.int32())
    return {"messages": pa.ListArray.from_arrays(offsets, messages, type=_CHATS.field("messages").type)}


def _instructions(content: TrainingSet, part: slice) -> Columns:
    pairs = _pairs(content, part)
    return {"instruction": pairs["query"], "input": [""] * len(pairs["query"]), "output": pairs["response"]}


def _write_alpaca(path: Path, content: TrainingSet) -> None:
    """As Parquet, for `datasets` reads all configurations of a folder by one format, and as the usual JSON lines."""
    write_table(path, _INSTRUCTIONS, (_instructions(content, part) for part in _parts(content)))
    write_lines(path.with_suffix(".jsonl"), (_instructions(content, part) for part in _parts(content)))


_EXPORTS: Mapping[ExportName, Callable[[Path, TrainingSet], None]] = {
    "alpaca": _write_alpaca,
    "dart": lambda path, content: write_table(path, _PAIRS, (_pairs(content, part) for part in _parts(content))),
    "grpo": lambda path, content: write_table(path, GRPO_SCHEMA, [grpo_columns(content.job.template, content.prompts)]),
    "verl": lambda path, content: write_table(path, VERL_SCHEMA, [verl_columns(content.prompts)]),
}


def _query_table(content: TrainingSet) -> pa.Table:
    queries, choices, sums = content.job.queries, list(content.choices.values()), content.sums()
    return pa.table(
        {
            "query_id": [query.id for query in queries],
            "level": [query.level for query in queries],
            "target": [choice.target.n_correct for choice in choices],
            "max_trials": [choice.target.max_trials for choice in choices],
            "min_trials": [choice.target.min_trials for choice in choices],
            "n_raw": [choice.cost.n_raw for choice in choices],
            "n_correct": [choice.cost.n_correct for choice in choices],
            "raw_tokens": [choice.cost.n_tokens for choice in choices],
            "n_examples": sums.n_examples,
            "response_tokens": sums.response_tokens,
            "prompt_tokens": sums.prompt_tokens,
        }
    )
