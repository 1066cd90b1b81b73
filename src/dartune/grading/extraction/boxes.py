r"""The contents of `\boxed{}`, `\fbox{}` and `\framebox{}` in a text, in time linear in it.

Boxes are looked for from the end: each of the commands ends in "box" or "boxed", and one backward search finds them
all. Their braces are counted box by box; only where one is unclosed are the braces of all that follows paired at once,
so that boxes opened by the ten thousand cost one pass.
"""

import re
from itertools import zip_longest
from typing import NamedTuple

from dartune.grading.extraction.found import Found, is_empty

MAX_BOXES = 64
"""Only this many of the last boxes are looked at."""

MAX_JOINT = 40
"""Most characters between two boxes that are one answer."""

_COMMAND = re.compile(r"\\(?:boxed|fbox|framebox)(?![a-zA-Z])")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_UNCLOSED_END = re.compile(r"\n|\$|\\[)\]]")
_JOINT = re.compile(
    r"(?:\s|\$|\\[()\[\]]|,|;|\band\b|\bor\b|\\text\{\s*(?:and|or),?\s*\}|\\quad|\\,|\\;|\{|\}|[a-zA-Z](?:_\w)?\s*=)*"
)


class Box(NamedTuple):
    """One box."""

    content: str
    start: int
    """Index of the command's backslash."""
    end: int
    """Index just after the box."""
    closed: bool
    """False where no brace closes it: the content then ends at the line's, or the surrounding math's, end."""


def last_box(text: str) -> Found | None:
    """The last closed box that is not empty, with those before it that `is_joint` joins to it."""
    boxes = [box for box in find_boxes(text) if box.closed and not is_empty(box.content)]
    if not boxes:
        return None
    first = len(boxes) - 1
    while first > 0 and is_joint(text, boxes[first - 1].end, boxes[first].start):
        first -= 1
    return Found(", ".join(dict.fromkeys(box.content for box in boxes[first:])), complete=True)


def last_unclosed_box(text: str) -> Found | None:
    """The last box, closed or not, up to where its line or math ends."""
    boxes = find_boxes(text)
    return Found(boxes[-1].content, complete=False) if boxes else None


def is_joint(text: str, begin: int, end: int) -> bool:
    """Whether no more than a comma, "and", "or", a left side or marks of math stand between two answers."""
    if end - begin > MAX_JOINT or text.find("\n\n", begin, end) >= 0:
        return False
    return _JOINT.fullmatch(text, begin, end) is not None


def is_box(text: str) -> bool:
    """Whether `text` begins with a box, closed or not."""
    return _COMMAND.match(text.lstrip("$ ")) is not None


def find_boxes(text: str) -> list[Box]:
    """The outermost boxes of `text`, first to last; of many only the last `MAX_BOXES` commands are read."""
    boxes: list[Box] = []
    closing: dict[int, int] | None = None
    commands = _commands(text)
    for command, following in zip_longest(commands, commands[1:]):
        limit = following.start() if following else len(text)
        if boxes and boxes[-1].closed and command.start() < boxes[-1].end:
            continue
        opening = _skip_blanks(text, command.end())
        if text[opening : opening + 1] != "{":
            boxes.append(_unclosed(text, command.start(), opening, limit))
            continue
        end = _closing_brace(text, opening) if closing is None else closing.get(opening)
        if end is None:
            closing = _closing_braces(text, opening) if closing is None else closing
            boxes.append(_unclosed(text, command.start(), opening + 1, limit))
        else:
            boxes.append(Box(_unwrap(text[opening + 1 : end]), command.start(), end + 1, closed=True))
    return boxes


def _commands(text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    end = len(text)
    while len(found) < MAX_BOXES and (end := text.rfind("box", 0, end)) >= 0:
        start = text.rfind("\\", max(0, end - len("\\frame")), end)
        command = _COMMAND.match(text, start) if start >= 0 else None
        if command and command.start() < end < command.end():
            found.append(command)
    return found[::-1]


def _skip_blanks(text: str, index: int) -> int:
    while text[index : index + 1] in (" ", "\t"):
        index += 1
    return index


def _unclosed(text: str, start: int, begin: int, limit: int) -> Box:
    end = _UNCLOSED_END.search(text, begin, limit)
    stop = end.start() if end else limit
    return Box(text[begin:stop].strip(), start, stop, closed=False)


def _unwrap(content: str) -> str:
    """The content of a box that holds nothing but another box is that box's."""
    content = content.strip()
    if not content.startswith("\\") or not _COMMAND.match(content):
        return content
    closing = _closing_braces(content, 0)
    begin, end = 0, len(content)
    while (command := _COMMAND.match(content, begin)) and closing.get(command.end()) == end - 1:
        begin, end = command.end() + 1, end - 1
        while begin < end and content[begin].isspace():
            begin += 1
        while begin < end and content[end - 1].isspace():
            end -= 1
    return content[begin:end]


def _closing_brace(text: str, opening: int) -> int | None:
    depth = 0
    for match in _BRACE.finditer(text, opening):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    return None


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
