"""Engines by name: the one table."""

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dartune.config import EngineConfig
from dartune.engines.base import Engine
from dartune.errors import ConfigError
from dartune.types import Query

ENGINES = {
    "fake": "dartune.engines.fake:FakeEngine",
    "openai_http": "dartune.engines.openai_http:OpenAIEngine",
    "ray": "dartune.engines.ray:RayEngine",
    "replay": "dartune.engines.replay:ReplayEngine",
    "transformers": "dartune.engines.transformers:TransformersEngine",
    "vllm": "dartune.engines.vllm:VllmEngine",
}
"""Name in a recipe -> "module:attribute" of what makes the engine from its section."""

_WITH_QUERIES = ("fake", "ray", "replay")


def build_engine(config: EngineConfig, queries: Sequence[Query]) -> Engine:
    """The engine that `config` describes; it has not been started.

    `queries` are the script of the fake engine and the index of the replay engine; real engines never see them.
    Raises InputError (ModelError, DataError, MissingExtra, ...) if it cannot be had.
    """
    arguments = (config, queries) if config.name in _WITH_QUERIES else (config,)
    engine = _find(config.name)(*arguments)
    if not isinstance(engine, Engine):
        raise ConfigError(
            f"engine.name: {config.name} made a {type(engine).__name__}; expected a dartune.engines.base.Engine"
        )
    return engine


def _find(name: str) -> Callable[..., Any]:
    """What makes an engine; one of the user's is also looked for in the working directory."""
    module, _, attribute = ENGINES.get(name, name).partition(":")
    if name not in ENGINES and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        made = getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name != module:
            raise
        raise ConfigError(f"engine.name: {name} cannot be found ({error}); expected module:attribute") from error
    if not callable(made):
        raise ConfigError(f"engine.name: {name} is a {type(made).__name__}; expected a class or function")
    return made  # type: ignore[no-any-return]
