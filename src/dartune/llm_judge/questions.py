"""What a model is asked about two answers, and how its reply is read. Pure, and wary: all of it is text of models."""

import json
import re
from importlib.resources import files

MAX_CHARS = 2_000
"""Of each answer, and of the problem, only this many characters are shown."""

_REPLY = re.compile(r"\s*(?:```(?:json)?\s*)?(\{[^{}]{0,200}\})(?:\s*```)?\s*", re.DOTALL)


def question(*, problem: str, first: str, second: str) -> str:
    """The prompt that asks whether two answers are the same; each is a JSON string, which nothing in it can end."""
    template = (files("dartune.llm_judge") / "prompt.txt").read_text(encoding="utf-8")
    return template.format(problem=_shown(problem), first=_shown(first), second=_shown(second))


def read_reply(text: str) -> bool | None:
    """What a reply says: True or False only for the one JSON object that was asked for; None for anything else."""
    reply = _REPLY.fullmatch(text)
    if reply is None:
        return None
    try:
        said = json.loads(reply[1])
    except ValueError:
        return None
    same = said.get("same") if said.keys() == {"same"} else None
    return same if isinstance(same, bool) else None


def _shown(text: str) -> str:
    return json.dumps(text.encode("utf-8", "replace").decode("utf-8").strip()[:MAX_CHARS], ensure_ascii=False)
