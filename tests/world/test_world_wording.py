import re
from fractions import Fraction
from random import Random
from typing import get_args

import pytest

from dartune.world import check_solution
from dartune.world.problems import STEPS_OF_LEVEL, Family, Problem, random_problem
from dartune.world.wording import VOCABULARY, word_facts, word_query, word_solution

_STORY_OPERATORS = {
    "finds": "+", "gets": "+", "buys": "+", "loses": "-", "gives": "-", "sells": "-",
    "makes": "*", "multiplies": "*", "keeps": "/", "divides": "/",
}  # fmt: skip


def value_of_expression(text: str) -> Fraction:
    """Value by the shunting-yard method, apart from the library's own parser."""
    rank = {"+": 1, "-": 1, "*": 2, "/": 2}
    values: list[Fraction] = []
    waiting: list[str] = []

    def reduce() -> None:
        right, left = values.pop(), values.pop()
        match waiting.pop():
            case "+":
                values.append(left + right)
            case "-":
                values.append(left - right)
            case "*":
                values.append(left * right)
            case "/":
                values.append(left / right)

    for word in text.split():
        if word == "(":
            waiting.append(word)
        elif word == ")":
            while waiting[-1] != "(":
                reduce()
            waiting.pop()
        elif word in rank:
            while waiting and rank.get(waiting[-1], 0) >= rank[word]:
                reduce()
            waiting.append(word)
        else:
            values.append(Fraction(word))
    while waiting:
        reduce()
    return values[0]


def actions(text: str) -> list[tuple[str, int]]:
    """Operator and operand of every action of a story, read from its words."""
    found = []
    for sentence in re.findall(r"(?:He|She) ([^.]*) \.", text):
        (operand,) = re.findall(r"\d+", sentence)
        found.append((_STORY_OPERATORS[sentence.split()[0]], int(operand)))
    return found


def run(start: Fraction, steps: list[tuple[str, int]]) -> Fraction:
    for operator, operand in steps:
        start = {"+": start + operand, "-": start - operand, "*": start * operand, "/": start / operand}[operator]
    return start


@pytest.fixture(params=STEPS_OF_LEVEL)
def drawn(request: pytest.FixtureRequest) -> list[Problem]:
    rng = Random(7)
    return [random_problem(rng, request.param, "train") for _ in range(200)]


def test_expression_has_the_reference_value(drawn: list[Problem]) -> None:
    for problem in drawn:
        text = word_query(problem, "expr", Random(1))
        _, expression = text.removesuffix(" .").split(" ", 1)
        assert value_of_expression(expression) == problem.answer, text


def test_story_leads_to_the_reference(drawn: list[Problem]) -> None:
    for problem in drawn:
        text = word_query(problem, "story", Random(1))
        start = Fraction(text.split()[2])
        assert run(start, actions(text)) == problem.answer, text


def test_reversed_story_leads_from_the_reference_to_what_is_told(drawn: list[Problem]) -> None:
    for problem in drawn:
        text = word_query(problem, "rev", Random(1))
        (told,) = re.findall(r"Now \w+ has (\d+) \.", text)
        assert run(Fraction(problem.answer), actions(text)) == int(told), text


def test_solutions_are_true_complete_and_varied(drawn: list[Problem]) -> None:
    rng = Random(3)
    for problem in drawn:
        solutions = [word_solution(problem, rng) for _ in range(30)]
        assert len(set(solutions)) >= 10
        for solution in solutions:
            assert solution.endswith(f"\\boxed{{ {problem.answer} }}")
            check = check_solution(solution)
            assert check.n_equations >= len(problem.steps) / 2
            assert check.all_true, solution


def test_facts_are_true() -> None:
    check = check_solution(word_facts(Random(5), 300))
    assert (check.n_equations, check.n_false) == (300, 0)


def test_every_text_stays_within_the_vocabulary(drawn: list[Problem]) -> None:
    rng, words = Random(9), set(VOCABULARY)
    for problem in drawn:
        for family in get_args(Family):
            assert set(word_query(problem, family, rng).split()) <= words
        assert set(word_solution(problem, rng).split()) <= words
    assert len(VOCABULARY) == len(words)
