"""Where a run keeps what: the one place that knows the names inside `runs/<name>/`."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dartune.config import FREE_FIELDS, Recipe
from dartune.errors import ConfigError
from dartune.files import write_json, write_text
from dartune.recipes import load_recipe, recipe_toml

_DECIDING = {"seed", "engine", "sampling", "prompt"}
"""Sections of a recipe that decide what is sampled."""
_FREE = {"sampling.speculation", "sampling.order", "sampling.worth.alpha", "sampling.worth.fairness", "prompt.student"}
"""Keys in them that decide only how fast, or nothing about the pool; so do an engine's FREE_FIELDS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A run on disk."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def pool(self) -> Path:
        """Every response ever sampled."""
        return self.path / "pool"

    @property
    def sets(self) -> Path:
        """A training set for each method."""
        return self.path / "sets"

    @property
    def summary(self) -> Path:
        """The numbers of the run."""
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def timings(self) -> Path:
        """Seconds by stage, over all the processes that came to the end of theirs or were stopped in good order."""
        return self.path / "timings.json"

    def model(self, method: str, seed: int) -> Path:
        """The model fine-tuned on a method's set."""
        return self.path / "models" / f"{method}-{seed}"

    def evaluation(self, model: str, seed: int) -> Path:
        """Pool of a model's answers to the benchmarks."""
        return self.path / "evals" / f"{model}-{seed}"

    def log(self, job: str) -> Path:
        """What a job's process printed."""
        return self.path / "logs" / f"{job}.txt"

    def claim(self, recipe: Recipe) -> None:
        """Make the folder and write the resolved recipe, unless it contradicts what was sampled there.

        Raises ConfigError naming what differs, or WriteError if the disk refuses. A recipe may change in what does not
        touch the pool: more methods or queries, another set size, training or evaluation.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError(f"{self.path}: expected a folder for the run, got a file; name another with --out")
        if self.recipe.exists() and self.pool.exists():
            found = contradictions(load_recipe(self.recipe), recipe)
            if found:
                raise ConfigError(
                    f"{self.path}: was sampled by another recipe ({found}); name another folder with --out, "
                    "or restore those values"
                )
        write_text(self.recipe, recipe_toml(recipe))

    def read_timings(self) -> dict[str, float]:
        """Seconds by stage so far."""
        with suppress(OSError, ValueError, TypeError):
            return dict(json.loads(self.timings.read_text(encoding="utf-8")))
        return {}

    def add_timing(self, stage: str, seconds: float) -> None:
        """Count seconds spent on a stage."""
        timings = self.read_timings()
        timings[stage] = timings.get(stage, 0.0) + seconds
        write_json(self.timings, timings)


def contradictions(stored: Recipe, given: Recipe) -> str:
    """The keys that decide samples and differ, with both values; empty if a pool of `stored` may serve `given`."""
    old, new = _flatten(stored.model_dump(mode="json")), _flatten(given.model_dump(mode="json"))
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return "; ".join(
        f"{key}: there {old.get(key)!r}, given {new.get(key)!r}" for key in keys if _decides(*key.split("."))
    )


def _decides(section: str, *fields: str) -> bool:
    """Whether a key of a recipe decides what is sampled."""
    if section == "engine":
        return FREE_FIELDS.isdisjoint(fields)
    return section in _DECIDING and ".".join([section, *fields]) not in _FREE


def _flatten(tree: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {k: v for key, value in tree.items() for k, v in _flatten(value, f"{prefix}.{key}".lstrip(".")).items()}
