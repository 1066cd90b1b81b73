"""Final answers in a structure: a field of a JSON object, an `<answer>` element, the output of a program."""

import json
import re

from dartune.grading.extraction.boxes import last_box
from dartune.grading.extraction.found import Found
from dartune.grading.extraction.markers import ANSWER_IS, MAX_LINE_ANSWER, last_marked

_STRING = r"\"(?:[^\"\\]|\\.)*+\""
_NUMBER = r"-?[0-9][0-9.eE+-]*+"
_VALUE = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"
_ANSWER = re.compile(
    rf"\"(?:[Ff]inal[_ ]?)?[Aa]nswer\"\s*+:\s*+({_STRING}|{_NUMBER}|true|false|\[[^\[\]{{}}]*+\])"
    rf"(?:\s*+,\s*+\"\w++\"\s*+:\s*+{_VALUE})*+\s*+,?\s*+\}}[\s`]*+$",
    re.DOTALL,
)
_LATEX_ESCAPE = re.compile(
    r"(?<!\\)\\(?=(?:boxed|begin|beta|bar|binom|frac|fbox|forall|neq?|nu|nabla|not|right|rho|rangle"
    r"|text\w*|times|theta|tan|tau|to|tfrac)(?![a-z]))"
)
_CODE_OUTPUT = "```output"


def json_answer(text: str) -> Found | None:
    """The field "answer" or "final_answer" of a flat JSON object that ends the text."""
    if not text[-64:].rstrip("` \r\n\t").endswith("}"):
        return None
    at = text.rfind('nswer"')
    begin = text.rfind('"', max(0, at - len('"final_a')), at)
    match = _ANSWER.match(text, begin) if begin >= 0 else None
    return Found(_plain(match[1]), complete=True) if match else None


def _plain(raw: str) -> str:
    if raw[0] not in '"[':
        return raw
    try:
        value = json.loads(_LATEX_ESCAPE.sub(r"\\\\", raw), strict=False)
    except ValueError:  # a LaTeX backslash that JSON has no escape for
        value = raw[1:-1]
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    found = last_box(str(value))
    return found.answer if found else str(value)


def answer_element(text: str) -> Found | None:
    """What stands in the last `<answer>...</answer>`: its box, what "the answer is" announces, or all of it."""
    end = text.rfind("</answer>") if "<" in text else -1
    begin = text.rfind("<answer>", 0, end) if end >= 0 else -1
    if begin < 0:
        return None
    content = text[begin + len("<answer>") : end].strip()
    found = last_box(content) or last_marked(content, ANSWER_IS)
    if found is not None:
        return Found(found.answer, complete=True)
    return Found(content, complete=True) if len(content) <= MAX_LINE_ANSWER else None


def code_output(text: str) -> Found | None:
    """The last line of the last output block, where no more code follows it."""
    begin = text.rfind(_CODE_OUTPUT)
    end = text.find("```", begin + len(_CODE_OUTPUT)) if begin >= 0 else -1
    if end < 0 or text.find("```", end + 3) >= 0:
        return None
    line = text[begin + len(_CODE_OUTPUT) : end].rstrip().rpartition("\n")[2].strip()
    return Found(line, complete=True) if 0 < len(line) <= MAX_LINE_ANSWER else None
