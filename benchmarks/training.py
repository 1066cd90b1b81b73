"""Packing on the real lengths of solutions: how full rows are, what that is worth, and that nothing else changes.

    python benchmarks/training.py [--json] [--quick] [--data FOLDER]

Examples are the problems and solutions of GSM8K-train and MATH-test in the paper's prompt, in the order of a seed.
Their tokens are those of a byte-level BPE of 4,096 words, trained on the same texts.

- `fills`: useful tokens over places, over the whole set: rows of 4,096 by best fit (ours), by TRL's best fit (a
  thousand examples at a time), by next fit; and batches of 64 padded to their longest.
- `packed_over_padded`, `packed_over_next_fit`, `packed_over_trl`: useful tokens a second, forward and backward, of a
  small untrained Llama. Packed and next-fit rows are padded to the window, as devices that wait for each other have
  them, and attended example by example; TRL's are as it makes them, with torch's attention over the whole row. Padded
  batches are computed eight rows at a time, which changes no product. Measured on rows from all parts of the set, and
  on the batches whose fill is closest to that of all; on one thread, in processor seconds, so that other work on the
  machine counts little; the best of the rounds, in which the ways take turns.
- `loss_error`, `grad_error`: one batch of 64, packed against padded: its loss, relative; its gradient, largest
  difference over largest entry.

The last line is one JSON object.
"""

import argparse
import gzip
import json
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import LlamaConfig, LlamaForCausalLM
from trl.data_utils import pack_dataset
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling
from trl.trainer.utils import add_fused_lm_head

from dartune.config import TrainingConfig
from dartune.prompts import load_template
from dartune.training.attention import check_apart, set_attention
from dartune.training.packing import LENGTHS, best_fit, join, row_lengths
from dartune.training.quiet import quiet, threads
from dartune.training.rows import IGNORED

WINDOW = 4096
BATCH = 64
AT_ONCE = 8
END = 0
N_WORDS = 4096
FILES = ("gsm8k_train.jsonl.gz", "math_test.jsonl.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    n_rows: int
    n_batches: int
    width: int
    n_layers: int
    n_rounds: int


QUICK = Size(n_rows=4, n_batches=1, width=128, n_layers=2, n_rounds=1)
FULL = Size(n_rows=4, n_batches=1, width=192, n_layers=3, n_rounds=2)


class Fills(NamedTuple):
    """Useful tokens over places, in (0, 1]."""

    best_fit: float
    next_fit: float
    padded: float


class Pass(NamedTuple):
    """Forward and backward over a sample."""

    seconds: float
    loss: float
    gradient: torch.Tensor


def token_table(data: Path, *, n_for_words: int) -> pa.Table:
    """Every example as input_ids and labels, shuffled; words come from the first `n_for_words` examples."""
    template = load_template("alpaca")
    texts = []
    for name in FILES:
        with gzip.open(data / name, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        texts += [(template.render(row["query"]), template.completion(row["solution"])) for row in rows]
    order = np.random.default_rng(0).permutation(len(texts))
    texts = [texts[index] for index in order]
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=N_WORDS, special_tokens=["</s>"], initial_alphabet=alphabet, show_progress=False)
    words.train_from_iterator((text for pair in texts[:n_for_words] for text in pair), trainer)
    prompts = [found.ids for found in words.encode_batch([prompt for prompt, _ in texts])]
    completions = [[*found.ids, END] for found in words.encode_batch([completion for _, completion in texts])]
    pairs = [(p, c) for p, c in zip(prompts, completions, strict=True) if len(p) + len(c) <= WINDOW]
    kind = pa.list_(pa.int32())
    input_ids = pa.array([p + c for p, c in pairs], kind)
    return pa.table({"input_ids": input_ids, "labels": pa.array([[IGNORED] * len(p) + c for p, c in pairs], kind)})


def next_fit(lengths: NDArray[np.int64]) -> list[list[int]]:
    """Rows of examples in their order: a new row where one does not fit the last."""
    rows: list[list[int]] = []
    room = 0
    for index, length in enumerate(lengths.tolist()):
        if length > room:
            rows.append([])
            room = WINDOW
        rows[-1].append(index)
        room -= length
    return rows


def fills_of(lengths: NDArray[np.int64]) -> Fills:
    n_useful = int(lengths.sum())
    n_padded = sum(int(part.max()) * len(part) for part in np.array_split(lengths, range(BATCH, len(lengths), BATCH)))
    n_places = [WINDOW * len(rows) for rows in (best_fit(lengths.tolist(), WINDOW), next_fit(lengths))]
    return Fills(n_useful / n_places[0], n_useful / n_places[1], n_useful / n_padded)


def trl_rows(table: pa.Table) -> Dataset:
    return pack_dataset(Dataset.from_dict({name: table[name] for name in table.column_names}), WINDOW, "bfd")


def spread(rows: list[Any], n: int) -> list[Any]:
    """`n` of them, from all parts of the list."""
    return [rows[(2 * at + 1) * len(rows) // (2 * n)] for at in range(n)]


def typical_batches(lengths: NDArray[np.int64], n: int) -> list[list[int]]:
    """The `n` batches whose fill is closest to that of all."""
    batches = [list(range(at, at + BATCH)) for at in range(0, len(lengths) - BATCH + 1, BATCH)]
    fill = fills_of(lengths).padded
    return sorted(batches, key=lambda batch: abs(lengths[batch].mean() / lengths[batch].max() - fill))[:n]


def padded_to_window(table: pa.Table) -> list[dict[str, list[int]]]:
    """Rows of the whole window: what is left of it is an example without loss."""
    rows: list[dict[str, list[int]]] = table.to_pylist()
    for row in rows:
        if n_left := WINDOW - len(row["input_ids"]):
            row["input_ids"] += [END] * n_left
            row["labels"] += [IGNORED] * n_left
            row[LENGTHS] += [n_left]
    return rows


class Bench:
    """One small model, and the examples of a set laid out in several ways."""

    def __init__(self, table: pa.Table, size: Size) -> None:
        torch.manual_seed(0)
        n_heads = size.width // 64
        self.model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=N_WORDS, hidden_size=size.width, intermediate_size=size.width * 8 // 3,
                num_hidden_layers=size.n_layers, num_attention_heads=n_heads, num_key_value_heads=n_heads,
                max_position_embeddings=WINDOW,
            )
        )  # fmt: skip
        add_fused_lm_head(self.model, outputs=("log_probs",))
        self._config = TrainingConfig(model="none")
        self._table = table

    def rows(self, rows: list[list[int]]) -> Pass:
        """Rows of these examples, padded to the window, in our attention."""
        return self._packed(padded_to_window(join(self._table, rows)), "auto")

    def trl(self, rows: list[dict[str, list[int]]]) -> Pass:
        """Rows that TRL has packed, in torch's attention."""
        return self._packed(rows, "sdpa")

    def padded(self, batches: list[list[int]]) -> Pass:
        """Batches of these examples."""
        self._set_attention("sdpa")
        collate = DataCollatorForLanguageModeling(pad_token_id=END)
        whole = [collate(self._table.take(batch).to_pylist()) for batch in batches]
        return self._timed(
            {name: part[at : at + AT_ONCE] for name, part in batch.items()}
            for batch in whole
            for at in range(0, BATCH, AT_ONCE)
        )

    def _packed(self, rows: list[dict[str, list[int]]], attention: str) -> Pass:
        self._set_attention(attention)
        collate = DataCollatorForLanguageModeling(pad_token_id=END, padding_free=True)
        check_apart(self.model, collate)
        return self._timed(collate([row]) for row in rows)

    def _set_attention(self, name: str) -> None:
        self.model.set_attn_implementation("sdpa")
        set_attention(self.model, self._config.model_copy(update={"attention": name}), in_half=False)

    def _timed(self, batches: Iterable[dict[str, Any]]) -> Pass:
        ready = list(batches)
        self.model.train()
        self.model.zero_grad()
        n_learnt = sum(int((batch["labels"] != IGNORED).sum()) for batch in ready)
        start, loss = time.process_time(), 0.0
        for batch in ready:
            log_probs = self.model(**batch, use_cache=False, fused_lm_head=True).log_probs
            part = -log_probs.sum() / n_learnt
            part.backward()
            loss += part.item()
        seconds = time.process_time() - start
        gradient = torch.cat([weight.grad.flatten() for weight in self.model.parameters() if weight.grad is not None])
        return Pass(seconds, loss, gradient)


def measure(data: Path, size: Size, say: Callable[[str], None]) -> dict[str, object]:
    """All that the last line says."""
    table = token_table(data, n_for_words=1000 if size is QUICK else 5000)
    lengths = row_lengths(table).astype(np.int64)
    whole, by_trl = fills_of(lengths), trl_rows(table)
    fills = whole._asdict() | {"trl": int(lengths.sum()) / (WINDOW * len(by_trl))}
    say(f"{len(lengths):,} examples, {lengths.mean():.0f} tokens on average; fills {json.dumps(fills)}")
    bench = Bench(table, size)
    rows = {
        "packed": spread(best_fit(lengths.tolist(), WINDOW), size.n_rows),
        "next_fit": spread(next_fit(lengths), size.n_rows),
    }
    of_trl = [by_trl[at] for at in spread(list(range(len(by_trl))), size.n_rows)]
    batches = typical_batches(lengths, size.n_batches)
    n_useful = {name: int(lengths[np.concatenate(found)].sum()) for name, found in rows.items()} | {
        "trl": sum(len(row["input_ids"]) for row in of_trl),
        "padded": int(lengths[np.concatenate(batches)].sum()),
    }
    ways: dict[str, Callable[[], Pass]] = {
        "packed": lambda: bench.rows(rows["packed"]),
        "next_fit": lambda: bench.rows(rows["next_fit"]),
        "trl": lambda: bench.trl(of_trl),
        "padded": lambda: bench.padded(batches),
    }
    rates = dict.fromkeys(ways, 0.0)
    for at in range(size.n_rounds):
        for name, run in ways.items():
            rates[name] = max(rates[name], n_useful[name] / run().seconds)
            say(f"round {at + 1}: {name} {rates[name]:,.0f} useful tokens a second")
    padded = bench.padded(batches[:1])
    packed = bench.rows([[batches[0][i] for i in row] for row in best_fit(lengths[batches[0]].tolist(), WINDOW)])
    return {
        "fill": whole.best_fit,
        "packed_over_padded": rates["packed"] / rates["padded"],
        "packed_over_next_fit": rates["packed"] / rates["next_fit"],
        "packed_over_trl": rates["packed"] / rates["trl"],
        "loss_error": abs(packed.loss - padded.loss) / padded.loss,
        "grad_error": float((packed.gradient - padded.gradient).abs().max() / padded.gradient.abs().max()),
        "fills": fills,
        "allowed_over_padded": whole.best_fit / whole.padded,
        "allowed_over_next_fit": whole.best_fit / whole.next_fit,
        "n_examples": len(lengths),
        "tokens_per_s": rates,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON line")
    parser.add_argument("--quick", action="store_true", help="a smaller model and sample")
    default = Path(os.environ.get("DARTUNE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of the benchmark files")
    given = parser.parse_args()
    with quiet(), threads(1):
        say = (lambda line: None) if given.json else (lambda line: print(line, flush=True))
        print(json.dumps(measure(given.data, QUICK if given.quick else FULL, say)))


if __name__ == "__main__":
    main()
