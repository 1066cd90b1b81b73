r"""The contents of `\boxed{}` and `\fbox{}` in a text, found in one pass over its braces."""

import re
from typing import NamedTuple

MAX_BOXES = 64
"""Only this many of the last boxes are looked at."""

_COMMAND = re.compile(r"\\(?:boxed|fbox|framebox)(?![a-zA-Z])")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_UNCLOSED_END = re.compile(r"\n|\$|\\[)\]]")


class Box(NamedTuple):
    """One box."""

    content: str
    start: int
    """Index of the command's backslash."""
    end: int
    """Index just after the box."""
    closed: bool
    """False where no brace closes it: the content then ends at the line's, or the surrounding math's, end."""


def find_boxes(text: str) -> list[Box]:
    """The outermost boxes of `text`, first to last; of many only the last `MAX_BOXES` commands are read."""
    commands = list(_COMMAND.finditer(text))[-MAX_BOXES:]
    if not commands:
        return []
    closing = _closing_braces(text, commands[0].start())
    boxes: list[Box] = []
    for command in commands:
        if boxes and boxes[-1].closed and command.start() < boxes[-1].end:
            continue
        boxes.append(_read(text, command, closing))
    return boxes


def _read(text: str, command: re.Match[str], closing: dict[int, int]) -> Box:
    opening = command.end()
    while opening < len(text) and text[opening] in " \t":
        opening += 1
    if text[opening : opening + 1] != "{":
        return _unclosed(text, command.start(), opening)
    end = closing.get(opening)
    if end is None:
        return _unclosed(text, command.start(), opening + 1)
    return Box(_unwrap(text[opening + 1 : end]), command.start(), end + 1, closed=True)


def _unclosed(text: str, start: int, begin: int) -> Box:
    end = _UNCLOSED_END.search(text, begin)
    stop = end.start() if end else len(text)
    return Box(text[begin:stop].strip(), start, stop, closed=False)


def _unwrap(content: str) -> str:
    """The content of a box that holds nothing but another box is that box's."""
    content = content.strip()
    command = _COMMAND.match(content)
    while command and content[command.end() : command.end() + 1] == "{" and content.endswith("}"):
        content = content[command.end() + 1 : -1].strip()
        command = _COMMAND.match(content)
    return content


def _closing_braces(text: str, begin: int) -> dict[int, int]:
    """Index of each opening brace from `begin` on -> index of the brace that closes it."""
    stack: list[int] = []
    pairs: dict[int, int] = {}
    for match in _BRACE.finditer(text, begin):
        if match[0] == "{":
            stack.append(match.start())
        elif match[0] == "}" and stack:
            pairs[stack.pop()] = match.start()
    return pairs
