"""Where a run keeps what: the one place that knows the names inside `runs/<name>/`."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dartune.config import Recipe
from dartune.errors import ConfigError, WriteError
from dartune.files import write_json, write_text
from dartune.recipes import load_recipe, recipe_hash, recipe_toml


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
        """Seconds by stage, over all the processes that worked on the run."""
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
        """Make the folder, and write the resolved recipe or compare it with the one that has sampled there.

        Raises ConfigError if the folder belongs to another recipe, WriteError if it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{self.path}: cannot be made ({error.strerror})") from error
        if not self.recipe.exists() or not self.pool.exists():
            write_text(self.recipe, recipe_toml(recipe))
            return
        stored = load_recipe(self.recipe)
        if recipe_hash(stored) != recipe_hash(recipe):
            raise ConfigError(
                f"{self.path}: holds a run of another recipe ({differences(stored, recipe)}); "
                "name another folder with --out, or delete this one"
            )

    def read_timings(self) -> dict[str, float]:
        """Seconds by stage so far."""
        with suppress(OSError, ValueError):
            return dict(json.loads(self.timings.read_text(encoding="utf-8")))
        return {}

    def add_timing(self, stage: str, seconds: float) -> None:
        """Count seconds spent on a stage."""
        timings = self.read_timings()
        timings[stage] = timings.get(stage, 0.0) + seconds
        write_json(self.timings, timings)


def differences(stored: Recipe, given: Recipe) -> str:
    """The keys whose values differ, with both values."""
    old, new = _flatten(stored.model_dump(mode="json")), _flatten(given.model_dump(mode="json"))
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return "; ".join(f"{key}: there {old.get(key)!r}, given {new.get(key)!r}" for key in keys)


def _flatten(tree: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {k: v for key, value in tree.items() for k, v in _flatten(value, f"{prefix}.{key}".lstrip(".")).items()}
