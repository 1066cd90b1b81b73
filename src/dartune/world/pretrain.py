"""The recipe of the packaged models: a teacher and a younger base out of one pretraining run.

Accuracy jumps while the learning rate decays, so the base is a checkpoint before the decay and the teacher one
inside it or at its end, where the run ends. On one machine with one thread the same config gives the same weights.
"""

import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from dartune.errors import ConfigError, MissingExtra, WriteError
from dartune.types import Query
from dartune.world.corpus import CorpusConfig, PackedBatch, documents, packed_batches
from dartune.world.measuring import accuracy_by_level
from dartune.world.sets import world_queries
from dartune.world.tokenizer import EOS, PAD, TOKENS, world_tokenizer

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

_WATCHING_SEED = 1_000_003
"""Seed of the queries that watch the run: of the training bucket, so that no choice is made on held-out ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainConfig:
    """One pretraining run. Counts of tokens leave padding out."""

    pair: str
    """Ends the names of what the run makes."""
    seed: int
    n_schedule_tokens: int = 7_000_000
    """Tokens at which the learning rate would reach zero."""
    base_tokens: int = 3_000_000
    teacher_tokens: int = 7_000_000
    decay_share: float = 0.25
    """Last part of the schedule, in which the learning rate falls linearly."""
    learning_rate: float = 3e-3
    """Of embeddings and norms, under AdamW."""
    matrix_learning_rate: float = 6e-3
    """Of the matrices inside the layers, under Muon, which needs half of AdamW's tokens here."""
    n_warmup_steps: int = 100
    weight_decay: float = 0.01
    """Of those matrices."""
    n_rows: int = 8
    row_length: int = 256
    hidden_size: int = 64
    intermediate_size: int = 192
    n_layers: int = 4
    n_heads: int = 4
    n_kv_heads: int = 1
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    watch_every_tokens: int = 250_000
    n_watched_queries: int = 150
    device: str = "cpu"
    n_threads: int = 1

    def __post_init__(self) -> None:
        """Refuse a run that would end before its base."""
        if not 0 < self.base_tokens <= self.teacher_tokens <= self.n_schedule_tokens:
            raise ConfigError(
                "pretraining: expected 0 < base_tokens <= teacher_tokens <= n_schedule_tokens, "
                f"got {self.base_tokens}, {self.teacher_tokens}, {self.n_schedule_tokens}"
            )


PACKAGED_RECIPES: dict[str, PretrainConfig] = {
    "a": PretrainConfig(pair="a", seed=15, base_tokens=3_017_695),
    "b": PretrainConfig(pair="b", seed=16, base_tokens=3_014_056),
}
"""Pair -> the config that made its packaged models.

The base was picked among the watched checkpoints to answer about 45 % of unseen queries of the training bucket.
"""


class Progress(NamedTuple):
    """The state of a run after one optimizer step."""

    step: int
    n_tokens: int
    loss: float
    """Mean of the step, natural log."""
    rate_factor: float


def rate_factor(config: PretrainConfig, step: int, n_tokens: int) -> float:
    """Factor on both learning rates for the step that starts after `n_tokens`: warm-up, 1, then linearly to 0."""
    warmup = min(1.0, (step + 1) / config.n_warmup_steps)
    left = 1.0 - n_tokens / config.n_schedule_tokens
    return warmup * max(0.0, min(1.0, left / config.decay_share))


def new_model(config: PretrainConfig) -> "LlamaForCausalLM":
    """An untrained model on the config's device, drawn from its seed."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(config.seed)
    pad, eos = TOKENS.index(PAD), TOKENS.index(EOS)
    shape = LlamaConfig(
        vocab_size=len(TOKENS),
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.n_layers,
        num_attention_heads=config.n_heads,
        num_key_value_heads=config.n_kv_heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=eos,
        pad_token_id=pad,
        dtype="float32",
    )
    model = LlamaForCausalLM(shape)
    model.to(torch.device(config.device))  # type: ignore[arg-type]
    return model


def train_steps(config: PretrainConfig, model: "LlamaForCausalLM") -> Iterator[Progress]:
    """Train the model in place, yielding after every step until the teacher's tokens are reached."""
    import torch

    optimizers = _optimizers(config, model)
    corpus = documents(config.corpus, Random(f"pretrain/{config.seed}"))
    n_tokens = 0
    for step, batch in enumerate(packed_batches(corpus, config.n_rows, config.row_length)):
        factor = rate_factor(config, step, n_tokens)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = factor * group["full_rate"]
        loss = _loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        n_tokens += batch.n_tokens
        yield Progress(step, n_tokens, loss.item(), factor)
        if n_tokens >= config.teacher_tokens:
            return


def _optimizers(config: PretrainConfig, model: "LlamaForCausalLM") -> list["torch.optim.Optimizer"]:
    """Muon for the matrices inside the layers, AdamW for embeddings and norms."""
    import torch

    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    inside = set(matrices)
    others = [p for p in model.parameters() if p not in inside]
    rate, matrix_rate = config.learning_rate, config.matrix_learning_rate
    return [
        torch.optim.Muon(
            [{"params": matrices, "full_rate": matrix_rate}],
            lr=matrix_rate,
            weight_decay=config.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW([{"params": others, "full_rate": rate}], lr=rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def _loss(model: "LlamaForCausalLM", batch: PackedBatch) -> "torch.Tensor":
    import torch

    rows = {name: torch.tensor(getattr(batch, name), device=model.device) for name in ("input_ids", "position_ids")}
    labels = torch.tensor(batch.labels, device=model.device)
    # The first token of a document follows from nothing before it in the row.
    labels[rows["position_ids"] == 0] = -100
    logits = model(**rows, use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


class LogLine(NamedTuple):
    """How a run stands at one of the moments at which it is watched."""

    step: int
    n_tokens: int
    loss: float
    """Mean since the line before, natural log."""
    rate_factor: float
    greedy_accuracy: dict[int, float]
    """Level -> share of watched queries answered rightly; none of them is of the pretraining bucket."""
    pass_rate: dict[int, float]
    """The same at temperature 1."""
    seconds: float
    """Since the start, watching included."""


def pretrain(config: PretrainConfig, out: Path, *, report: Callable[[LogLine], None] = lambda line: None) -> None:
    """Make one pair of models in `out`.

    Leaves the checkpoint folders teacher-<pair> and base-<pair>, recipe-<pair>.json with the exact config and library
    versions, and training-log-<pair>.jsonl. `report` gets each line of the log as it is written.

    Raises:
        MissingExtra: torch or transformers is not installed.
        WriteError: a file cannot be written.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra("torch", "hf") from error
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    torch.set_num_threads(config.n_threads)
    try:
        out.mkdir(parents=True, exist_ok=True)
        recipe = {"config": asdict(config), "versions": versions, "machine": platform.machine()}
        (out / f"recipe-{config.pair}.json").write_text(json.dumps(recipe, indent=2) + "\n")
        with (out / f"training-log-{config.pair}.jsonl").open("w") as log:
            for line in _run(config, out):
                log.write(json.dumps(line._asdict()) + "\n")
                log.flush()
                report(line)
    except OSError as error:
        raise WriteError(f"{out}: {error}") from error


def _run(config: PretrainConfig, out: Path) -> Iterator[LogLine]:
    """Train, save the two checkpoints when their tokens are reached, and watch."""
    model = new_model(config)
    watched = world_queries("world/train", n=config.n_watched_queries, seed=_WATCHING_SEED)
    start, losses, saved_base = time.monotonic(), list[float](), False
    next_watch = config.watch_every_tokens
    for now in train_steps(config, model):
        losses.append(now.loss)
        is_base = not saved_base and now.n_tokens >= config.base_tokens
        is_teacher = now.n_tokens >= config.teacher_tokens
        if is_base:
            saved_base = True
            _save(model, out / f"base-{config.pair}")
        if is_teacher:
            _save(model, out / f"teacher-{config.pair}")
        if is_base or is_teacher or now.n_tokens >= next_watch:
            next_watch = now.n_tokens + config.watch_every_tokens
            greedy, sampled = _watch(model, watched)
            mean_loss = sum(losses) / len(losses)
            losses.clear()
            seconds = round(time.monotonic() - start, 1)
            yield LogLine(now.step, now.n_tokens, mean_loss, now.rate_factor, greedy, sampled, seconds)


def _watch(model: "LlamaForCausalLM", queries: list[Query]) -> tuple[dict[int, float], dict[int, float]]:
    """Greedy accuracy and pass rate at temperature 1, by level."""
    import torch

    torch.manual_seed(_WATCHING_SEED)
    model.train(False)
    greedy = accuracy_by_level(model, queries)
    sampled = accuracy_by_level(model, queries, temperature=1.0)
    model.train()
    return greedy, sampled


def _save(model: "LlamaForCausalLM", folder: Path) -> None:
    model.save_pretrained(folder)
    world_tokenizer().save_pretrained(folder)
