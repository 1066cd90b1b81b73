"""Which problems score a model, and how it is asked."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dartune.config.queries import QueriesConfig
from dartune.config.sections import Count, Section
from dartune.types import SamplingParams


class EvaluationConfig(Section):
    """Which problems score a model, and how it is asked. The defaults are the paper's: one greedy try (appendix B)."""

    benchmarks: dict[str, QueriesConfig] = Field(default_factory=dict)
    """Name in the tables -> queries."""
    in_domain: tuple[str, ...] = ()
    """Names of the benchmarks that count as in-domain; the others are out of domain."""
    max_new_tokens: Count = 2048
    n_trials: Count = 1
    """Tries of every query. From several come the mean accuracy, pass@k and maj@k."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    stop: tuple[str, ...] = ()
    """Strings that end a response, beside those of a few-shot prompt."""
    include_base: bool = True
    """Score the base model as well."""
    include_teacher: bool = False
    """Score the sampled model as well."""

    @model_validator(mode="after")
    def _tries_differ(self) -> Self:
        if self.n_trials > 1 and not self.temperature:
            raise ValueError(
                f"n_trials: {self.n_trials} greedy tries of a query are the same; give temperature, or n_trials = 1"
            )
        return self

    def params(self, more_stops: tuple[str, ...] = ()) -> SamplingParams:
        """The record that travels with each request; `more_stops` are those of the prompt."""
        return SamplingParams(
            temperature=self.temperature,
            top_p=self.top_p,
            max_new_tokens=self.max_new_tokens,
            stop=(*self.stop, *more_stops),
        )
