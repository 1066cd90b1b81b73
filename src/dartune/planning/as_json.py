"""A plan as a tree of plain values, for --json."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from pydantic import BaseModel, JsonValue

from dartune.planning.plan import Plan


def plan_tree(plan: Plan) -> JsonValue:
    """What `Plan` holds, under the same names; predicted numbers as mean, low and high; the fragment as `toml`."""
    tree = _tree(plan)
    assert isinstance(tree, dict)
    return {**tree, "toml": None if plan.suggestions is None else plan.suggestions.toml}


def _tree(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, BaseModel):
        dumped: JsonValue = value.model_dump(mode="json", exclude_none=True)
        return dumped
    if is_dataclass(value):
        return {field.name: _tree(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _tree(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): _tree(part) for key, part in value.items()}
    assert isinstance(value, tuple), f"a plan holds no {type(value).__name__}"
    return [_tree(part) for part in value]
