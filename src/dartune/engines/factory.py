"""Engines by name: the one table."""

from collections.abc import Sequence
from typing import assert_never

from dartune.config import EngineConfig, FakeEngineConfig, ReplayEngineConfig, TransformersEngineConfig
from dartune.engines.base import Engine
from dartune.types import Query


def build_engine(config: EngineConfig, queries: Sequence[Query]) -> Engine:
    """The engine that `config` describes.

    `queries` are the script of the fake engine and the index of the replay engine; real engines never see them.
    Raises InputError (ModelError, DataError, MissingExtra, ...) if it cannot be had.
    """
    match config:
        case FakeEngineConfig():
            from dartune.engines.fake import FakeEngine

            return FakeEngine(config, queries)
        case ReplayEngineConfig():
            from dartune.engines.replay import ReplayEngine

            return ReplayEngine(config, queries)
        case TransformersEngineConfig():
            from dartune.engines.transformers import TransformersEngine

            return TransformersEngine(config)
        case _:
            assert_never(config)
