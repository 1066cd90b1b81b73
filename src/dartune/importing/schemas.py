"""Where published sets keep the problem and the response of a row.

A field is given as the columns that may hold it, the first that is there counts; "messages.0.content" is a path. What
each is known from stands beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dartune.queries.rows import RawRow

Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The rows of one published set."""

    query: Paths
    response: Paths
    what: str
    is_derived: Callable[[RawRow], bool] = lambda row: False
    """Whether the row asks a rewritten problem: its response is no try of the original."""


def _is_rewritten(row: RawRow) -> bool:
    """MetaMathQA: all but answer augmentation rephrases the problem or turns it round."""
    return not str(row.get("type", "AnsAug")).endswith("AnsAug")


def _is_new(row: RawRow) -> bool:
    """MMIQC: of its sources only MetaMathQA's part can hold original problems."""
    return "metamath" not in str(row.get("source", "metamath")).casefold()


_ANY_QUERY: Paths = ("query", "question", "problem", "instruction", "messages.0.content")
_ANY_RESPONSE: Paths = ("response", "output", "solution", "answer", "messages.1.content")

SCHEMAS: Mapping[str, Schema] = {
    "dart": Schema(
        query=("query",), response=("response",), what="hkust-nlp/dart-math-uniform and dart-math-hard: query, response"
    ),
    "dart-pool": Schema(
        query=("query",),
        response=("response", "resp"),
        what="hkust-nlp/dart-math-pool-math and -gsm8k: query, response, gt_ans, query_metadata, ...",
    ),
    "metamath": Schema(
        query=("query",),
        response=("response",),
        what="meta-math/MetaMathQA: type, query, original_question, response; rows of AnsAug ask the original",
        is_derived=_is_rewritten,
    ),
    "tora": Schema(
        query=("messages.0.content",),
        response=("messages.1.content",),
        what="ToRA-Corpus: dataset, level, id, gt, gt_cot, messages (a user's and an assistant's)",
    ),
    "mmiqc": Schema(
        query=("instruction",),
        response=("output",),
        what="Vivacem/MMIQC: instruction, output, source",
        is_derived=_is_new,
    ),
    "mario": Schema(query=_ANY_QUERY, response=_ANY_RESPONSE, what="MARIO: by the usual names of columns"),
    "xwin-math": Schema(query=_ANY_QUERY, response=_ANY_RESPONSE, what="Xwin-Math: by the usual names of columns"),
    "kpmath": Schema(query=_ANY_QUERY, response=_ANY_RESPONSE, what="KPMath: by the usual names of columns"),
}
"""Name -> where a published set keeps its queries and responses."""


def find_text(row: RawRow, paths: Paths) -> str | None:
    """The text at the first of `paths` that the row has; None if none holds a text."""
    return next((text for path in paths if isinstance(text := _walk(row, path), str)), None)


def _walk(row: RawRow, path: str) -> object:
    value: object = row
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
