"""Whether a response that is right is so for right reasons: a check of the user's, or of the world's equations."""

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dartune.config import ProcessConfig
from dartune.errors import ConfigError
from dartune.types import Query
from dartune.world.checking import check_solution

Check = Callable[[Query, str], bool]
"""A query and a correct response -> whether the way to the answer is sound."""

EQUATIONS = "equations"


def sound_solution(query: Query, response: str) -> bool:
    """Whether no equation of a solution of the embedded world is false."""
    return check_solution(response).all_true


def load_check(config: ProcessConfig, queries: Sequence[Query]) -> Callable[[str, str], bool]:
    """The check as a function of a query's id and a response; responses to other queries pass.

    Raises ConfigError if there is no such function, or if it gives anything but True and False.
    """
    check = sound_solution if config.check == EQUATIONS else _find(config.check)
    return partial(_apply, check, {query.id: query for query in queries}, config.check)


def _apply(check: Check, queries: dict[str, Query], name: str, query_id: str, response: str) -> bool:
    if query_id not in queries:
        return True
    answer: object = check(queries[query_id], response)
    if not isinstance(answer, bool):
        raise ConfigError(f"curation.process.check: expected True or False from {name}, got {type(answer).__name__}")
    return answer


def _find(name: str) -> Check:
    """A function by "module:function"; it is also looked for in the working directory."""
    module, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        found: object = getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name != module:
            raise
        raise ConfigError(
            f"curation.process.check: {name} cannot be found ({error}); expected module:function"
        ) from error
    if not callable(found):
        raise ConfigError(f"curation.process.check: {name} is a {type(found).__name__}; expected a function")
    return found
