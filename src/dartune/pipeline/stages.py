"""The stages of a run. Each reads what the one before it left in the folder, and knows from it whether it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dartune.config import EngineConfig, Recipe, local_model, prices_of, with_model
from dartune.curation import CurationJob, SetManifest, curate, curation_order
from dartune.engines.factory import build_engine
from dartune.errors import ConfigError, MissingExtra
from dartune.evaluation.run import EvaluationJob, evaluate_model
from dartune.grading.remote import build_grader
from dartune.models import resolve_model
from dartune.pipeline.folder import RunFolder
from dartune.prompts import Template, load_template
from dartune.queries import QuerySet, load_queries
from dartune.recipes import recipe_hash
from dartune.sampling.job import Job, SamplingReport, SecondChance, Way
from dartune.sampling.run import Watcher, sample_pool
from dartune.types import Query

if TYPE_CHECKING:
    from dartune.training.sft import StepProgress

BASE = "base"
"""Name of the model before fine-tuning, in the tables and in the folder."""
TEACHER = "teacher"
"""Name of the model that was sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A recipe at work in its folder."""

    recipe: Recipe
    folder: RunFolder

    @property
    def students(self) -> list[str]:
        """Names of the models that are trained: one for each method."""
        return list(self.recipe.methods) if self.recipe.training else []

    @property
    def evaluated(self) -> list[str]:
        """Names of the models that are scored."""
        evaluation = self.recipe.evaluation
        if evaluation is None:
            return []
        extra = [BASE] * (evaluation.include_base and self.recipe.training is not None)
        return [*extra, *self.students, *([TEACHER] if evaluation.include_teacher else [])]

    def check(self) -> None:
        """Raise InputError if the recipe cannot be run here, before anything is made or spent."""
        self.queries()
        self.benchmarks()
        self.template()
        self.student_template()
        self._second_chance(())
        curation_order(self.recipe.methods)
        for model in (local_model(self.recipe.engine), self.recipe.training.model if self.recipe.training else None):
            if model is not None:
                resolve_model(model)
        for model in self.evaluated:
            self._engine_for(model)
        if self.recipe.training and find_spec("trl") is None:
            raise MissingExtra("trl", "train")

    def sample(self, watch: Watcher | None = None) -> SamplingReport:
        """Fill the pool until every method has what it asks for."""
        queries = self.queries()
        recipe = self.recipe
        job = Job(
            queries=queries.queries,
            methods=recipe.methods,
            template=self.template(),
            params=recipe.sampling.params(),
            seed=recipe.seed,
            second_chance=self._second_chance(queries.queries),
            speculation=recipe.sampling.speculation,
            order=recipe.sampling.order or ("value" if recipe.budget else "longest"),
            worth=recipe.sampling.worth,
            prices=prices_of(recipe.engine),
            budget=recipe.budget,
            sampled_s=self.folder.read_timings().get("sample", 0.0),
        )
        engine = build_engine(recipe.engine, queries.queries)
        with build_grader(recipe.engine) as grader:
            report = sample_pool(job, engine=engine, grader=grader, pool=self.folder.pool, watch=watch)
        self.folder.add_timing("sample", report.elapsed_s)
        return report

    def _second_chance(self, queries: Sequence[Query]) -> SecondChance | None:
        chance, recipe = self.recipe.second_chance, self.recipe
        if chance is None:
            return None
        other = chance.engine or recipe.engine
        way = Way(
            template=load_template(chance.template or recipe.prompt.template, model=local_model(other)),
            params=chance.params(recipe.sampling.params()),
            engine=partial(build_engine, chance.engine, queries) if chance.engine else None,
        )
        return SecondChance(after=chance.after, n_trials=chance.n_trials, way=way)

    def curate(self) -> dict[str, SetManifest]:
        """Write every method's training set."""
        job = CurationJob(
            queries=self.queries().queries,
            methods=self.recipe.methods,
            config=self.recipe.curation,
            template=self.student_template(),
            seed=self.recipe.seed,
            benchmarks={name: benchmark.queries for name, benchmark in self.benchmarks().items()},
        )
        return curate(self.folder.pool, job, out=self.folder.sets)

    def train(self, method: str, progress: "Callable[[StepProgress], None] | None" = None) -> None:
        """Fine-tune the base model on one method's set, unless that is done already."""
        from dartune.training import train

        config, seed = self.recipe.training, self.recipe.seed
        if config is None or method not in self.recipe.methods:
            raise ConfigError(f"train: expected one of {', '.join(self.students) or 'no models'}, got {method!r}")
        train(
            config,
            set_dir=self.folder.sets / method,
            out=self.folder.model(method, seed),
            seed=seed,
            progress=progress,
            recipe_hash=recipe_hash(self.recipe),
        )

    def evaluate(self, model: str, watch: Watcher | None = None) -> SamplingReport:
        """Let one model answer the benchmarks."""
        config = self.recipe.evaluation
        if config is None or model not in self.evaluated:
            raise ConfigError(f"evaluate: expected one of {', '.join(self.evaluated) or 'no models'}, got {model!r}")
        template = self.template() if model == TEACHER else self.student_template()
        prices = prices_of(self._engine_for(model))
        job = EvaluationJob(benchmarks=self.benchmarks(), template=template, config=config, prices=prices)
        queries = [query for benchmark in job.benchmarks.values() for query in benchmark.queries]
        engine = build_engine(self._engine_for(model), queries)
        pool = self.folder.evaluation(model, self.recipe.seed)
        with build_grader(self.recipe.engine) as grader:
            return evaluate_model(job, engine=engine, grader=grader, pool=pool, watch=watch)

    def queries(self) -> QuerySet:
        """The queries that are sampled."""
        return load_queries(self.recipe.queries, seed=self.recipe.seed)

    def benchmarks(self) -> dict[str, QuerySet]:
        """The queries that score a model: the same ones for every seed of a study."""
        config = self.recipe.evaluation
        return {} if config is None else {name: load_queries(q, seed=0) for name, q in config.benchmarks.items()}

    def template(self) -> Template:
        """How the sampled model is asked."""
        return load_template(self.recipe.prompt.template, model=local_model(self.recipe.engine))

    def student_template(self) -> Template:
        """How the fine-tuned model is asked."""
        training = self.recipe.training
        model = training.model if training else local_model(self.recipe.engine)
        return load_template(self.recipe.prompt.student or self.recipe.prompt.template, model=model)

    def _engine_for(self, model: str) -> EngineConfig:
        engine = self.recipe.engine
        if model == TEACHER:
            return engine
        assert self.recipe.training is not None
        path = self.recipe.training.model if model == BASE else str(self.folder.model(model, self.recipe.seed))
        return with_model(engine, path)
