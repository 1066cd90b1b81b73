"""The search for the number of requests that a server does best with, on simulated servers of three kinds."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from dartune.engines.openai_http.limit import START, Limit

WITHIN = 0.95
"""Of the rate at the best fixed number, by the issue's measure."""


@dataclass
class Queueing:
    """Serves `capacity` at a time at full speed; what is more waits its turn. More in flight does no harm."""

    capacity: int
    token_s: float = 0.01

    def share(self, n: int) -> float:
        return min(1.0, self.capacity / n)


@dataclass
class Thrashing:
    """Gets slower as a whole beyond `best`: memory is swapped, prefixes are evicted."""

    best: int
    token_s: float = 0.01

    def share(self, n: int) -> float:
        return 1.0 if n <= self.best else (self.best / n) ** 1.6


@dataclass
class Batching:
    """Decodes all it has in one batch whose step grows with it, like a GPU between memory and compute bound."""

    best: int
    token_s: float = 0.01

    def share(self, n: int) -> float:
        return 1.0 / (1.0 + n / self.best)


def rate(server: Queueing | Thrashing | Batching, limit: Limit, *, seconds: float, warm_s: float, seed: int) -> float:
    """Tokens per second after `warm_s` with as many requests in flight as the limit allows.

    All requests in flight share the server: each makes `share(n) / token_s` tokens per second.
    """
    draw = random.Random(seed)
    done: list[tuple[float, int, int, float, int]] = []  # progress at which it ends, number, tokens, start, version
    numbers = itertools.count()
    now = progress = 0.0
    tokens = 0
    while now < seconds:
        while len(done) < limit.value:
            n_tokens = max(1, round(draw.lognormvariate(5.0, 0.6)))
            heapq.heappush(done, (progress + n_tokens, next(numbers), n_tokens, now, limit.version))
        speed = server.share(len(done)) / server.token_s
        ends, _, n_tokens, started, version = heapq.heappop(done)
        now += (ends - progress) / speed
        progress = ends
        tokens += n_tokens if now > warm_s else 0
        limit.ended(n_tokens=n_tokens, seconds=now - started, version=version, was_full=True)
    return tokens / (now - warm_s)


def best_fixed(make: Callable[[], Queueing | Thrashing | Batching], tries: list[int]) -> float:
    return max(rate(make(), Limit(n), seconds=400.0, warm_s=40.0, seed=1) for n in tries)


@pytest.mark.parametrize("capacity", [20, 64, 200, 700])
def test_a_server_that_queues_is_kept_full(capacity: int) -> None:
    limit = Limit()
    found = rate(Queueing(capacity), limit, seconds=400.0, warm_s=60.0, seed=2)
    assert found > WITHIN * best_fixed(lambda: Queueing(capacity), [capacity, 2 * capacity])
    assert limit.value < 5 * capacity


@pytest.mark.parametrize("best", [12, 50, 90, 300])
def test_a_server_that_thrashes_is_not_pushed_over(best: int) -> None:
    found = rate(Thrashing(best), Limit(), seconds=900.0, warm_s=250.0, seed=3)
    assert found > WITHIN * best_fixed(lambda: Thrashing(best), [best])


@pytest.mark.parametrize("best", [50, 200])
def test_a_server_that_batches_gets_what_still_helps(best: int) -> None:
    limit = Limit(most=4096)
    found = rate(Batching(best), limit, seconds=400.0, warm_s=150.0, seed=4)
    assert found > 0.9 * best_fixed(lambda: Batching(best), [4096])
    assert limit.value > 4 * best


Refuses = Callable[[float, int, random.Random], bool]
"""Whether a server refuses one more request, from the time, how many it has, and chance."""


def beyond(capacity: int) -> Refuses:
    return lambda now, n, draw: n >= capacity


def at_times(share: float) -> Refuses:
    return lambda now, n, draw: draw.random() < share


def faster_than(per_s: float) -> Refuses:
    """A bucket that holds a second's requests."""
    level, filled_s = per_s, 0.0

    def refuses(now: float, n: int, draw: random.Random) -> bool:
        nonlocal level, filled_s
        level, filled_s = min(per_s, level + (now - filled_s) * per_s), now
        if level < 1:
            return True
        level -= 1
        return False

    return refuses


def rate_refused(refuses: Refuses, limit: Limit, *, seconds: float, warm_s: float, seed: int) -> float:
    """Tokens per second of a server that answers each request at full speed or refuses it at once.

    A refused request's place rests, as in the engine.
    """
    draw, numbers = random.Random(seed), itertools.count()
    events: list[tuple[float, int, int, float, int]] = []  # when, number, tokens or 0, start, version
    n_taken = n_there = tokens = 0
    now = 0.0
    while now < seconds:
        while n_taken < limit.value:
            n_taken += 1
            version = limit.started()
            if refuses(now, n_there, draw):
                limit.refused(seconds=0.5, version=version)
                heapq.heappush(events, (now + 0.5, next(numbers), 0, now, version))
            else:
                n_there += 1
                n_tokens = max(1, round(draw.lognormvariate(5.0, 0.6)))
                heapq.heappush(events, (now + n_tokens * 0.01, next(numbers), n_tokens, now, version))
        now, _, n_tokens, started, version = heapq.heappop(events)
        n_taken -= 1
        if n_tokens:
            n_there -= 1
            tokens += n_tokens if now > warm_s else 0
            limit.ended(n_tokens=n_tokens, seconds=now - started, version=version, was_full=True)
    return tokens / (now - warm_s)


@pytest.mark.parametrize(
    ("make", "tries"),
    [(lambda: beyond(8), [8]), (lambda: beyond(70), [70]), (lambda: beyond(300), [300]),
     (lambda: faster_than(20), [36, 40, 60]), (lambda: faster_than(100), [190, 220, 300])],
    ids=["8 places", "70 places", "300 places", "20/s", "100/s"],
)  # fmt: skip
def test_a_server_that_refuses_gets_what_it_takes(make: Callable[[], Refuses], tries: list[int]) -> None:
    best = max(rate_refused(make(), Limit(n), seconds=300.0, warm_s=60.0, seed=1) for n in tries)
    assert rate_refused(make(), Limit(), seconds=900.0, warm_s=150.0, seed=2) > WITHIN * best


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
def test_refusals_that_have_nothing_to_do_with_the_load_do_not_cut(share: float) -> None:
    limit = Limit(most=200)
    found = rate_refused(at_times(share), limit, seconds=300.0, warm_s=60.0, seed=3)
    assert found > WITHIN * rate_refused(at_times(share), Limit(200), seconds=300.0, warm_s=60.0, seed=3)


def test_what_was_kept_is_cut_once_for_all_that_started_together() -> None:
    limit = Limit()
    versions = [limit.started() for _ in range(START)]
    for version in versions:
        limit.refused(seconds=0.5, version=version)
    assert limit.value == int(START * 0.9)


def test_a_fixed_limit_may_be_larger_than_any_that_is_searched() -> None:
    assert Limit(10_000, 1_000_000).value == 10_000
    assert Limit(10_000, 500).value == 500


def test_a_fixed_limit_stays() -> None:
    limit = Limit(7)
    limit.refused(seconds=0.5, version=limit.version)
    for _ in range(100):
        limit.ended(n_tokens=5, seconds=1.0, version=limit.version, was_full=True)
    assert limit.value == 7


def test_what_was_not_full_or_started_before_teaches_nothing() -> None:
    limit = Limit()
    for _ in range(1000):
        limit.ended(n_tokens=5, seconds=1.0, version=limit.version, was_full=False)
        limit.ended(n_tokens=5, seconds=1.0, version=limit.version - 1, was_full=True)
    assert limit.value == START


def test_the_limit_never_leaves_its_bounds() -> None:
    draw, limit = random.Random(0), Limit(most=50)
    for _ in range(20_000):
        if draw.random() < 0.02:
            limit.refused(seconds=0.5, version=limit.version)
        limit.ended(n_tokens=draw.randrange(100), seconds=draw.random(), version=limit.version, was_full=True)
        assert 1 <= limit.value <= 50
