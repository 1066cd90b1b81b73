r"""DeepMind Mathematics (Saxton et al. 2019), the 1,000 problems of DART-Math: generated answers in Python's spelling.

Rule: exact equality with the reference, whose spelling is undone first. DART-Math's file has replaced what the
generator says by a value, so that the query tells what an answer means:

| reference | query | answers that are equal |
|---|---|---|
| `-48*g`, `2**3` | | `-48g`, `8` |
| `[2, 3]` | What are the prime factors of ...? | `3, 2`; `\{2, 3\}`: a set |
| `-2 3 5` | Put 5, i, -2 in increasing order. | `-2, 3, 5`; `-2 < 3 < 5`: in this order only |
| `4` | Solve ... for a. | `a = 4, r = 0`: the variable that is asked |
| `0.3` | ... (a) -4/7 (b) 0.3 (c) 5 | `(b)`; `(b) 0.3` |
| `0` | Which is bigger: -2/2699 or 0? | `0 > -2/2699`: the side that the answer says is bigger |
| `7` | Which is greater: u or 2/13? | `u`: the reference is none of the numbers offered |

An answer that names a variable is `ungradable` where two of those offered are variables: the reference has only the
value of one.

Source: google-deepmind/mathematics_dataset asks for the same text. The references are those of hkust-nlp/dart-math
219b324, data/dsets/deepmind-mathematics.json, compared by EvaluatorMath of dart_math/eval.py.

Where we differ: the authors' equality of texts knows no `-48g`; DART-Math looks in the query for no more than whether a
set is asked, which it takes from the words "find the", and it takes 0.5 for 50.
"""

import re
from dataclasses import replace

from dartune.grading.comparison.choices import read_options
from dartune.grading.comparison.compare import compare
from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.judges import default
from dartune.grading.judges.base import Judge
from dartune.grading.spelling.normalize import normalize

_MAX_QUERY = 20_000
_NUMBER = r"-?\d+(?:\.\d+)?(?:/\d+)?"
_IN_ORDER = re.compile(rf"{_NUMBER}(?: {_NUMBER})+")
_SEPARATOR = re.compile(r"\s*,\s*|\s+")
_LIST = re.compile(r"\\?[\[({](.*?)\\?[\])}]")
_ORDER_SIGN = re.compile(r"\\?(?:<|>|\\lt|\\gt|\\to|\\rightarrow)(?![a-zA-Z])")
_UNKNOWN = re.compile(r"\bfor ([a-z])\.?$")
_OFFERED = re.compile(r"(?::|\bin)\s([^:?]*)\?$")
_BETWEEN = re.compile(r",\s*|\s+or\s+")
_COMPARES = re.compile(r"\bWhich is (?:(bigger|greater|larger)|smaller|less)\b")
_LABELLED = re.compile(r"\(?([a-h])[).:](?=.)(.+)")
_NO_REMAINDER = re.compile(r"\(?with an? remainder of ?0\)?$", re.IGNORECASE)
_TUPLES = re.compile(r"\(([a-z](?:,[a-z])+)\)=\(([^()]*)\)")
_NAMED = re.compile(r"(?:^|,)([a-z])=([^,=]+)(?=,|$)")


def decide(task: Task) -> Decision:
    """Undo the reference's spelling, take from the answer what the query asks, and compare."""
    ref = task.ref_answer.strip()
    query = (task.query or "")[-_MAX_QUERY:].strip()
    normal = normalize(task.answer)
    if normal is None:
        return default.decide(task)
    given = _NO_REMAINDER.sub("", normal.text)
    if _IN_ORDER.fullmatch(ref):
        spaced = task.answer.strip(" $")
        listed = spaced if _IN_ORDER.fullmatch(spaced) else _LIST.sub(r"\1", _ORDER_SIGN.sub(",", given), count=1)
        return compare(_tuple(ref), _tuple(listed))
    if ref.startswith("["):
        return compare(ref.strip("[]"), _LIST.sub(r"\1", given, count=1))
    answer = _asked_side(query, _asked_value(query, _unlabelled(query, given)))
    offered = _offered(query)
    if _is_name(answer) and answer in offered:
        return _decide_name(ref, answer, offered)
    return default.decide(replace(task, ref_answer=ref, answer=answer if answer != normal.text else task.answer))


def _tuple(items: str) -> str:
    """An ordered sequence, of items that spaces or commas part."""
    return f"({_SEPARATOR.sub(',', items.strip())})"


def _unlabelled(query: str, answer: str) -> str:
    """The value of an answer such as "(b) 0.3"; for a mere letter, the value of the option."""
    options = read_options(query)
    labelled = _LABELLED.fullmatch(answer)
    if labelled and labelled[1].upper() in options:
        return labelled[2].strip()
    return options.get(answer.strip("().").upper(), answer) if options else answer


def _asked_value(query: str, answer: str) -> str:
    """The value of the variable that "Solve ... for a." asks, where the answer gives those of several."""
    unknown = _UNKNOWN.search(query)
    tuples = _TUPLES.fullmatch(answer)
    pairs = zip(tuples[1].split(","), tuples[2].split(","), strict=False) if tuples else _NAMED.findall(answer)
    values: dict[str, str] = dict(pairs)
    return values.get(unknown[1], answer) if unknown and len(values) > 1 else answer


def _asked_side(query: str, answer: str) -> str:
    """The side of "a > b" that the query asks for, the bigger or the smaller, as the answer says."""
    asks = _COMPARES.search(query)
    sides = _ORDER_SIGN.split(answer)
    if asks is None or len(sides) != 2:
        return answer
    is_first_bigger = ">" in answer or "gt" in answer
    return sides[0] if is_first_bigger == bool(asks[1]) else sides[1]


def _offered(query: str) -> tuple[str, ...]:
    """The numbers and variables among which the query lets choose; empty where it does not."""
    options = read_options(query)
    if options:
        return tuple(options.values())
    listed = _OFFERED.search(query)
    return tuple(_BETWEEN.split(listed[1])) if listed else ()


def _decide_name(ref: str, name: str, offered: tuple[str, ...]) -> Decision:
    """Whether a variable has the reference's value, as far as what else is offered tells."""
    names = [item for item in offered if _is_name(item)]
    if any(compare(ref, item).equal for item in offered if item not in names):
        return Decision(False, "name")
    return Decision(True if names == [name] else None, "name")


def _is_name(text: str) -> bool:
    return len(text) == 1 and text.isalpha()


DEEPMIND_MATHEMATICS = Judge(name="deepmind-mathematics", decide=decide)
"""Exact equality with what the query asks."""
