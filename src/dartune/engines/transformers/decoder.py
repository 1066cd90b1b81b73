"""Continuous batching: sequences enter and leave a running batch, and no finished row is ever computed.

The active sequences are always rows 0 to n-1. The last active row takes the place of one that ends, and now and then
all are sorted by length, so that attention can go by bands. A step computes the keys of every row's last token and
draws the next one: a new sequence needs the keys of its prompt but for the last token, and is otherwise like any other.

The decoder is synchronous and knows token ids only; it is used from one thread.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from dartune.engines.transformers.bands import cut, use_bands
from dartune.engines.transformers.prefixes import PrefixStore
from dartune.engines.transformers.sampler import Kind, Sampling, draw
from dartune.engines.transformers.slots import Shape, SlotCache, enlarged
from dartune.types import SamplingParams

_SORT_STEPS = 32
"""Steps between two sorts; one costs about as much as two steps' attention."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One sequence to be continued; compared by identity."""

    prompt: tuple[int, ...]
    """At least one token."""
    max_new_tokens: int
    seed: int
    params: SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """What came after a prompt."""

    job: Job
    tokens: list[int]
    """The end token included."""
    logprobs: list[float]
    """Natural log-probability of each token at temperature 1."""


class Decoder:
    """A batch of sequences that grow by one token a step."""

    def __init__(self, model: PreTrainedModel, end_ids: Iterable[int], n_rows: int) -> None:
        """Decode with `model` up to `n_rows` sequences at a time, each until a token of `end_ids` or its limit."""
        self.jobs: list[Job] = []
        self.n_rows = n_rows
        self._model = model
        self._device = model.device
        use_bands(model)
        self._cache = SlotCache()
        self._prefixes = PrefixStore(model, max(1, n_rows // 4))
        self._kinds: Counter[Kind] = Counter()
        self._n_steps = 0
        # Tokens of each row, the last one included: what the device knows as position + 1, without asking it.
        self._length = np.zeros(n_rows, dtype=np.int64)

        n_vocabulary = model.config.get_text_config(decoder=True).vocab_size

        def per_row(*shape: int, dtype: torch.dtype) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=self._device)

        self._ints = per_row(4, n_rows, dtype=torch.int64)
        self._position, self._limit, self._first, self._seed = self._ints
        self._floats = per_row(2, n_rows, dtype=torch.float32)
        self._temperature, self._top_p = self._floats
        self._tokens = per_row(0, 0, dtype=torch.int64)
        self._logprobs = per_row(0, 0, dtype=torch.float32)
        self._ends = per_row(n_vocabulary, dtype=torch.bool)
        self._ends[list(end_ids)] = True
        self._row = torch.arange(n_rows, device=self._device)

    @property
    def n_free(self) -> int:
        """How many sequences may be admitted."""
        return self.n_rows - len(self.jobs)

    def admit(self, jobs: Sequence[Job]) -> None:
        """Add up to `n_free` sequences to the batch, computing each distinct prompt once."""
        for start in range(0, len(jobs), self._prefixes.n_rows):
            self._admit(jobs[start : start + self._prefixes.n_rows])

    def _admit(self, jobs: Sequence[Job]) -> None:
        rows = range(len(self.jobs), len(self.jobs) + len(jobs))
        here = slice(rows.start, rows.stop)
        length = [len(job.prompt) for job in jobs]
        self.jobs.extend(jobs)
        self._kinds.update(map(_kind, jobs))
        self._length[here] = length
        self._reserve()
        self._copy_prompts(jobs, rows)
        position = [n - 1 for n in length]
        limit = [n - 1 + job.max_new_tokens for n, job in zip(length, jobs, strict=True)]
        self._ints[:, here] = self._tensor([position, limit, length, [job.seed for job in jobs]])
        temperature, top_p = [job.params.temperature for job in jobs], [job.params.top_p for job in jobs]
        self._floats[:, here] = torch.tensor([temperature, top_p], device=self._device)
        self._tokens[self._row[here], self._position[here]] = self._tensor([job.prompt[-1] for job in jobs])

    def _copy_prompts(self, jobs: Sequence[Job], rows: range) -> None:
        prefixes = {row: job.prompt[:-1] for row, job in zip(rows, jobs, strict=True) if len(job.prompt) > 1}
        if prefixes:
            sources = self._tensor(self._prefixes.rows(list(prefixes.values())))
            width = max(map(len, prefixes.values()))
            self._cache.copy(self._tensor(list(prefixes)), self._prefixes.cache, sources, width)

    def _reserve(self) -> None:
        n_rows, longest = len(self.jobs), int(self._length[: len(self.jobs)].max())
        self._cache.reserve(n_rows, longest)
        # One token more than the cache: the one about to be drawn has no keys yet.
        held = Shape(*self._tokens.shape)
        shape = held.to_hold(n_rows, longest + 1)
        if shape != held:
            self._tokens = enlarged(self._tokens, shape)
            self._logprobs = enlarged(self._logprobs, shape)

    def step(self) -> list[Continuation]:
        """Add one token to every sequence, of which there is at least one; returns and removes those that ended."""
        if self._n_steps % _SORT_STEPS == 0:
            self._move(np.argsort(-self._length[: len(self.jobs)], kind="stable"), np.arange(len(self.jobs)))
        self._n_steps += 1
        self._reserve()
        here = slice(len(self.jobs))
        position, row = self._position[here], self._row[here]
        sampling = Sampling(
            seed=self._seed[here],
            step=position + 1 - self._first[here],
            temperature=self._temperature[here],
            top_p=self._top_p[here],
        )
        token, logprob = draw(self._forward(self._tokens[row, position], position), sampling, self._kinds)
        position += 1
        self._length[here] += 1
        self._tokens[row, position] = token
        self._logprobs[row, position] = logprob
        ended = self._ends[token] | (position >= self._limit[here])
        return self._take(ended.nonzero()[:, 0].tolist())

    def _forward(self, tokens: Tensor, position: Tensor) -> Tensor:
        """Logits (rows, vocabulary), float32, of what follows each row's last token."""
        bands = cut(self._length[: len(self.jobs)])
        width = max(band.width for band in bands)
        self._cache.seek(position, width)
        dtype = self._model.dtype
        behind = torch.arange(width, device=self._device) > position[:, None]
        mask = torch.zeros(behind.shape, dtype=dtype, device=self._device).masked_fill_(behind, torch.finfo(dtype).min)
        output = self._model(
            input_ids=tokens[:, None],
            attention_mask=mask[:, None, None],
            position_ids=position[:, None],
            past_key_values=self._cache,
            use_cache=True,
            bands=bands,
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def remove(self, jobs: Iterable[Job]) -> list[Continuation]:
        """Take sequences out of the batch as far as they have come; those not in it are passed over."""
        wanted = set(jobs)
        return self._take([row for row, job in enumerate(self.jobs) if job in wanted]) if wanted else []

    def tails(self, n_tokens: int) -> list[list[int]]:
        """The last tokens drawn for each of `jobs`, `n_tokens` or as many as there are."""
        position = self._position[: len(self.jobs)]
        places = position[:, None] + torch.arange(1 - n_tokens, 1, device=self._device)
        tokens = self._tokens[: len(self.jobs)].gather(1, places.clamp_(min=0)).tolist()
        n_drawn = [int(n) - len(job.prompt) for n, job in zip(self._length, self.jobs, strict=False)]
        return [row[max(0, n_tokens - n) :] for row, n in zip(tokens, n_drawn, strict=True)]

    def _take(self, rows: list[int]) -> list[Continuation]:
        """Remove `rows`, in ascending order, and close the gaps with the last rows."""
        if not rows:
            return []
        taken = self._continuations(rows)
        for row in rows:
            self._kinds[_kind(self.jobs[row])] -= 1
        n_left = len(self.jobs) - len(rows)
        gone = set(rows)
        holes = [row for row in rows if row < n_left]
        movers = [row for row in range(n_left, len(self.jobs)) if row not in gone]
        if holes:
            self._move(np.array(movers), np.array(holes))
        del self.jobs[n_left:]
        return taken

    def _continuations(self, rows: list[int]) -> list[Continuation]:
        index = self._tensor(rows)
        longest = int(self._length[rows].max())
        tokens = self._tokens[index, :longest].tolist()
        logprobs = self._logprobs[index, :longest].tolist()
        taken = []
        for i, row in enumerate(rows):
            job, end = self.jobs[row], int(self._length[row])
            start = len(job.prompt)
            taken.append(Continuation(job=job, tokens=tokens[i][start:end], logprobs=logprobs[i][start:end]))
        return taken

    def _move(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> None:
        """Put the sequences of rows `source` into rows `target`, over what was there."""
        longest = int(self._length[source].max())
        jobs = [self.jobs[row] for row in source]
        for row, job in zip(target, jobs, strict=True):
            self.jobs[row] = job
        self._length[target] = self._length[source]
        rows, old = torch.from_numpy(target).to(self._device), torch.from_numpy(source).to(self._device)
        self._cache.copy(rows, self._cache, old, longest - 1)
        for table in (self._ints, self._floats):
            table[:, rows] = table[:, old]
        for table in (self._tokens, self._logprobs):
            table[rows, :longest] = table[old, :longest]

    def _tensor(self, values: Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(values, dtype=torch.int64, device=self._device)


def _kind(job: Job) -> Kind:
    if job.params.temperature == 0:
        return "greedy"
    return "nucleus" if job.params.top_p < 1 else "whole"
