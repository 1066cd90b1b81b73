"""What the world models are pretrained on: endless documents, packed into rows.

A document is a query with its solution, or a list of bare facts; it ends with the end token. Only chains of the
pretraining bucket occur, at every level and in every family.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import get_args

from dartune.errors import ConfigError
from dartune.world.problems import Family, random_problem
from dartune.world.tokenizer import EOS, PAD, PROMPT_SUFFIX, TOKENS
from dartune.world.wording import word_facts, word_query, word_solution

_ID = {token: i for i, token in enumerate(TOKENS)}
_IGNORED = -100
_FACTS_PER_DOCUMENT = (4, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """The mixture of documents."""

    fact_rate: float = 0.3
    """Share of documents that are bare facts."""
    level_weights: tuple[float, ...] = (2.0, 2.0, 1.5, 0.8, 0.3, 0.05)
    """Relative frequency of levels 1, 2, ... among the other documents."""
    family_weights: tuple[float, ...] = (2.0, 1.0, 1.0)
    """Relative frequency of story, expr and rev."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBatch:
    """Rows of equal length that hold whole documents; every list is [row][token]."""

    input_ids: list[list[int]]
    labels: list[list[int]]
    """-100 where nothing is to be learnt: padding."""
    position_ids: list[list[int]]
    """0 at the first token of a document, by which attention knows not to look back further."""
    n_tokens: int
    """Tokens without padding."""


def documents(config: CorpusConfig, rng: Random) -> Iterator[list[int]]:
    """Token ids of one document after another, without end."""
    levels = range(1, len(config.level_weights) + 1)
    while True:
        if rng.random() < config.fact_rate:
            text = word_facts(rng, rng.randint(*_FACTS_PER_DOCUMENT))
        else:
            family = rng.choices(get_args(Family), config.family_weights)[0]
            problem = random_problem(rng, rng.choices(levels, config.level_weights)[0], "pretrain")
            text = word_query(problem, family, rng) + PROMPT_SUFFIX + word_solution(problem, rng)
        yield [*(_ID[word] for word in text.split()), _ID[EOS]]


def packed_batches(documents: Iterator[list[int]], n_rows: int, row_length: int) -> Iterator[PackedBatch]:
    """Batches of rows, each filled with documents until the next one fits no row; that one opens the next batch.

    Raises:
        ConfigError: a document is longer than a row.
    """
    waiting = next(documents)
    while True:
        if len(waiting) > row_length:
            raise ConfigError(
                f"pretraining: row_length must hold a document of {len(waiting)} tokens, got {row_length}"
            )
        rows: list[list[list[int]]] = [[] for _ in range(n_rows)]
        room = [row_length] * n_rows
        while (place := next((i for i, left in enumerate(room) if left >= len(waiting)), None)) is not None:
            rows[place].append(waiting)
            room[place] -= len(waiting)
            waiting = next(documents)
        yield _pack(rows, room)


def _pack(rows: list[list[list[int]]], room: list[int]) -> PackedBatch:
    """Rows of documents, padded by `room` each. Padding is a document of its own."""
    token_rows = [[token for document in row for token in document] for row in rows]
    position_rows = [[position for document in row for position in range(len(document))] for row in rows]
    return PackedBatch(
        input_ids=[row + [_ID[PAD]] * left for row, left in zip(token_rows, room, strict=True)],
        labels=[row + [_IGNORED] * left for row, left in zip(token_rows, room, strict=True)],
        position_ids=[row + list(range(left)) for row, left in zip(position_rows, room, strict=True)],
        n_tokens=sum(map(len, token_rows)),
    )
