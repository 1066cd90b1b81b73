r"""Tuples, lists, sets and intervals of plain numbers, compared element by element.

The brackets say what is meant: `(0,9)` is not `[0,9)`; a bare list and a set have no order. Decided only where every
element is a number that `numbers` is certain of, or the same text on both sides.
"""

from typing import NamedTuple

from dartune.grading.comparison.number_reader import parse_number
from dartune.grading.comparison.numbers import decide as decide_numbers

MAX_ITEMS = 64
"""Longest sequence that is compared here."""

_BRACKETS = ("()", "[]", "[)", "(]", "{}")
_UNORDERED = ("", "{}")


class Sequence(NamedTuple):
    """A comma-separated sequence."""

    brackets: str
    """Both brackets, e.g. "()", "[)", "{}"; "" where there are none."""
    items: tuple[str, ...]


def decide(ref: str, answer: str) -> bool | None:
    """Whether two canonical texts are the same sequence; None where that is not certain."""
    left, right = parse_sequence(ref), parse_sequence(answer)
    if left is None and right is None:
        return None
    left, right = left or Sequence("", (ref,)), _merged(right or Sequence("", (answer,)))
    if not _is_comparable(left, right) or len(left.items) != len(right.items):
        return False if _all_numbers(left) and _all_numbers(right) else None
    ordered = "()" in (left.brackets, right.brackets) or (left.brackets not in _UNORDERED and right.brackets != "{}")
    return _decide_ordered(left.items, right.items) if ordered else _decide_unordered(left.items, right.items)


def parse_sequence(text: str) -> Sequence | None:
    """The sequence that a canonical text spells; None for a text that is none."""
    brackets = ""
    inner = text
    if text.startswith("\\{") and text.endswith("\\}"):
        brackets, inner = "{}", text[2:-2]
    elif len(text) > 2 and text[0] + text[-1] in _BRACKETS:
        brackets, inner = text[0] + text[-1], text[1:-1]
    items = _split(inner)
    if items is None and brackets:  # (1,2),(3,4) starts and ends with brackets that are not a pair
        brackets, items = "", _split(text)
    if items is None or len(items) > MAX_ITEMS or (len(items) == 1 and brackets in ("", "()", "[)", "(]")):
        return None
    return Sequence(brackets, tuple(item.strip() for item in items))


def _split(text: str) -> list[str] | None:
    """Parts of `text` between the commas outside all brackets; None where brackets do not match."""
    parts: list[str] = []
    depth = begin = 0
    for index, char in enumerate(text):
        depth += (char in "{([") - (char in "})]")
        if depth < 0:
            return None
        if char in ",;" and depth == 0:
            parts.append(text[begin:index])
            begin = index + 1
    return [*parts, text[begin:]] if depth == 0 else None


def _is_comparable(ref: Sequence, answer: Sequence) -> bool:
    """Whether the brackets can mean the same.

    A half-open interval needs its own brackets. Of two items in brackets each may be an interval: `(1,2)` is not
    `[1,2]`, and a reference without brackets, a list of values, is not the interval `[1,2]` from lower to higher.
    """
    if ref.brackets == answer.brackets:
        return True
    if "[)" in (ref.brackets, answer.brackets) or "(]" in (ref.brackets, answer.brackets):
        return False
    is_pair = len(ref.items) == 2
    if not ref.brackets and answer.brackets == "[]" and is_pair:
        return not _is_ascending(answer.items)
    return not ref.brackets or not answer.brackets or (not is_pair and {ref.brackets, answer.brackets} == {"()", "[]"})


def _is_ascending(items: tuple[str, ...]) -> bool:
    low, high = (parse_number(item) for item in items)
    return low is None or high is None or low.key()[0] <= high.key()[0]


def _merged(sequence: Sequence) -> Sequence:
    """A bare list that says one number several times says it once ("3/4 or 0.75")."""
    if sequence.brackets or len(sequence.items) < 2:
        return sequence
    first = sequence.items[0]
    same = all(decide_numbers(first, item) for item in sequence.items[1:])
    return Sequence("", sequence.items[-1:]) if same else sequence


def _all_numbers(sequence: Sequence) -> bool:
    return all(parse_number(item) is not None for item in sequence.items)


def _decide_item(ref: str, answer: str) -> bool | None:
    return True if ref == answer else decide_numbers(ref, answer)


def _decide_ordered(ref: tuple[str, ...], answer: tuple[str, ...]) -> bool | None:
    verdicts = [_decide_item(left, right) for left, right in zip(ref, answer, strict=True)]
    if all(verdicts):
        return True
    return False if False in verdicts else None


def _decide_unordered(ref: tuple[str, ...], answer: tuple[str, ...]) -> bool | None:
    rest = list(answer)
    for item in ref:
        verdicts = [_decide_item(item, other) for other in rest]
        if True in verdicts:
            rest.pop(verdicts.index(True))
        elif None in verdicts:
            return None
        else:
            return False
    return True
