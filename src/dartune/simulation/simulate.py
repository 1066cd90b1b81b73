"""A run of a recipe's methods on scripted tries: what it would cost and give, and how full it would keep the engine.

The ledger is the one that a real run asks, and so are its phases: pilots, then the targets of all methods. A second
chance is left out, since pass rates are those of one way of asking.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dartune.config import NO_PRICES, BudgetConfig, MethodConfig, Prices, SamplingConfig
from dartune.planning.pass_rates import PassRates
from dartune.sampling.budget import Budget
from dartune.sampling.ledger import Ledger
from dartune.sampling.orders import make_order
from dartune.sampling.phases import Targets, final, pilot
from dartune.simulation.events import Ended, play
from dartune.simulation.report import SimulationReport, account
from dartune.simulation.scripted import ScriptedTries
from dartune.types import Spending

_REPORT_EVERY = 1 << 18
"""Samples between reports; each costs a pass over the queries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What is to be simulated."""

    methods: Mapping[str, MethodConfig]
    rates: PassRates
    n_places: int
    """Requests that the engine runs at a time, all at the same speed however many there are."""
    seed: int = 0
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    """Of it the longest response, speculation, order and worth count."""
    budget: BudgetConfig | None = None
    """Of tokens or money; prompts cost nothing in a simulation."""
    prices: Prices = NO_PRICES


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
    made = _Made(ScriptedTries(job.rates, job.seed, job.sampling.max_new_tokens))
    ids = job.rates.query_ids
    time = _sample(job, pilot(job.methods, ids), made, 0, watch)
    targets = final(job.methods, ids, made)
    time = _sample(job, targets, made, time, watch)
    by_method = zip(*(targets[query_id] for query_id in ids), strict=True)
    return account(
        made.tries,
        made.n_by_query,
        dict(zip(job.methods, by_method, strict=True)),
        n_places=job.n_places,
        makespan=time,
    )


def _sample(job: Simulation, targets: Targets, made: "_Made", start: int, watch: Watcher | None) -> int:
    """One phase of a run, from `start`; when it ends."""
    sampling = job.sampling
    order = make_order(sampling.order or ("value" if job.budget else "longest"), sampling.worth)
    ledger = Ledger(targets, made, sampling.speculation, order)
    time = start
    for ended in play(ledger, made.tries, n_places=job.n_places, start=start, may_ask=_gate(job, made)):
        time = ended.time
        made.count(ended)
        if watch is not None and made.n_samples % _REPORT_EVERY == 0:
            expected_tries = ledger.totals().expected_tries
            watch(SimulationProgress(n_samples=made.n_samples, n_tokens=made.n_tokens, expected_tries=expected_tries))
    return time


def _gate(job: Simulation, made: "_Made") -> Callable[[int], bool]:
    """Whether one more request may be asked beside so many in flight."""
    if job.budget is None:
        return lambda n_in_flight: True
    budget = Budget(config=job.budget, prices=job.prices, before=Spending(), max_new_tokens=job.sampling.max_new_tokens)
    return lambda n_in_flight: budget.allows(
        Spending(n_tokens=made.n_tokens), n_samples=made.n_samples, n_in_flight=n_in_flight
    )


class _Made(Mapping[str, Mapping[int, bool]]):
    """What has been tried so far, as outcomes by query and trial; how often is all that is kept."""

    def __init__(self, tries: ScriptedTries) -> None:
        self.tries = tries
        self.n_by_query = [0] * len(tries.rates.query_ids)
        self.n_samples = 0
        self.n_tokens = 0

    def count(self, ended: Ended) -> None:
        row = self.tries.rows[ended.key.query_id]
        self.n_by_query[row] += 1
        self.n_samples += 1
        self.n_tokens += ended.n_tokens

    def __getitem__(self, query_id: str) -> Mapping[int, bool]:
        row = self.tries.rows[query_id]
        return dict(enumerate(self.tries.first(row, self.n_by_query[row]).is_correct.tolist()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.tries.rates.query_ids)

    def __len__(self) -> int:
        return len(self.n_by_query)
