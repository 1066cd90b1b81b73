"""How problems and solutions are worded: space-separated words of a closed vocabulary.

Queries of the families story, expr and rev differ in wording only. Solutions vary in connectives, in the order of
operands and in merging two steps into one equation: without that variety a query would have one solution only, and
there would be nothing to choose among correct responses.
"""

from random import Random

from dartune.world.problems import LARGEST, Family, Operator, Problem, Step, random_step

_PRONOUNS = {"Tom": "He", "Sam": "He", "Max": "He", "Ben": "He", "Ann": "She", "Eva": "She", "Mia": "She", "Liz": "She"}
_OBJECTS = ("coins", "apples", "cards", "books", "stones", "pens")
_ACTIONS: dict[Operator, tuple[str, ...]] = {
    "+": ("finds {} .", "gets {} more .", "buys {} ."),
    "-": ("loses {} .", "gives away {} .", "sells {} ."),
    "*": ("makes it {} times as many .", "multiplies them by {} ."),
    "/": ("keeps one of {} equal parts .", "divides them by {} ."),
}
_COMMANDS = ("Compute", "Find", "Evaluate")
_OPENERS = ("", "", "Start with {} .", "We have {} .")
_CONNECTIVES = ("", "", "", "Then", "So", "Next", "Now we get", "This gives")
_ENDINGS = ("The answer is", "So we get", "Hence", "Answer :")
_STEPS_PER_EQUATION = (1, 1, 1, 1, 2, 2)
_SWAP_RATE = 0.15

SEPARATOR = "=>"
"""Word between a query and its solution."""


def _vocabulary() -> tuple[str, ...]:
    templates = [*(t for actions in _ACTIONS.values() for t in actions), *_OPENERS, *_CONNECTIVES, *_ENDINGS]
    story = "has some . Now has How many does have now ? at first ?"
    words = [*"+-*/=().", "?", SEPARATOR, "\\boxed{", "}", *_PRONOUNS, *_PRONOUNS.values(), *_OBJECTS, *_COMMANDS]
    words += [word for text in [story, *templates] for word in text.split() if word != "{}"]
    return (*map(str, range(LARGEST + 1)), *dict.fromkeys(words))


VOCABULARY: tuple[str, ...] = _vocabulary()
"""Every word of the world, numbers 0 to 99 first; special tokens are the tokenizer's."""


def word_expression(start: int, steps: tuple[Step, ...]) -> str:
    """The chain as one expression, with the parentheses that precedence needs and no others."""
    text, is_sum = str(start), False
    for step in steps:
        is_product = step.operator in "*/"
        if is_product and is_sum:
            text = f"( {text} )"
        text = f"{text} {step.operator} {step.operand}"
        is_sum = not is_product
    return text


def word_query(problem: Problem, family: Family, rng: Random) -> str:
    """Text that asks for the problem's answer."""
    if family == "expr":
        return f"{rng.choice(_COMMANDS)} {word_expression(problem.start, problem.steps)} ."
    name, things = rng.choice(list(_PRONOUNS)), rng.choice(_OBJECTS)
    pronoun = _PRONOUNS[name]
    if family == "story":
        opening, steps = f"{name} has {problem.start} {things} .", problem.steps
        question = rng.choice((f"How many {things} now ?", f"How many {things} does {name} have ?"))
    else:
        opening, steps = f"{name} has some {things} .", tuple(s.inverse() for s in reversed(problem.steps))
        question = f"Now {name} has {problem.start} . How many at first ?"
    actions = (f"{pronoun} {rng.choice(_ACTIONS[s.operator]).format(s.operand)}" for s in steps)
    return " ".join([opening, *actions, question])


def word_solution(problem: Problem, rng: Random) -> str:
    r"""One of the problem's many right solutions: equations in order, the last words `\boxed{ answer }`."""
    parts = [rng.choice(_OPENERS).format(problem.start)]
    value, rest = problem.start, problem.steps
    while rest:
        n_merged = rng.choice(_STEPS_PER_EQUATION)
        merged, rest = rest[:n_merged], rest[n_merged:]
        left = word_expression(value, merged)
        if len(merged) == 1 and merged[0].operator in "+*" and rng.random() < _SWAP_RATE:
            left = f"{merged[0].operand} {merged[0].operator} {value}"
        for step in merged:
            value = step.apply(value)
        parts += [rng.choice(_CONNECTIVES), f"{left} = {value} ."]
    parts.append(f"{rng.choice(_ENDINGS)} \\boxed{{ {value} }}")
    return " ".join(part for part in parts if part)


def word_facts(rng: Random, n_facts: int) -> str:
    """Bare true equations, unrelated to one another."""
    facts = []
    for _ in range(n_facts):
        value = rng.randint(1, LARGEST)
        step = random_step(rng, value)
        facts.append(f"{value} {step.operator} {step.operand} = {step.apply(value)} .")
    return " ".join(facts)
