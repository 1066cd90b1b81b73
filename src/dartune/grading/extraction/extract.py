r"""The final answer of a response, by named rules tried in a stated order.

`RULES` are strict: each needs a marker that says "this is the answer". `LENIENT_RULES` guess, and are tried last and
only when asked for; nothing else differs. The first rule that finds something decides, and its name travels with the
grade. What of a response the rules are given is decided before by `SCOPES`.

All takes time linear in the text. A rule looks for its marker with one backward search of the text, and for more only
there; most responses are decided by the first rules without any regular expression over the whole text.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal, NamedTuple

from dartune.grading.extraction.boxes import last_box, last_unclosed_box
from dartune.grading.extraction.endings import bare, final_math, last_number
from dartune.grading.extraction.found import Found, Rule, is_empty
from dartune.grading.extraction.languages import last_translated
from dartune.grading.extraction.markers import ANSWER_COLON, ANSWER_IS, HASH, HEADING, last_marked
from dartune.grading.extraction.scope import MAX_CHARS as MAX_CHARS
from dartune.grading.extraction.scope import PARTS, Reading, Scope, end_tokens, new_questions, read
from dartune.grading.extraction.structured import answer_element, code_output, json_answer
from dartune.types import FinishReason

_MAX_TOKEN = 32


class Extraction(NamedTuple):
    """The final answer of a response, or why there is none."""

    answer: str | None
    rule: str
    """Name of the rule that fired; "none" where none did."""
    missing: Literal["no_answer", "truncated"] | None
    """Why there is no answer; None where there is one."""


class Tried(NamedTuple):
    """One rule and what it found."""

    rule: Rule
    found: Found | None
    """None where it found nothing, or nothing but marks."""


class Trace(NamedTuple):
    """What led to an extraction."""

    reading: Reading
    """What was read, and the policies that left something out."""
    tried: tuple[Tried, ...]
    """Every rule, in the order in which they are tried."""
    extraction: Extraction


_MARKED = (
    Rule("json", 'The field "answer" of a JSON object that ends the response.', json_answer),
    Rule("answer_element", "What stands in the last <answer>...</answer>.", answer_element),
    Rule(
        "boxed",
        r"The last closed \boxed{}, \fbox{} or \framebox{} that is not empty, and those joined to it.",
        last_box,
    ),
    Rule("hash", 'The line after the last "####".', partial(last_marked, marker=HASH)),
    Rule("heading", 'What follows the last "# Answer" or "**Final answer**".', partial(last_marked, marker=HEADING)),
    Rule("answer_is", 'The sentence after the last "the answer is".', partial(last_marked, marker=ANSWER_IS)),
    Rule(
        "answer_colon", 'The last line that begins with "Answer:" or "A:".', partial(last_marked, marker=ANSWER_COLON)
    ),
    Rule("answer_translated", "The sentence after the last such phrase in another language.", last_translated),
)
RULES = (
    *_MARKED,
    Rule("boxed_unclosed", "The last box that nothing closes, up to where its line or math ends.", last_unclosed_box),
    Rule("final_math", r"The $...$, \(...\) or \[...\] in which the last sentence ends.", final_math),
    Rule("bare", "The whole response, where it is one short line of nothing but math, or one word.", bare),
)
"""Strict rules in the order in which they are tried."""


def _marked(text: str) -> Iterator[Found]:
    return (found for rule in _MARKED if (found := _find(rule, text)))


def _in_thought(text: str) -> Found | None:
    return next(_marked(text), None)


LENIENT_RULES = (
    Rule("thought", "What a marker announces in a thought, where nothing spoken is an answer.", _in_thought, "thought"),
    Rule("code_output", "The last line that a program printed, where no more code follows.", code_output),
    Rule("last_number", "The last number.", last_number),
)
"""Guesses, tried after `RULES` and only when asked for."""


def _end_token(text: str) -> Reading | None:
    ends = end_tokens(text)
    return next((Reading(text[:end], "") for end in ends if any(_marked(text[:end])) or _is_last(text, end)), None)


def _is_last(text: str, end: int) -> bool:
    return len(text) - end < _MAX_TOKEN


def _run_on(text: str) -> Reading | None:
    starts = new_questions(text)
    return next((Reading(text[:at], "") for at in starts if any(f.complete for f in _marked(text[:at]))), None)


SCOPES = (
    *PARTS,
    Scope(
        "end_token",
        "An end-of-text token ends the response where it is last, or an answer that a marker announces stands before.",
        _end_token,
    ),
    Scope(
        "run_on",
        'A new "Question:", "Problem:" or "Q:" after a blank line ends the response where a finished answer that a '
        "marker announces stands before.",
        _run_on,
    ),
)
"""What of a response is read: policies in the order in which they are applied."""


def extract(response: str, *, finish_reason: FinishReason = "stop", lenient: bool = False) -> Extraction:
    """Final answer of `response`, with the rule that found it.

    A response that was cut off (`finish_reason` "length") counts only with a marker whose answer is known to be
    finished; otherwise it is `truncated`, never guessed at. An empty answer is no answer.
    """
    reading = read(response, SCOPES)
    return _decide((tried for rule in _rules(lenient) if (tried := _try(rule, reading))), finish_reason)


def trace(response: str, *, finish_reason: FinishReason = "stop", lenient: bool = False) -> Trace:
    """What `extract` comes to, with what every rule finds: those after the one that decides are tried as well."""
    reading = read(response, SCOPES)
    tried = tuple(_try(rule, reading) or Tried(rule, None) for rule in _rules(lenient))
    return Trace(reading, tried, _decide(tried, finish_reason))


def _rules(lenient: bool) -> tuple[Rule, ...]:
    return (*RULES, *LENIENT_RULES) if lenient else RULES


def _try(rule: Rule, reading: Reading) -> Tried | None:
    found = _find(rule, reading.spoken if rule.reads == "spoken" else reading.thought)
    return None if found is None else Tried(rule, found)


def _find(rule: Rule, text: str) -> Found | None:
    found = rule.find(text)
    return None if found is None or is_empty(found.answer) else found


def _decide(tries: Iterable[Tried], finish_reason: FinishReason) -> Extraction:
    cut = finish_reason == "length"
    for rule, found in tries:
        if found is None:
            continue
        if cut and not found.complete:
            break
        return Extraction(found.answer.strip(), rule.name, None)
    return Extraction(None, "none", "truncated" if cut else "no_answer")
