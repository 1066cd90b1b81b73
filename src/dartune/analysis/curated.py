"""What curation left out of the sets of a run or found fault with, as it stands in a run's `summary.json`."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["drop", "report"]
"""Whether what is found is left out, or counted alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsoundLevel:
    """How many right answers to the queries of one level were reached by a fault."""

    level: int | None
    n_correct: int
    """Correct responses in the tries that the method made."""
    n_unsound: int
    """Of these, those that the check of the process found fault with."""

    @property
    def share(self) -> float | None:
        """Unsound over correct; None where nothing is correct."""
        return self.n_unsound / self.n_correct if self.n_correct else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Omissions:
    """What one set lacks, and why."""

    n_duplicates: int
    """Correct responses left out because an earlier one reads the same."""
    n_near_duplicates: int
    """Others left out because an earlier one reads nearly the same; looked for where the choice is "diverse"."""
    n_unsound: int
    """Correct responses that the check of the process found fault with, left out or not; 0 without a check."""
    n_dropped_queries: int
    """Queries left out because a benchmark asks them too."""
    n_missing: int
    """Examples fewer than the recipe asks for."""
    n_missing_tokens: int
    """Response tokens fewer than the recipe, or the set that this one is to match, asks for."""
    n_unfinished: int
    """Queries that sampling has not brought to their target or their cap."""
    levels: tuple[UnsoundLevel, ...]
    """By rising level, the queries without a level last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessCheck:
    """What looked at how correct responses came to their answer."""

    check: str
    """"equations", or "module:function"."""
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkMatches:
    """One benchmark against the training queries."""

    benchmark: str
    n_problems: int
    """The benchmark's problems; all were compared."""
    n_exact: int
    """Pairs whose words are the same."""
    n_ngram: int
    """Pairs with common runs of words."""
    n_queries: int
    """Training queries in any of its pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPair:
    """A training query and a benchmark's problem that match."""

    query: str
    benchmark: str
    benchmark_query: str
    kind: Literal["exact", "ngram"]
    overlap: float
    """Share of the words of the benchmark's problem that lie in runs that both have; 1 where the words are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """Queries that score the model as well."""

    action: Action
    n: int
    """Words in a run that counts as common."""
    min_overlap: float
    """A pair matches by runs with a larger overlap than this."""
    same_numbers: bool
    """Whether such a match also needs every number of the benchmark's problem."""
    benchmarks: tuple[BenchmarkMatches, ...]
    n_queries: int
    """Queries that any benchmark asks too."""
    n_pairs: int
    pairs: tuple[MatchedPair, ...]
    """Some of the pairs, those with the smallest overlap first: the ones that a reader may doubt."""
    file: str
    """Where all pairs stand, relative to the run's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationSummary:
    """What was looked for in all the sets of a run."""

    process: ProcessCheck | None
    """None: nobody looked at more than the final answer."""
    contamination: Contamination | None
    """None: the recipe asks for no comparison with the benchmarks."""
