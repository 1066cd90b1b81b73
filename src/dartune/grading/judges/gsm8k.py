r"""GSM8K (Cobbe et al. 2021): the same number.

Rule: every reference is a number, so that an answer is right if the number that it says is the same. Thousands commas,
currency signs, units and the nouns that are counted are dropped, and 5.0 is 5. Of an answer in words that holds one
number, that number is meant ("She sold 72 clips"), unless one of the words changes it ("2 dozen", "5 or more").

Source: openai/grade-school-math 3101c7d, grade_school_math/dataset.py (extract_answer, is_correct): what follows the
last `####`, commas removed, must be the same text.

Where we differ: the authors compare texts, so that 5.0 is not 5 and $5 is no answer; we compare numbers, as DART-Math
does (hkust-nlp/dart-math 219b324, dart_math/eval.py). An answer that says two numbers, and not which of them is asked,
is wrong.
"""

import re
from dataclasses import replace

from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.judges import default
from dartune.grading.judges.base import Judge

_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?")
_WORDS = re.compile(r"[a-z]+")
_NO_SENTENCE = re.compile(r"[^\w\s.,;:!?'\"$\\{}()-]|\\(?!text|\$|mathrm)|[_%]|\d\s?/")
_MAX_CHARS = 300

_CHANGING_WORDS = """
or more less least most than not no mod hundred thousand million billion dozen percent times plus minus half third
quarter remainder between about every
"""
_CHANGING = frozenset(_CHANGING_WORDS.split())
"""Words beside a number that change it, or leave open what it is."""


def decide(task: Task) -> Decision:
    """The default judge's decision, except that a sentence with one number says that number."""
    decision = default.decide(task)
    number = _only_number(task.answer) if decision.equal is not True else None
    if number is None:
        return decision
    said = default.decide(replace(task, answer=number))
    return Decision(said.equal, "only_number", said.pair)


def _only_number(answer: str) -> str | None:
    """The number of a sentence that holds just one and no word that changes it."""
    if len(answer) > _MAX_CHARS or _NO_SENTENCE.search(answer):
        return None
    words = _WORDS.findall(answer.lower())
    numbers = _NUMBER.findall(answer)
    return numbers[0] if words and len(numbers) == 1 and not _CHANGING.intersection(words) else None


GSM8K = Judge(name="gsm8k", decide=decide)
"""Equality of numbers."""
