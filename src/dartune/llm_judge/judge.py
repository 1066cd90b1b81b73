"""The optional last stage of grading: a model is asked about what the grader could not decide.

A model that prefers what it reads first is no judge, so both orders are asked, and only what both say counts. It is
asked about `ungradable` grades, and about a seeded sample of those that disagree with a recorded verdict; never about
anything else.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dartune.config import NO_PRICES, Prices
from dartune.engines.base import Engine
from dartune.errors import EngineError
from dartune.llm_judge.questions import question, read_reply
from dartune.types import Grade, Key, Request, Response, SamplingParams, Verdict

_PARAMS = SamplingParams(temperature=0.0, top_p=1.0, max_new_tokens=32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grade, with what it is a grade of."""

    query: str
    ref_answer: str
    grade: Grade
    recorded: bool | None = None
    """Whether somebody else called the answer right; None where nobody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What asking has cost."""

    n_calls: int = 0
    n_prompt_tokens: int = 0
    n_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Grades in the order of what was given, and what settling them cost."""

    grades: tuple[Grade, ...]
    n_asked: int
    """How many grades the model was asked about."""
    n_decided: int
    """How many of those it decided: both orders had the same clear reply."""
    n_failed: int
    """How many of those had no reply to one of their questions; they stay open."""
    spending: Spending


async def settle(
    graded: Sequence[Graded],
    engine: Engine,
    *,
    prices: Prices = NO_PRICES,
    disagreement_rate: float = 0.0,
    seed: int = 0,
) -> Settled:
    """Ask the model about what is open. A grade that it decides becomes correct or incorrect by the rule ".../llm".

    Args:
        graded: The grades; only those with an answer are asked about.
        engine: What answers the questions, greedily; it is started here, and closed in any case.
        prices: What its tokens cost.
        disagreement_rate: Share in [0, 1] of the grades against a recorded verdict that is asked about as well.
        seed: Of that sample, which depends on the contents of a grade and not on its place.

    Raises:
        InputError: If the engine cannot be asked at all.
        EngineDown: If it gives up.
    """
    open_ones = [index for index, one in enumerate(graded) if _is_open(one, disagreement_rate, seed)]
    prompts = [prompt for index in open_ones for prompt in _both_orders(graded[index])]
    responses = await _ask_all(engine, prompts)
    grades = [one.grade for one in graded]
    n_decided = n_failed = 0
    for index, pair in zip(open_ones, zip(responses[::2], responses[1::2], strict=True), strict=True):
        said = {None if response is None else read_reply(response.text) for response in pair}
        n_failed += None in pair
        if len(said) == 1 and None not in said:
            n_decided += 1
            verdict: Verdict = "correct" if said == {True} else "incorrect"
            grades[index] = replace(grades[index], verdict=verdict, rule=f"{grades[index].rule}/llm")
    return Settled(
        grades=tuple(grades),
        n_asked=len(open_ones),
        n_decided=n_decided,
        n_failed=n_failed,
        spending=_spent([response for response in responses if response is not None], prices),
    )


async def _ask_all(engine: Engine, prompts: Sequence[str]) -> list[Response | None]:
    """The responses in the order of the prompts; None for one that the engine could not answer."""
    try:
        if not prompts:
            return []
        await engine.start()
        places = asyncio.Semaphore(engine.n_places)

        async def ask(index: int, prompt: str) -> Response | None:
            async with places:
                try:
                    return await engine.generate(
                        Request(key=Key("judge", index), prompt=prompt, seed=0, params=_PARAMS)
                    )
                except EngineError:
                    return None

        return await asyncio.gather(*(ask(index, prompt) for index, prompt in enumerate(prompts)))
    finally:
        await engine.aclose()


def _both_orders(one: Graded) -> tuple[str, str]:
    answer = one.grade.answer or ""
    there = question(problem=one.query, first=one.ref_answer, second=answer)
    return there, question(problem=one.query, first=answer, second=one.ref_answer)


def _is_open(one: Graded, rate: float, seed: int) -> bool:
    if one.grade.answer is None:
        return False
    if one.grade.verdict == "ungradable":
        return True
    disagrees = one.recorded is not None and one.recorded != (one.grade.verdict == "correct")
    return disagrees and _draw(one, seed) < rate


def _draw(one: Graded, seed: int) -> float:
    """A number in [0, 1) that depends on the grade's contents and the seed alone."""
    content = f"{seed}\0{one.query}\0{one.ref_answer}\0{one.grade.answer}"
    digest = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _spent(replies: Sequence[Response], prices: Prices) -> Spending:
    n_prompt, n_completion = sum(r.n_prompt_tokens for r in replies), sum(r.n_tokens for r in replies)
    return Spending(
        n_calls=len(replies),
        n_prompt_tokens=n_prompt,
        n_tokens=n_completion,
        cost=(n_prompt * prices.prompt + n_completion * prices.completion) / 1_000_000,
    )
