"""How training sets are chosen from the pool, and what is kept out of them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dartune.config.sections import Count, Section


class DecontaminationConfig(Section):
    """What becomes of training problems that a benchmark of the recipe asks too."""

    action: Literal["drop", "report", "off"] = "drop"
    """Leave them out and report them, report them alone, or do not look."""
    n: Annotated[int, Field(ge=2, le=64)] = 13
    """Words in a run that counts as common. 13 as in GPT-3 (Brown et al. 2020, appendix C)."""
    min_overlap: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """A benchmark's problem is matched if more than this share of its words lies in runs that one training problem has
    too, as in Tülu 3 (arXiv 2411.15124, section 3.2)."""
    same_numbers: bool = True
    """Whether such a match also needs every number of the benchmark's problem; the same words are a match anyway."""


ExportName = Literal["alpaca", "dart", "grpo", "verl"]
"""A form in which a set is written beside prompt-completion and chat."""


class PassRatesConfig(Section):
    """Which queries are given to trainers that sample for themselves: those whose pass rate is in this band."""

    least: Annotated[float, Field(ge=0, le=1)] = 0.0
    most: Annotated[float, Field(ge=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _is_a_band(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"pass_rates: least ({self.least}) must not be more than most ({self.most})")
        return self


class ProcessConfig(Section):
    """What looks at how a correct response came to its answer, which may be right by accident."""

    check: Annotated[str, Field(pattern=r"^(equations|[\w.]+:\w+)$")]
    """"equations": those of the embedded world must be true; or "module:function", called with a query and a response,
    which says whether it is sound. A set is not made again because that function changed."""
    action: Literal["drop", "report"] = "drop"
    """Leave out what is not sound, or count it alone."""


class CurationConfig(Section):
    """How a training set is chosen from the pool."""

    n_examples: Count | None = None
    """Size of every method's set; None keeps all that its policy chooses."""
    n_tokens: Count | None = None
    """Response tokens of every method's set, at most, in place of `n_examples`."""
    deduplicate: bool = True
    """Keep one of several responses to a query whose text is the same but for white space."""
    most_per_query: Count | None = None
    """Examples of one query, at most. A method that stops at its target has just enough correct responses; this leaves
    the rules below something to choose from."""
    pick: Literal["trial_order", "diverse", "shortest", "median_length"] = "trial_order"
    """Which of a query's correct responses come first: by trial (the only rule that does not bend the set's lengths or
    wording), those whose steps differ most, the shortest, or those nearest to the median length of that query's."""
    max_similarity: Annotated[float, Field(gt=0, le=1)] = 0.75
    """With "diverse", a response more alike than this to an earlier one is left out: Jaccard index of runs of five
    words, estimated by MinHash. Runs and threshold are FineWeb's (arXiv 2406.17557, section 3.4)."""
    teachers: tuple[str, ...] = ()
    """Models of the pool whose responses may be chosen; none named: all, without distinction."""
    teacher_rule: Literal["in_order", "in_turn"] = "in_order"
    """Whether all responses of the first of `teachers` come before any of the second, or one of each in turn."""
    process: ProcessConfig | None = None
    decontamination: DecontaminationConfig = DecontaminationConfig()
    exports: tuple[ExportName, ...] = ()
    """Forms beside prompt-completion and chat: "alpaca" (instruction, input, output), "dart" (query, response, as the
    published DART sets), and of the queries with their pass rates "grpo" (TRL) and "verl"."""
    pass_rates: PassRatesConfig = PassRatesConfig()
    """Of the queries in "grpo" and "verl"."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.n_examples is not None and self.n_tokens is not None:
            raise ValueError("n_examples, n_tokens: give one of them; each alone decides the size of the sets")
        for name, values in (("teachers", self.teachers), ("exports", self.exports)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: the same name twice")
        return self
