"""From a training set on disk to rows of tokens.

A row is the prompt as an engine tokenises it (the tokenizer's own special tokens, so a first token comes once), then
the completion on its own without special tokens, then the end token. Prompt and completion are never tokenised as one
text: tokens that merge across the boundary would train on a context that sampling never shows. Labels repeat the
completion and the end token, and are -100 on the prompt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dartune.errors import DataError, ModelError
from dartune.training.record import set_files

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label that carries no loss."""

_COLUMNS = ("prompt", "completion")
_TOKENS = pa.list_(pa.int32())
_BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRows:
    """A training set in tokens, in the order of the set."""

    table: pa.Table
    """Columns input_ids and labels, lists of int32 of equal lengths."""
    n_prompt_tokens: int
    n_completion_tokens: int
    """End tokens included."""
    n_squared_tokens: int
    """Sum of the squared lengths of the examples."""
    n_too_long: int
    """Examples left out because they exceed the window."""
    n_truncated: int
    """Examples cut to the window; they have no end token."""

    @property
    def n_examples(self) -> int:
        """Examples that are trained on."""
        return int(self.table.num_rows)

    @property
    def n_tokens(self) -> int:
        """Tokens of all examples."""
        return self.n_prompt_tokens + self.n_completion_tokens


class _Example(NamedTuple):
    prompt_ids: list[int]
    completion_ids: list[int]

    @property
    def length(self) -> int:
        return len(self.prompt_ids) + len(self.completion_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What fits."""

    max_length: int
    """Tokens of one example."""
    too_long: Literal["drop", "truncate"] = "drop"
    """What becomes of a longer one."""

    def fit(self, example: _Example) -> _Example | None:
        """The example as it is trained on; None where it is left out.

        A cut example ends where the window does. It has no end token, so it does not teach to stop there; one whose
        prompt alone fills the window has nothing to teach.
        """
        if example.length <= self.max_length:
            return example
        room = self.max_length - len(example.prompt_ids)
        if self.too_long == "drop" or room <= 0:
            return None
        return _Example(example.prompt_ids, example.completion_ids[:room])


def read_rows(set_dir: Path, tokenizer: "PreTrainedTokenizerBase", window: Window) -> TokenRows:
    """Tokenise `set_dir`; examples that exceed the window are left out or cut, and counted.

    Raises:
        DataError: the set is missing, unreadable or empty, a cell is null, or every example is too long.
        ModelError: the tokenizer has no end token.
    """
    if tokenizer.eos_token_id is None:
        raise ModelError("the base model's tokenizer has no end token; set eos_token in its tokenizer_config.json")
    path = set_files(set_dir)[0]
    batches: list[pa.RecordBatch] = []
    n_prompt = n_completion = n_squared = n_too_long = n_truncated = 0
    for examples in _tokenised(path, tokenizer):
        fitted = [window.fit(example) for example in examples]
        kept = [example for example in fitted if example is not None]
        n_too_long += len(examples) - len(kept)
        n_truncated += sum(e is not None and e.length < whole.length for e, whole in zip(fitted, examples, strict=True))
        n_prompt += sum(len(e.prompt_ids) for e in kept)
        n_completion += sum(len(e.completion_ids) for e in kept)
        n_squared += sum(e.length**2 for e in kept)
        input_ids = pa.array([e.prompt_ids + e.completion_ids for e in kept], _TOKENS)
        labels = pa.array([[IGNORED] * len(e.prompt_ids) + e.completion_ids for e in kept], _TOKENS)
        batches.append(pa.record_batch([input_ids, labels], names=["input_ids", "labels"]))
    if not n_prompt + n_completion:
        raise _nothing_to_train_on(path, n_too_long, window.max_length)
    return TokenRows(
        table=pa.Table.from_batches(batches),
        n_prompt_tokens=n_prompt,
        n_completion_tokens=n_completion,
        n_squared_tokens=n_squared,
        n_too_long=n_too_long,
        n_truncated=n_truncated,
    )


def _tokenised(path: Path, tokenizer: "PreTrainedTokenizerBase") -> Iterator[list[_Example]]:
    try:
        with pq.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow)
            n_before = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(_COLUMNS)):
                texts = {name: batch.column(name).to_pylist() for name in _COLUMNS}
                for name in _COLUMNS:
                    if None in texts[name]:
                        row = n_before + texts[name].index(None)
                        raise DataError(f"{path}: row {row}: {name}: expected text, got null; curate the set again")
                prompts = tokenizer(texts["prompt"], return_attention_mask=False)["input_ids"]
                completions = tokenizer(texts["completion"], add_special_tokens=False, return_attention_mask=False)
                yield [
                    _Example(prompt, [*completion, tokenizer.eos_token_id])
                    for prompt, completion in zip(prompts, completions["input_ids"], strict=True)
                ]
                n_before += batch.num_rows
    except pa.ArrowInvalid as exc:
        reason = str(exc).split("\n", 1)[0]
        raise DataError(f"{path}: not a readable Parquet file ({reason}); curate the set again") from exc


def _check_columns(path: Path, schema: pa.Schema) -> None:
    for name in _COLUMNS:
        if name not in schema.names:
            raise DataError(f"{path}: column {name!r} is missing; got {', '.join(schema.names)}; curate the set again")
        kind = schema.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise DataError(f"{path}: column {name!r}: expected text, got {kind}; curate the set again")


def _nothing_to_train_on(path: Path, n_too_long: int, max_length: int) -> DataError:
    if n_too_long:
        return DataError(
            f"{path}: all {n_too_long} examples have more than {max_length} tokens; raise training.max_length, "
            "up to the model's context"
        )
    return DataError(f"{path}: the set is empty; sample more tries or loosen the curation")
