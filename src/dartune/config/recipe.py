"""The whole recipe: what is asked, by what prompt and engine, how much of it, and what is made of the answers."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dartune.config.curation import CurationConfig
from dartune.config.engines import NO_PRICES, EngineConfig, OpenAIEngineConfig, prices_of
from dartune.config.evaluation import EvaluationConfig
from dartune.config.methods import MethodConfig, VanillaMethod
from dartune.config.queries import QueriesConfig
from dartune.config.sampling import BudgetConfig, SamplingConfig, SecondChanceConfig
from dartune.config.sections import Count, Name, Section, Seed
from dartune.config.training import TrainingConfig

RESERVED_NAMES = ("base", "teacher")
"""Names of the models that are evaluated beside those trained on a method's set."""


class PromptConfig(Section):
    """How a query becomes a prompt, and a response an example."""

    template: str = "alpaca"
    """How the sampled model is asked: alpaca, boxed, deepseekmath, plain, world, or chat (the model's own)."""
    student: str | None = None
    """How the fine-tuned model is trained and evaluated; None: the same way."""


class StudyConfig(Section):
    """A recipe repeated over seeds and variants, so that a difference can be told from luck."""

    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    variants: Annotated[dict[Name, dict[str, str | int | float | bool]], Field(min_length=1)]
    """Name -> recipe keys ("engine.model") and the values that they take in it."""

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("two seeds are the same, and so would be their runs")
        return self


class Recipe(Section):
    """One whole run: sample, curate, train, evaluate, report."""

    name: Name
    seed: Seed = 0
    queries: QueriesConfig
    prompt: PromptConfig = PromptConfig()
    engine: EngineConfig
    sampling: SamplingConfig = SamplingConfig()
    second_chance: SecondChanceConfig | None = None
    budget: BudgetConfig | None = None
    """Ends sampling even if targets are not met; None: targets and caps alone do."""
    methods: Annotated[dict[Name, MethodConfig], Field(min_length=1)]
    """Name of a training set -> the policy that allocates its samples. All draw on one pool."""
    curation: CurationConfig = CurationConfig()
    training: TrainingConfig | None = None
    evaluation: EvaluationConfig | None = None
    rounds: Count = 1
    """How often all of this is done, each round after the first sampling the model that the one before it trained on
    the method's set. Every training starts from `training.model`, as in ReST-EM (arXiv 2312.06585)."""
    study: StudyConfig | None = None

    @model_validator(mode="after")
    def _rounds_can_be(self) -> Self:
        if self.rounds == 1:
            return self
        if self.training is None:
            raise ValueError("rounds: a later round samples the model that [training] makes; add it")
        if self.study:
            raise ValueError("rounds: expected 1 in a study; run each round's recipe as a study of its own")
        for name, method in self.methods.items():
            if method.equal_tokens_with is not None:
                raise ValueError(
                    f"methods.{name}.equal_tokens_with: from the second round on each method samples a model of its "
                    "own, so there is no other set to match; take curation.n_tokens"
                )
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.budget and self.budget.money is not None and prices_of(self.engine) == NO_PRICES:
            raise ValueError("budget.money: what tokens cost is not known; give engine.prices")
        if self.second_chance:
            self._second_chance_fits(self.second_chance)
        taken = [name for name in self.methods if name in RESERVED_NAMES]
        if taken:
            raise ValueError(f"methods.{taken[0]}: this name means the model itself; choose another")
        if isinstance(self.engine, OpenAIEngineConfig) and self.engine.api == "chat" and self.prompt.template == "chat":
            raise ValueError(
                "prompt.template: with engine.api = 'chat' the server adds the chat template; take 'boxed'"
            )
        evaluation = self.evaluation
        if evaluation is None:
            return self
        if self.training is None and not evaluation.include_teacher:
            raise ValueError("evaluation has no model to score: add [training], or evaluation.include_teacher = true")
        strangers = [name for name in evaluation.in_domain if name not in evaluation.benchmarks]
        if strangers:
            raise ValueError(f"evaluation.in_domain: expected names of evaluation.benchmarks, got {strangers[0]!r}")
        return self

    def _second_chance_fits(self, chance: SecondChanceConfig) -> None:
        made = {
            f"methods.{name}.{'n_trials' if isinstance(method, VanillaMethod) else 'n_pilot'}": method.n_fixed
            for name, method in self.methods.items()
        }
        most = max(made, key=lambda name: made[name])
        if chance.after < made[most]:
            raise ValueError(
                f"second_chance.after ({chance.after}) must not be less than {most} ({made[most]}): those tries are "
                "made for every query"
            )
        caps = [method.max_trials for method in self.methods.values() if not isinstance(method, VanillaMethod)]
        if not caps or chance.after >= max(caps):
            raise ValueError(f"second_chance.after ({chance.after}) must be less than some method's max_trials")
