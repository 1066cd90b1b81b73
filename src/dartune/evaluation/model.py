"""From a model's name to an evaluation of it: any engine, any benchmarks, one call."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dartune.config import EngineConfig, QueriesConfig, local_model, prices_of
from dartune.engines.factory import build_engine
from dartune.errors import ConfigError
from dartune.evaluation.prompts import choose_prompt, load_prompt
from dartune.evaluation.run import EvaluationJob, evaluate_model
from dartune.evaluation.sets import IN_DOMAIN
from dartune.grading.remote import build_grader
from dartune.models import resolve_model
from dartune.queries import load_queries
from dartune.recipes import load_recipe
from dartune.sampling.job import SamplingReport
from dartune.sampling.run import Watcher

_BASE = Path(__file__).with_name("model.toml")
_SETTINGS = ("max_new_tokens", "n_trials", "stop", "temperature", "top_p")
"""Keys of the recipe's section `evaluation` that say how a model is asked."""
_NO_MODEL = ("fake", "replay")
"""Engines that load no model: what they answer is in their own section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvaluation:
    """A model that is to be asked some benchmarks."""

    name: str
    """What names its folder."""
    engine: EngineConfig
    job: EvaluationJob

    def run(self, folder: Path, watch: Watcher | None = None) -> SamplingReport:
        """Ask what was not asked yet, into `folder`. Raises as `evaluate_model` does."""
        queries = [query for benchmark in self.job.benchmarks.values() for query in benchmark.queries]
        engine = build_engine(self.engine, queries)
        with build_grader(self.engine) as grader:
            return evaluate_model(self.job, engine=engine, grader=grader, pool=folder, watch=watch)


def prepare_evaluation(
    model: str,
    benchmarks: Mapping[str, QueriesConfig],
    *,
    engine: str = "transformers",
    template: str | None = None,
    overrides: Sequence[str] = (),
) -> ModelEvaluation:
    """Everything that an evaluation of `model` needs, found and checked before anything is asked.

    Args:
        model: A model folder, a hub id, "world:<name>", or the name by which a server knows it.
        benchmarks: Name in the tables -> queries; `choose_benchmarks` gives them.
        engine: Name of the engine, as in a recipe.
        template: Name of the prompt; None chooses by model (`choose_prompt`).
        overrides: "engine.key=value" and "evaluation.key=value", as in `--set`; nothing else has a meaning here.

    Raises:
        ConfigError: An unknown key, engine or template.
        ModelError: The model's folder is missing, or has no weights.
        DataError: A benchmark cannot be found; the message says where it was looked for and what to fetch.
    """
    _refuse_other_keys(overrides)
    try:
        recipe = load_recipe(_BASE, [*_engine_overrides(engine, model), *overrides])
    except ConfigError as error:  # the file that the settings start from is no file of the user's
        raise ConfigError(str(error).removeprefix(f"{_BASE}: ")) from None
    assert recipe.evaluation is not None
    loaded = local_model(recipe.engine)
    if loaded is not None:
        resolve_model(loaded)
    config = recipe.evaluation.model_copy(
        update={"benchmarks": dict(benchmarks), "in_domain": tuple(name for name in benchmarks if name in IN_DOMAIN)}
    )
    asked = load_prompt(template or choose_prompt(model, recipe.engine), benchmarks, model=loaded)
    return ModelEvaluation(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip("-.") or "model",
        engine=recipe.engine,
        job=EvaluationJob(
            benchmarks={name: load_queries(queries, seed=0) for name, queries in benchmarks.items()},
            template=asked.template,
            by_benchmark=asked.by_benchmark,
            config=config,
            stop=asked.stop,
            prices=prices_of(recipe.engine),
        ),
    )


def _refuse_other_keys(overrides: Sequence[str]) -> None:
    for text in overrides:
        section, _, key = text.partition("=")[0].strip().partition(".")
        if section != "engine" and not (section == "evaluation" and key in _SETTINGS):
            raise ConfigError(
                f"--set {text}: expected engine.KEY=VALUE, or evaluation.KEY=VALUE with KEY one of "
                f"{', '.join(_SETTINGS)}; an evaluation depends on no other setting"
            )


def _engine_overrides(engine: str, model: str) -> list[str]:
    named = [f"engine.name={json.dumps(engine)}"]
    if engine == "ray":
        return [*named, 'engine.engine.name="transformers"', f"engine.engine.model={json.dumps(model)}"]
    return named if engine in _NO_MODEL or ":" in engine else [*named, f"engine.model={json.dumps(model)}"]
