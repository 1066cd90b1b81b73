"""Replicas that die, refuse to start, or answer with errors, without Ray: hosts in this process."""

import asyncio
import gc
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cluster.in_process import Echo, InProcess, Maker
from dartune.cluster.fleet import Fleet, Patience
from dartune.cluster.host import portable
from dartune.errors import ConfigError, DartuneError, EngineDown, EngineError, InputError, MissingExtra, ModelError

QUICK = Patience(placing_s=0.05, outage_s=0.05, pause_s=0.0, closing_s=0.05)


def no_place() -> DartuneError:
    return ConfigError("no place")


class Refuses(Echo):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def start(self) -> None:
        raise self.error


class Stranger(Echo):
    identity = "another"


class Tires(Echo):
    """Answers some requests, then says that it is down."""

    async def answer(self, request: str) -> str:
        if request == "tire":
            raise EngineDown("out of memory")
        return await super().answer(request)


def fleet_of(maker: Maker, n_replicas: int = 2, **settings: Any) -> Fleet[str, str]:
    return Fleet(maker, n_replicas=n_replicas, max_attempts=3, no_place=no_place, **{"patience": QUICK} | settings)


def run(maker: Maker, work: Callable[[Fleet[str, str]], Awaitable[None]], **settings: Any) -> Fleet[str, str]:
    """Start a fleet, work with it, close it; nothing may be left running."""

    async def main() -> Fleet[str, str]:
        fleet = fleet_of(maker, **settings)
        try:
            await fleet.start()
            await work(fleet)
        finally:
            await fleet.aclose()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert all(handle.is_killed for handle in maker.made)
        return fleet

    fleet = asyncio.run(main())
    gc.collect()  # a future whose exception nobody took complains when it goes
    return fleet


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def test_every_request_gets_its_answer() -> None:
    maker = Maker(Echo)

    async def work(fleet: Fleet[str, str]) -> None:
        await until(lambda: fleet.n_places == 8)
        asked = [str(i) for i in range(200)]
        assert await asyncio.gather(*map(fleet.ask, asked)) == asked

    fleet = run(maker, work)
    assert [len(handle.taken) > 50 for handle in maker.made] == [True, True]
    assert (fleet.identity, fleet.stats.n_lost) == ("echo", 0)
    with pytest.raises(EngineDown, match="closed"):
        asyncio.run(fleet.ask("late"))


def test_requests_outlive_the_replicas_that_had_them() -> None:
    maker = Maker(Echo)

    async def work(fleet: Fleet[str, str]) -> None:
        async def reap() -> None:
            for n_asked in range(20, 180, 20):
                await until(lambda n_asked=n_asked: sum(len(handle.taken) for handle in maker.made) >= n_asked)
                maker.made[-1].die()

        reaper = asyncio.create_task(reap())
        asked = [str(i) for i in range(200)]
        assert await asyncio.gather(*map(fleet.ask, asked)) == asked
        await reaper

    stats = run(maker, work).stats
    assert stats.n_lost >= stats.n_replaced >= 3
    assert stats.n_asked_again > 0
    assert stats.longest_gap_s > 0


def test_a_request_that_kills_whoever_has_it_fails_alone() -> None:
    async def work(fleet: Fleet[str, str]) -> None:
        asked = [str(i) for i in range(50)]
        asked[20] = "kill"
        outcomes = await asyncio.gather(*map(fleet.ask, asked), return_exceptions=True)
        assert [o for o in outcomes if not isinstance(o, str)] == [outcomes[20]]
        assert isinstance(outcomes[20], EngineError)
        assert outcomes[20].cause == "replica_died"

    assert run(Maker(Echo), work).stats.n_lost == 3


def test_what_an_engine_should_not_raise_fails_one_request() -> None:
    async def work(fleet: Fleet[str, str]) -> None:
        with pytest.raises(EngineError, match=r"^engine_raised: ValueError: what is this\? I cannot$"):
            await fleet.ask("raise")
        assert await fleet.ask("fine") == "fine"

    assert run(Maker(Echo), work).stats.n_lost == 0


def test_an_engine_that_is_down_is_replaced() -> None:
    maker = Maker(Tires, Echo)

    async def work(fleet: Fleet[str, str]) -> None:
        assert await fleet.ask("tire") == "tire"

    assert run(maker, work, n_replicas=1).stats.n_replaced == 1
    assert len(maker.made) == 2


def test_a_replica_without_a_sign_of_life_is_replaced() -> None:
    class Stuck(InProcess):
        async def give(self) -> Any:
            return await self._call(asyncio.sleep(60))

    class First(Maker):
        def __call__(self) -> InProcess:
            self.made.append(InProcess(Echo) if self.made else Stuck(Echo))
            return self.made[-1]

    async def work(fleet: Fleet[str, str]) -> None:
        assert await fleet.ask("a") == "a"
        await asyncio.sleep(0.2)  # nothing to do is no silence

    assert run(First(Echo), work, n_replicas=1, patience=Patience(silence_s=0.1, pause_s=0.0)).stats.n_lost == 1


def test_cancelling_reaches_the_service() -> None:
    maker = Maker(Echo)

    async def work(fleet: Fleet[str, str]) -> None:
        service = maker.made[0].host._service
        assert isinstance(service, Echo)
        tasks = [asyncio.create_task(fleet.ask("hang")) for _ in range(6)]
        await until(lambda: service.n_under_way == 4)
        for task in tasks:
            task.cancel()
        assert await fleet.ask("next") == "next"
        await until(lambda: service.n_under_way == 0)

    run(maker, work, n_replicas=1)


def test_services_are_closed_and_requests_in_flight_fail() -> None:
    maker = Maker(Echo)
    asked: list[asyncio.Task[str]] = []

    async def work(fleet: Fleet[str, str]) -> None:
        asked.append(asyncio.create_task(fleet.ask("hang")))
        await asyncio.sleep(0.01)

    run(maker, work)
    assert isinstance(asked[0].exception(), EngineDown)
    assert all(handle.host._service.is_closed for handle in maker.made)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelError("no such model"), "no such model"),
        (EngineDown("no memory"), "no memory"),
        (ValueError("boom"), "it could not be started: ValueError: boom"),
    ],
)
def test_services_that_cannot_start_say_why_at_once(error: Exception, said: str) -> None:
    maker = Maker(lambda: Refuses(error))
    with pytest.raises(type(error) if isinstance(error, DartuneError) else EngineDown, match=f"^{said}$"):
        run(maker, lambda fleet: asyncio.sleep(0), patience=Patience())
    assert len(maker.made) == 2


def test_a_replica_that_dies_at_every_start_is_given_up() -> None:
    class Dies(InProcess):
        async def start(self) -> Any:
            self.die("out of memory")
            return await super().start()

    class Deadly(Maker):
        def __call__(self) -> InProcess:
            self.made.append(Dies(Echo))
            return self.made[-1]

    maker = Deadly(Echo)
    with pytest.raises(EngineDown, match="replicas cannot be kept alive: out of memory"):
        run(maker, lambda fleet: asyncio.sleep(0))
    assert len(maker.made) == 2 * QUICK.n_lives


def test_one_bad_node_does_not_end_the_run() -> None:
    maker = Maker(Echo, lambda: Refuses(ModelError("not on this node")), Echo)

    async def work(fleet: Fleet[str, str]) -> None:
        await until(lambda: fleet.n_places == 8)
        assert await fleet.ask("a") == "a"

    run(maker, work)
    assert len(maker.made) == 3


def test_a_replica_with_another_model_never_answers(caplog: pytest.LogCaptureFixture) -> None:
    maker = Maker(Echo, Stranger)

    async def work(fleet: Fleet[str, str]) -> None:
        await until(lambda: len(maker.made) == 1 + QUICK.n_lives and maker.made[-1].is_killed)
        assert await asyncio.gather(*(fleet.ask(str(i)) for i in range(20)))

    run(maker, work)
    assert [len(handle.taken) for handle in maker.made] == [20, *[0] * QUICK.n_lives]
    assert "the cluster's nodes have different models: echo and another" in caplog.text
    assert "given up" in caplog.text


def test_replicas_that_find_no_node_are_tried_again_as_long_as_it_takes() -> None:
    class Unplaced(InProcess):
        async def placed(self) -> DartuneError | None:
            self.die("its node is gone")
            await super().placed()
            return None

    class Late(Maker):
        def __call__(self) -> InProcess:
            self.made.append(InProcess(Echo) if len(self.made) > 30 else Unplaced(Echo))
            return self.made[-1]

    async def work(fleet: Fleet[str, str]) -> None:
        assert await fleet.ask("a") == "a"

    run(Late(Echo), work, patience=Patience(pause_s=0.0))


def test_a_node_that_cannot_run_dartune_is_told() -> None:
    class Without(InProcess):
        async def placed(self) -> DartuneError | None:
            return EngineDown("No module named 'dartune'")

    class Bare(Maker):
        def __call__(self) -> InProcess:
            self.made.append(Without(Echo))
            return self.made[-1]

    with pytest.raises(EngineDown, match="No module named 'dartune'"):
        run(Bare(Echo), lambda fleet: asyncio.sleep(0))


def test_no_place_is_an_error_after_the_time_for_it() -> None:
    class Waits(InProcess):
        async def placed(self) -> DartuneError | None:
            await asyncio.Event().wait()

    class Full(Maker):
        def __call__(self) -> InProcess:
            self.made.append(Waits(Echo))
            return self.made[-1]

    with pytest.raises(ConfigError, match="no place"):
        run(Full(Echo), lambda fleet: asyncio.sleep(0))


def test_an_outage_ends_the_run_after_its_time() -> None:
    async def slow(seconds: float) -> None:
        await asyncio.sleep(60)

    class Waits(InProcess):
        async def placed(self) -> DartuneError | None:
            await asyncio.Event().wait()

    class Once(Maker):
        def __call__(self) -> InProcess:
            self.made.append(Waits(Echo) if self.made else InProcess(Echo))
            return self.made[-1]

    maker = Once(Echo)

    async def work(fleet: Fleet[str, str]) -> None:
        maker.made[0].die()
        assert fleet.n_places == 4
        with pytest.raises(EngineDown, match=r"no replica was up for 0\.05 s"):
            await fleet.ask("a")
        assert fleet.n_places == 1

    run(maker, work, n_replicas=1, sleep=slow)


class Odd(EngineError):
    """An error of a user's that no other process can make from its arguments."""

    def __init__(self, cause: str, *, payload: object) -> None:
        super().__init__(cause, "odd")
        self.payload = payload


@pytest.mark.parametrize(
    "error",
    [EngineError("timeout", "after 3 s"), EngineError("timeout"), MissingExtra("vllm", "vllm"), ModelError("no model")],
)
def test_errors_reach_another_process_whole(error: DartuneError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
    assert portable(error) is error


def test_an_error_that_cannot_be_sent_keeps_its_kind_and_its_words() -> None:
    sent = portable(Odd("quota", payload=open))
    assert (type(sent), str(sent)) == (EngineError, "quota: odd")
    assert isinstance(sent, EngineError)
    assert sent.cause == "quota"

    class Local(InputError):
        pass

    assert type(portable(Local("x"))) is InputError
