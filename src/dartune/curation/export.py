"""A training set on disk, in the forms that trainers read.

    sets/<method>/
      README.md              card of a Hugging Face dataset with two configurations: prompt-completion and chat
      train.parquet          query_id, trial, level, domain, n_tokens, prompt, completion
      train.jsonl            prompt, completion
      chat/train.parquet     messages
      contamination.jsonl    pairs of a query and a benchmark's problem that overlap
      queries.parquet        what each query was asked for, cost and gave
      manifest.json          written last: a folder with it is complete

`datasets.load_dataset("sets/<method>", "chat")` reads the folder as it is.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.curation.contamination import write_matches
from dartune.curation.content import TrainingSet
from dartune.curation.manifest import FILE_NAME, SetManifest
from dartune.errors import WriteError
from dartune.files import write_atomic, write_json, write_text

_ROWS_AT_ONCE = 16_384
"""Examples that are rendered and written together."""

_CHATS = pa.schema([("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])))])

Columns = dict[str, list[object]]


def write_set(folder: Path, content: TrainingSet, manifest: SetManifest) -> None:
    """Write every form of the set to `folder`. Raises WriteError; a folder without a manifest is incomplete."""
    try:
        (folder / "chat").mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made ({error.strerror})") from error
    rows = _row_writer(content)
    _write_table(folder / "train.parquet", _row_schema(content), map(rows, _parts(content)))
    _write_lines(folder / "train.jsonl", map(rows, _parts(content)))
    _write_table(folder / "chat" / "train.parquet", _CHATS, (_conversations(content, p) for p in _parts(content)))
    write_atomic(
        folder / "queries.parquet",
        lambda temporary: pq.write_table(_query_table(content), temporary, compression="zstd"),
    )
    write_matches(folder, content.matches)
    write_text(folder / "README.md", _card(manifest))
    write_json(folder / FILE_NAME, asdict(manifest))


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


def _conversations(content: TrainingSet, part: slice) -> Columns:
    questions = [content.job.queries[place].text for place in content.examples.queries[part].tolist()]
    answers = content.texts.responses[part].to_pylist()
    return {
        "messages": [
            [{"role": "user", "content": question}, {"role": "assistant", "content": answer.strip()}]
            for question, answer in zip(questions, answers, strict=True)
        ]
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


def _write_table(path: Path, schema: pa.Schema, parts: Iterator[Columns]) -> None:
    def write(temporary: Path) -> None:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for columns in parts:
                writer.write_table(pa.table(columns, schema=schema))

    write_atomic(path, write)


def _write_lines(path: Path, parts: Iterator[Columns]) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for rows in parts:
                for prompt, completion in zip(rows["prompt"], rows["completion"], strict=True):
                    line = json.dumps({"prompt": prompt, "completion": completion}, ensure_ascii=False)
                    file.write(f"{line}\n")

    write_atomic(path, write)
