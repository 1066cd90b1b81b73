"""From a TOML file and `--set a.b=value` to a checked recipe, and back to TOML."""

import difflib
import hashlib
import itertools
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dartune.config import CUSTOM_TAG, CustomEngineConfig, Recipe
from dartune.errors import ConfigError

_FOLDER = Path(__file__).parent


def packaged_recipes() -> list[str]:
    """Names of the recipes that come with the library."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_recipe(name: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a TOML file, or the packaged one of this name, with `overrides` ("section.key=value") applied.

    Raises ConfigError, in one line, for a missing or malformed file, an unknown key or an impossible value.
    """
    path = _find(name)
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML ({error})") from None
    for override in overrides:
        key, value = _parse(override)
        _put(tree, key, value)
    return _validated(tree, str(path))


def change_recipe(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    """`recipe` with other values at dotted keys; None takes a key away. Raises ConfigError as `load_recipe` does."""
    tree = recipe.model_dump(mode="json", exclude_none=True)
    for key, value in changes.items():
        _put(tree, key, value)
    return _validated(tree, recipe.name)


def recipe_toml(recipe: Recipe) -> str:
    """The resolved recipe, every default spelled out, as TOML that `load_recipe` reads back to an equal recipe."""
    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))


def recipe_hash(recipe: Recipe) -> str:
    """Identity of a recipe: 16 hex digits over its resolved content."""
    return hashlib.blake2b(recipe.model_dump_json().encode(), digest_size=8).hexdigest()


def _find(name: str | Path) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    packaged = _FOLDER / f"{name}.toml"
    if str(name) in packaged_recipes():
        return packaged
    raise ConfigError(
        f"{name}: no such recipe; expected a TOML file or one of the packaged recipes: {', '.join(packaged_recipes())}"
    )


def _validated(tree: dict[str, Any], where: str) -> Recipe:
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_explain(error.errors()[0])}") from None


def _parse(override: str) -> tuple[str, object]:
    """The dotted key and the value of `key=value`; the value is read as TOML, or as plain text where that fails."""
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set {override}: expected key=value, for example --set sampling.temperature=1.0")
    try:
        return key.strip(), tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), text


def _put(tree: dict[str, Any], dotted: str, value: object) -> None:
    *sections, key = dotted.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{dotted}: {section!r} is a value of the recipe, not a section")
    if value is None:
        tree.pop(key, None)
    else:
        tree[key] = value


def _explain(error: ErrorDetails) -> str:
    """One line for the first thing that is wrong."""
    where = ".".join(_without_tag(error["loc"]))
    if error["type"] == "extra_forbidden":
        known = _keys_at(Recipe, list(error["loc"][:-1]))
        nearest = difflib.get_close_matches(str(error["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"known keys: {', '.join(known)}"
        return f"unknown key {where}; {hint}"
    if error["type"] == "union_tag_not_found":
        return f"{where}.{_tag_name(where)} is missing; it must be given"
    if error["type"] == "missing":
        return f"{where} is missing; it must be given"
    if error["type"] == "union_tag_invalid":
        known, got = error["ctx"]["expected_tags"].replace("'", ""), error["ctx"]["tag"]
        nearest = difflib.get_close_matches(got, known.split(", "), n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        return f"{where}.{_tag_name(where)}: expected one of {known}, got {got!r}{hint}"
    if error["type"] == "value_error":  # our own words, which say what was got
        return f"{where}: {error['ctx']['error']}".removeprefix(": ")
    return f"{where}: {error['msg']}, got {error['input']!r}"


def _without_tag(location: tuple[int | str, ...]) -> list[str]:
    """The path as it stands in the file: the tag that pydantic adds for a chosen engine or policy is not in it."""
    parts = [str(part) for part in location]
    if parts[:1] == ["methods"]:
        return parts[:2] + parts[3:]
    return parts[:1] + [part for before, part in itertools.pairwise(parts) if before != "engine"]


def _tag_name(where: str) -> str:
    return "policy" if where.startswith("methods") else "name"


def _keys_at(model: type[BaseModel], location: list[int | str]) -> list[str]:
    """The keys that are known where an error was found.

    A location runs through field names, names of table entries, and, for a choice such as an engine or a policy, the
    tag of the member that was chosen.
    """
    candidates: list[type[BaseModel]] = [model]
    for part in location:
        deeper = [
            m for c in candidates if part in c.model_fields for m in _models_in(c.model_fields[str(part)].annotation)
        ]
        tagged = [c for c in candidates if part in _tags(c)]
        candidates = deeper or tagged or candidates
    return sorted({name for candidate in candidates for name in candidate.model_fields})


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """The sections named anywhere inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    """The values by which a member of a choice is known."""
    if model is CustomEngineConfig:
        return (CUSTOM_TAG,)
    return tuple(
        v
        for tag in ("name", "policy")
        if tag in model.model_fields
        for v in get_args(model.model_fields[tag].annotation)
    )
