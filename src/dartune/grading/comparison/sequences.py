r"""Tuples, lists, sets and intervals, compared element by element.

The brackets say what is meant: `(0,9)` is not `[0,9)`; a bare list and a set have no order. A value with `\pm` is the
two values that it stands for. Where both sides name their elements (`x=1,y=2`), names are what is matched.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from dartune.grading.expressions import read, value_of

MAX_ITEMS = 64
"""Longest sequence that is compared here."""

MAX_SIGNS = 3
"""Most signs `\\pm` in one value that are read as alternatives."""

Same = Callable[[str, str], bool | None]
"""How elements are compared."""

_BRACKETS = ("()", "[]", "[)", "(]", "{}")
_UNORDERED = ("", "{}")
_NAME = re.compile(r"([a-zA-Z](?:_\w)?|\\[a-z]{2,7}|\([a-zA-Z](?:,[a-zA-Z]){1,3}\))=(?!=)")
_SIGN = re.compile(r"\\(pm|mp)(?![a-zA-Z])")
_LEADING_PLUS = re.compile(r"^\+|(?<=[(\[{,])\+")


class Sequence(NamedTuple):
    """A comma-separated sequence."""

    brackets: str
    """Both brackets, e.g. "()", "[)", "{}", "<>"; "" where there are none."""
    items: tuple[str, ...]


def decide(ref: str, answer: str, same: Same) -> bool | None:
    """Whether two canonical texts are the same sequence; None where that is not certain."""
    left, right = parse_sequence(ref), parse_sequence(answer)
    if left is None and right is None:
        return None
    left, right = left or Sequence("", (ref,)), right or Sequence("", (answer,))
    named = _decide_named(left, right, same)
    if named is not None:
        return named
    left, right = _unnamed(left), _unnamed(_said_once(right, same))
    if not _is_comparable(left, right) or len(left.items) != len(right.items):
        return False if _is_readable(left) and _is_readable(right) else None
    ordered = "()" in (left.brackets, right.brackets) or (left.brackets not in _UNORDERED and right.brackets != "{}")
    return (_decide_ordered if ordered else _decide_unordered)(left.items, right.items, same)


def parse_sequence(text: str) -> Sequence | None:
    """The sequence that a canonical text spells; None for a text that is none."""
    brackets = ""
    inner = text
    if text.startswith("\\{") and text.endswith("\\}"):
        brackets, inner = "{}", text[2:-2]
    elif text.startswith("\\langle") and text.endswith("\\rangle"):
        brackets, inner = "<>", text.removeprefix("\\langle").removesuffix("\\rangle")
    elif len(text) > 2 and text[0] + text[-1] in _BRACKETS:
        brackets, inner = text[0] + text[-1], text[1:-1]
    items = split(inner)
    if items is None and brackets:  # (1,2),(3,4) starts and ends with brackets that are not a pair
        brackets, items = "", split(text)
    if items is None:
        return None
    if not brackets or brackets == "{}":
        items = [choice for item in items for choice in _choices(item)]
    elif "\\pm" in inner:
        brackets, items = "", _choices(text)
    if len(items) > MAX_ITEMS or (len(items) == 1 and brackets in ("", "()", "[)", "(]")):
        return None
    return Sequence(brackets, tuple(item.strip() for item in items))


def split(text: str) -> list[str] | None:
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


def _choices(item: str) -> list[str]:
    r"""The values that an item with plus-minus signs stands for; with `\mp` among them, upper signs go together."""
    signs = _SIGN.findall(item)
    if not signs or len(signs) > MAX_SIGNS:
        return [item]
    if "mp" in signs:
        return [_with_signs(item, [(name == "pm") == upper for name in signs]) for upper in (True, False)]
    return [
        _with_signs(item, [bool(number >> index & 1) for index in range(len(signs))])
        for number in reversed(range(2 ** len(signs)))
    ]


def _with_signs(item: str, pluses: list[bool]) -> str:
    rest = iter(pluses)
    return _LEADING_PLUS.sub("", _SIGN.sub(lambda _: "+" if next(rest) else "-", item))


def _decide_named(left: Sequence, right: Sequence, same: Same) -> bool | None:
    """Sequences whose elements all have different names, on both sides; None where that is not so."""
    a, b = _by_name(left), _by_name(right)
    if a is None or b is None:
        return None
    if a.keys() != b.keys():
        return False
    verdicts = [same(value, b[name]) for name, value in a.items()]
    return False if False in verdicts else None if None in verdicts else True


def _by_name(sequence: Sequence) -> dict[str, str] | None:
    named = {match[1]: item[match.end() :] for item in sequence.items if (match := _NAME.match(item))}
    return named if len(named) == len(sequence.items) > 1 else None


def _unnamed(sequence: Sequence) -> Sequence:
    return Sequence(sequence.brackets, tuple(_NAME.sub("", item, count=1) for item in sequence.items))


def _said_once(sequence: Sequence, same: Same) -> Sequence:
    """A bare list that says one value several times says it once ("3/4 or 0.75"), unless it is of several names."""
    names = {match[1] for item in sequence.items if (match := _NAME.match(item))}
    if sequence.brackets or len(sequence.items) < 2 or len(names) > 1:
        return sequence
    values = _unnamed(sequence).items
    once = all(values[0] == value or same(values[0], value) for value in values[1:])
    return Sequence("", sequence.items[-1:]) if once else sequence


def _is_comparable(ref: Sequence, answer: Sequence) -> bool:
    """Whether the brackets can mean the same.

    A half-open interval needs its own brackets. Of two items in brackets each may be an interval: `(1,2)` is not
    `[1,2]`, and a reference without brackets, a list of values, is not the interval `[1,2]` from lower to higher.
    """
    if ref.brackets == answer.brackets:
        return True
    both = {ref.brackets, answer.brackets}
    if both & {"[)", "(]"}:
        return False
    is_pair = len(ref.items) == 2
    if not ref.brackets and answer.brackets == "[]" and is_pair:
        return not _is_ascending(answer.items)
    return "" in both or "<>" in both or (not is_pair and both == {"()", "[]"})


def _is_ascending(items: tuple[str, ...]) -> bool:
    values = [value_of(item) for item in items]
    low, high = values[0], values[-1]
    return low is None or high is None or low.real <= high.real


def _is_readable(sequence: Sequence) -> bool:
    return all(is_readable(item) for item in sequence.items)


def is_readable(text: str) -> bool:
    """Whether a canonical text is an expression, or a sequence of what is."""
    if read(text) is not None:
        return True
    sequence = parse_sequence(text)
    return sequence is not None and _is_readable(sequence)


def _decide_ordered(ref: tuple[str, ...], answer: tuple[str, ...], same: Same) -> bool | None:
    verdicts = [left == right or same(left, right) for left, right in zip(ref, answer, strict=True)]
    if all(verdicts):
        return True
    return False if False in verdicts else None


def _decide_unordered(ref: tuple[str, ...], answer: tuple[str, ...], same: Same) -> bool | None:
    rest = list(answer)
    for item in ref:
        verdicts = [item == other or same(item, other) for other in rest]
        if True in verdicts:
            rest.pop(verdicts.index(True))
        elif None in verdicts:
            return None
        else:
            return False
    return True
