"""What a run or a study leaves in its `summary.json`: plain numbers, from which every table and figure is drawn.

The file is one JSON object: `schema_version`, `kind` ("run", "study" or "rounds"), then the fields of `RunSummary`,
`StudySummary` or `RoundsSummary` by their names here. Rates are fractions in [0, 1]; tokens are those of the sampled
model's tokenizer unless a field says otherwise. A reader refuses another schema version.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from dartune.analysis.curated import CurationSummary, Omissions
from dartune.errors import DataError
from dartune.evaluation.metrics import Estimate, Score
from dartune.evaluation.significance import PairedTest, SeedMean
from dartune.files import write_text
from dartune.types import Verdict

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSummary:
    """Everything that was sampled, for all methods together."""

    n_queries: int
    n_raw: int
    """Responses, right or wrong."""
    n_failures: int
    """Requests that the engine did not answer."""
    raw_tokens: int
    """Completion tokens of all responses."""
    seconds_sampling: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSummary:
    """The queries of one level as one method treats them."""

    level: int | None
    """None gathers the queries that have no level."""
    n_queries: int
    n_raw: int
    n_correct: int
    n_covered: int
    """Queries with at least one example in the set."""
    coverage: float
    """`n_covered` over `n_queries`."""
    n_examples: int
    responses_per_query: float
    """Examples in the set over queries of the level, covered or not (the paper's figure 1, right)."""
    response_tokens: int
    """Completion tokens of the examples."""
    mean_fail_rate: float
    """Mean over the queries, from the tries that this method makes of each. Stopping at a target makes incorrect over
    raw tries too low; this is the estimate that it does not bias (`difficulty.inverse_sampling`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSummary:
    """One training set: what it took to sample and what is in it."""

    name: str
    policy: str
    """The policy in words, e.g. "7 tries for every query"."""
    n_raw: int
    """Tries that this method alone needs, counted in trial order."""
    raw_tokens: int
    """Completion tokens of those tries."""
    n_correct: int
    """Correct ones among those tries."""
    fill: float | None
    """Mean over queries of min(1, correct / target); None for a policy without a target (VRT)."""
    n_examples: int
    response_tokens: int
    prompt_tokens: int
    levels: tuple[LevelSummary, ...]
    """By rising level, the queries without a level last."""
    omissions: Omissions
    """What was left out of the set, and what it lacks."""

    @property
    def acceptance(self) -> float | None:
        """Correct over raw tries; None before the first try."""
        return self.n_correct / self.n_raw if self.n_raw else None

    @property
    def coverage(self) -> float:
        """Share of all queries with at least one example in the set."""
        return sum(row.n_covered for row in self.levels) / sum(row.n_queries for row in self.levels)

    @property
    def mean_fail_rate(self) -> float:
        """Mean over all queries of the fail rate of the sampled model."""
        fails = sum(row.n_queries * row.mean_fail_rate for row in self.levels)
        return fails / sum(row.n_queries for row in self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelScore:
    """Accuracy on the queries of one level."""

    level: int | None
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainScore:
    """Accuracy on the queries of one domain: a subject of MATH, a family of the embedded world."""

    domain: str | None
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSummary:
    """One model on one benchmark."""

    method: str
    """Name of the training set, or "base" for the model before fine-tuning, "teacher" for the one that was sampled."""
    benchmark: str
    in_domain: bool
    overall: Score
    macro: Estimate | None
    """Plain mean over the levels; None where no query has a level."""
    levels: tuple[LevelScore, ...]
    domains: tuple[DomainScore, ...]
    mean_tokens: float
    """Completion tokens of an answer, by the evaluated model's tokenizer."""
    verdicts: dict[Verdict, int]

    @property
    def headline(self) -> Estimate:
        """The one number for this benchmark: the mean over levels, or plain accuracy where there are none."""
        if self.macro is not None:
            return self.macro
        return Estimate(value=self.overall.accuracy, low=self.overall.low, high=self.overall.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class HardExample:
    """A query that mostly fails, and one right answer to it that sampling found."""

    query: str
    level: int | None
    ref_answer: str
    fail_rate: float
    n_trials: int
    response: str
    is_sound: bool | None
    """What the recipe's check of the process says of the response; None where there is no check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run: a pool, the sets chosen from it and the models trained on them."""

    name: str
    seed: int
    recipe_hash: str
    recipe: str
    """The resolved recipe as TOML."""
    created: str
    """ISO 8601 with zone."""
    versions: dict[str, str]
    """Package -> version, dartune's own included."""
    queries: str
    """Where the queries came from, e.g. "world/train"."""
    sampled_model: str
    student: str | None
    """The base model that was fine-tuned; None for a run that stops before training."""
    pool: PoolSummary
    methods: tuple[MethodSummary, ...]
    curation: CurationSummary
    evaluations: tuple[EvaluationSummary, ...]
    hard_examples: tuple[HardExample, ...]
    timings: dict[str, float]
    """Stage -> seconds, in the order of the stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyCell:
    """One run of a study."""

    variant: str
    """What the study varies beside the seed, e.g. the pair of models."""
    seed: int
    path: str
    """Folder of the run."""
    recipe_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySet:
    """The size and cost of one method's sets, over the seeds of a variant."""

    variant: str | None
    """None pools all variants."""
    method: str
    n_examples: SeedMean
    response_tokens: SeedMean
    n_raw: SeedMean
    coverage: dict[int, float]
    """Level -> mean coverage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAccuracy:
    """Accuracy of one method on one benchmark, over the seeds of a variant."""

    variant: str | None
    """None pools all variants."""
    method: str
    benchmark: str
    in_domain: bool
    level: int | None
    """None is the benchmark's headline: the mean over levels, or plain accuracy where there are none."""
    accuracy: SeedMean


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDifference:
    """Accuracy of one method minus that of a baseline, paired by variant and seed."""

    variant: str | None
    """None pools all variants."""
    method: str
    baseline: str
    benchmark: str
    level: int | None
    """None is the benchmark's headline."""
    test: PairedTest


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySummary:
    """Several runs of one design: means with intervals over seeds, and paired differences."""

    name: str
    created: str
    """ISO 8601 with zone."""
    cells: tuple[StudyCell, ...]
    sets: tuple[StudySet, ...]
    accuracies: tuple[StudyAccuracy, ...]
    differences: tuple[StudyDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSummary:
    """One method in one round: what was sampled, chosen and trained."""

    round: int
    """From 1."""
    path: str
    """Folder of the run."""
    recipe_hash: str
    sampled_model: str
    method: MethodSummary
    n_distinct: int
    """Different correct responses among the method's tries, white space aside."""
    n_new: int
    """Those among them that no earlier round of this method has found."""
    evaluations: tuple[EvaluationSummary, ...]
    """Of the model that was trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsSummary:
    """Rounds of sampling and training: from the second on, each method samples the model that it trained before."""

    name: str
    created: str
    """ISO 8601 with zone."""
    student: str
    """The base model, from which every round trains."""
    rounds: tuple[RoundSummary, ...]
    """By round, then by method."""
    references: tuple[EvaluationSummary, ...]
    """The base model and the first sampled one, where they were evaluated."""


Summary = RunSummary | StudySummary | RoundsSummary

_KINDS: Final[Mapping[str, TypeAdapter[Summary]]] = {
    "run": TypeAdapter(RunSummary),
    "study": TypeAdapter(StudySummary),
    "rounds": TypeAdapter(RoundsSummary),
}


def to_json(summary: Summary) -> str:
    """The text of `summary.json`, indented, with a newline at its end."""
    kind = {RunSummary: "run", StudySummary: "study", RoundsSummary: "rounds"}[type(summary)]
    document = {"schema_version": SCHEMA_VERSION, "kind": kind, **asdict(summary)}
    # ASCII only: text of a model may hold lone surrogates, which UTF-8 cannot carry.
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def from_json(text: str | bytes, where: str) -> Summary:
    """Read what `to_json` wrote; `where` names the file in errors. Raises DataError for anything else."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: expected a JSON object, got text that does not parse ({error})") from error
    if not isinstance(document, dict):
        raise DataError(f"{where}: expected a JSON object, got {type(document).__name__}")
    version, kind = document.pop("schema_version", None), document.pop("kind", None)
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{where}: field schema_version: expected {SCHEMA_VERSION}, got {version!r}; "
            "run the recipe again with this version of dartune, or read the file with the version that wrote it"
        )
    if not isinstance(kind, str) or kind not in _KINDS:
        raise DataError(f"{where}: field kind: expected {', '.join(map(repr, _KINDS))}, got {kind!r}")
    try:
        return _KINDS[kind].validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{where}: field {field}: {first['msg']}, got {first['input']!r:.80}") from error


def write_summary(summary: Summary, path: Path) -> None:
    """Write `summary` to `path`, whole or not at all; raises WriteError."""
    write_text(path, to_json(summary))


def read_summary(path: Path) -> Summary:
    """Read a `summary.json`; raises DataError if it is missing, malformed or of another schema version."""
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"{path}: expected the summary of a run, but it cannot be read ({reason})") from error
    return from_json(text, str(path))
