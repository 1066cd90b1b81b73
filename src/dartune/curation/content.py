"""What a training set holds, before it is counted and written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dartune.curation.choose import Choice, Examples
from dartune.curation.histories import Texts
from dartune.curation.job import CurationJob
from dartune.curation.rl import Prompt
from dartune.decontamination import Match


class QuerySums(NamedTuple):
    """What each query gives to a set, in the order of the job's queries."""

    n_examples: NDArray[np.int64]
    response_tokens: NDArray[np.int64]
    prompt_tokens: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingSet:
    """What was chosen, with all that is needed to write it."""

    job: CurationJob
    choices: Mapping[str, Choice]
    """In the order of the job's queries."""
    examples: Examples
    texts: Texts
    """Of each example."""
    matches: Sequence[Match]
    """Queries that a benchmark asks too."""
    prompts: Sequence[Prompt]
    """Queries for trainers that sample for themselves."""

    def sums(self) -> QuerySums:
        """Examples and tokens of each query."""
        return QuerySums(self._sum(None), self._sum(self.examples.n_tokens), self._sum(self.texts.n_prompt_tokens))

    def _sum(self, weights: NDArray[np.int32] | None) -> NDArray[np.int64]:
        # Floats in between are exact: no query has 2^53 tokens.
        sums = np.bincount(self.examples.queries, weights, minlength=len(self.choices))
        return sums.astype(np.int64)
