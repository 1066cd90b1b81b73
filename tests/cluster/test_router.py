"""Which replica gets which request, whatever happens to both."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from dartune.cluster.router import Losses, Router


@dataclass
class Books:
    """A router, and what a fleet would know of it."""

    max_attempts: int
    router: Router = field(init=False)
    aboard: dict[int, dict[int, int]] = field(default_factory=dict)
    """Replica -> request -> how often the request had been given out before."""
    given: Counter[int] = field(default_factory=Counter)
    open: set[int] = field(default_factory=set)
    n_requests: int = 0
    n_replicas: int = 0

    def __post_init__(self) -> None:
        self.router = Router(self.max_attempts)

    def submit(self) -> None:
        self.router.submit(self.n_requests)
        self.open.add(self.n_requests)
        self.n_requests += 1
        self.assign()

    def join(self, n_places: int) -> None:
        self.router.join(self.n_replicas, n_places)
        self.aboard[self.n_replicas] = {}
        self.n_replicas += 1
        self.assign()

    def end(self, choice: int) -> None:
        if self.open:
            request = sorted(self.open)[choice % len(self.open)]
            where = self.router.end(request)
            assert where == next((name for name, held in self.aboard.items() if request in held), None)
            if where is not None:
                del self.aboard[where][request]
            self.open.discard(request)
            self.assign()

    def leave(self, choice: int) -> Losses | None:
        if not self.aboard:
            return None
        name = sorted(self.aboard)[choice % len(self.aboard)]
        losses = self.router.leave(name)
        assert sorted(losses.again + losses.over) == sorted(self.aboard.pop(name))
        assert all(self.given[request] == self.max_attempts for request in losses.over)
        self.open.difference_update(losses.over)
        self.assign()
        return losses

    def assign(self) -> None:
        for request, name in self.router.assign():
            assert request in self.open
            assert all(request not in held for held in self.aboard.values())
            self.aboard[name][request] = self.given[request]
            self.given[request] += 1


Step = st.tuples(st.sampled_from(["submit", "submit", "submit", "join", "end", "leave"]), st.integers(0, 40))


@given(max_attempts=st.integers(1, 4), steps=st.lists(Step, max_size=80))
def test_a_request_is_somewhere_once_and_a_lost_replica_ends_one_at_most(
    max_attempts: int, steps: list[tuple[str, int]]
) -> None:
    books = Books(max_attempts)
    for name, number in steps:
        if name == "submit":
            books.submit()
        elif name == "join":
            books.join(number % 5 + 1)
        elif name == "end":
            books.end(number)
        else:
            losses = books.leave(number)
            assert losses is None or max_attempts == 1 or len(losses.over) <= 1
        assert all(count <= max_attempts for count in books.given.values())
    # No place stays empty while a request waits that may go there.
    waiting = books.open - {request for held in books.aboard.values() for request in held}
    n_free = books.router.n_places - sum(map(len, books.aboard.values()))
    if any(books.given[request] < max(1, books.max_attempts - 1) for request in waiting):
        assert n_free == 0


def test_requests_go_where_places_are_least_taken() -> None:
    router = Router(3)
    router.join(0, 4)
    router.join(1, 12)
    for request in range(16):
        router.submit(request)
    given = list(router.assign())
    assert Counter(name for _, name in given) == {0: 4, 1: 12}
    assert [name for _, name in given[:8]].count(1) == 6
    router.resize(0, 2)
    router.end(given[0].request)
    router.submit(16)
    assert list(router.assign()) == []


def test_what_was_lost_goes_before_what_waits() -> None:
    router = Router(3)
    router.join(0, 2)
    for request in range(4):
        router.submit(request)
    assert [request for request, _ in router.assign()] == [0, 1]
    assert router.leave(0) == Losses(again=[1, 0], over=[])
    router.join(1, 3)
    assert [request for request, _ in router.assign()] == [0, 1, 2]


def test_a_request_that_kills_whoever_answers_it_takes_no_other_with_it() -> None:
    router, killer, name = Router(3), 7, 0
    is_open, aboard, over = set(range(32)), set[int](), list[int]()
    for request in sorted(is_open):
        router.submit(request)
    router.join(name, 16)
    while is_open:
        aboard |= {request for request, _ in router.assign()}
        if killer in aboard:
            over += router.leave(name).over
            name += 1
            router.join(name, 16)
            aboard.clear()
            is_open.difference_update(over)
        else:
            router.end(min(aboard))
            is_open.discard(min(aboard))
            aboard.discard(min(aboard))
    assert over == [killer]
    assert name == 3
