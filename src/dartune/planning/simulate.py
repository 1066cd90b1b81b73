"""A run of a recipe's methods on scripted tries: what it would cost and give, and how full it would keep the engine.

The ledger is the one that a real run asks, and the phases are those of `dartune.sampling.run`: pilots, then the targets
of all methods.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dartune.config import MethodConfig
from dartune.methods import method_targets, pilot_target
from dartune.planning.accounts import SimulationReport, account
from dartune.planning.events import play
from dartune.planning.pass_rates import PassRates
from dartune.planning.scripted import ScriptedTries
from dartune.sampling.ledger import Ledger, Recorded
from dartune.types import Target

_REPORT_EVERY = 1 << 17
"""Samples between reports; each costs a pass over the queries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What is to be simulated."""

    methods: Mapping[str, MethodConfig]
    rates: PassRates
    n_places: int
    """Requests that the engine runs at a time, all at the same speed however many there are."""
    seed: int = 0
    max_new_tokens: int = 2048
    speculation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationProgress:
    """The state of a simulation at one moment."""

    n_samples: int
    n_tokens: int
    expected_tries: float
    """Tries expected still to be made in this phase."""


Watcher = Callable[[SimulationProgress], None]


def simulate(job: Simulation, watch: Watcher | None = None) -> SimulationReport:
    """Run every method of `job` to its targets on one shared pool of tries; the same job gives the same report."""
    tries = ScriptedTries(job.rates, job.seed, job.max_new_tokens)
    made = _Made(tries)
    time = 0
    for targets in _phases(job, made):
        ledger = Ledger(dict(zip(job.rates.query_ids, targets, strict=True)), made.recorded(), job.speculation)
        for ended in play(ledger, tries, n_places=job.n_places, start=time):
            time = ended.time
            made.count(ended.key.query_id, ended.is_correct, ended.n_tokens)
            if watch is not None and made.n_samples % _REPORT_EVERY == 0:
                watch(
                    SimulationProgress(
                        n_samples=made.n_samples,
                        n_tokens=made.n_tokens,
                        expected_tries=ledger.totals().expected_tries,
                    )
                )
    by_method = {name: _targets(job, method, made) for name, method in job.methods.items()}
    return account(tries, made.n_by_query, by_method, n_places=job.n_places, makespan=time)


def _phases(job: Simulation, made: "_Made") -> Iterator[list[Sequence[Target]]]:
    """The targets of each query: of the pilots, where a method needs any; then of all methods."""
    pilots = [target for method in job.methods.values() if (target := pilot_target(method)) is not None]
    if pilots:
        yield [pilots] * len(job.rates.query_ids)
    yield list(zip(*(_targets(job, method, made) for method in job.methods.values()), strict=True))


def _targets(job: Simulation, method: MethodConfig, made: "_Made") -> list[Target]:
    return method_targets(method, job.rates.query_ids, made)


class _Made(Mapping[str, Mapping[int, bool]]):
    """What has been tried so far, as outcomes by query and trial; counts are all that is kept."""

    def __init__(self, tries: ScriptedTries) -> None:
        self.n_by_query = [0] * len(tries.rates.query_ids)
        self.n_samples = 0
        self.n_tokens = 0
        self._n_correct = [0] * len(tries.rates.query_ids)
        self._tries = tries

    def count(self, query_id: str, is_correct: bool, n_tokens: int) -> None:
        row = self._tries.rows[query_id]
        self.n_by_query[row] += 1
        self._n_correct[row] += is_correct
        self.n_samples += 1
        self.n_tokens += n_tokens

    def recorded(self) -> dict[str, Recorded]:
        """What a ledger needs to know. Queries that are as far as each other share one set of trials."""
        trials = {n: frozenset(range(n)) for n in set(self.n_by_query)}
        return {
            query_id: Recorded(trials=trials[n], n_correct=n_correct)
            for query_id, n, n_correct in zip(
                self._tries.rates.query_ids, self.n_by_query, self._n_correct, strict=True
            )
            if n
        }

    def __getitem__(self, query_id: str) -> Mapping[int, bool]:
        row = self._tries.rows[query_id]
        return dict(enumerate(self._tries.first(row, self.n_by_query[row]).is_correct.tolist()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tries.rates.query_ids)

    def __len__(self) -> int:
        return len(self.n_by_query)
