"""Where published sets keep the problem and the response of a row.

A field is given as the columns that may hold it, the first that is there counts; "messages.0.content" is a path. The
public address that each form is known from stands beside it; docs/importing.md says what could not be verified.
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
    """Whether the row says that it asks another problem than an original one."""


def _is_rewritten(row: RawRow) -> bool:
    """MetaMathQA: all but answer augmentation rephrases the problem or turns it round."""
    return not str(row.get("type", "AnsAug")).endswith("AnsAug")


def _is_of_the_web(row: RawRow) -> bool:
    """MMIQC: a question from Mathematics Stack Exchange, as more than half of its rows are."""
    return str(row.get("source", "")).casefold().startswith("stackexchange")


_ANY_QUERY: Paths = ("query", "question", "problem", "instruction", "messages.0.content")
_ANY_RESPONSE: Paths = ("response", "output", "solution", "answer", "messages.1.content")

SCHEMAS: Mapping[str, Schema] = {
    # github.com/hkust-nlp/dart-math, pipeline/analyze/analyze-sampling.ipynb at 219b324 prints the columns of both
    "dart": Schema(
        query=("query",), response=("response",), what="hkust-nlp/dart-math-uniform and dart-math-hard: query, response"
    ),
    # github.com/DATEXIS/RE-PoLar, re_polar/datasets/dart_math.py at 0544e8c reads all but the response, which the
    # sets that were drawn from the pools call response and the authors' sampling (nbs/03_data.ipynb) calls resp
    "dart-pool": Schema(
        query=("query",),
        response=("response", "resp"),
        what="hkust-nlp/dart-math-pool-math and -gsm8k: query_id, query, response, gt_ans, domain, query_metadata, ...",
    ),
    # huggingface.co/datasets/meta-math/MetaMathQA
    "metamath": Schema(
        query=("query",),
        response=("response",),
        what="meta-math/MetaMathQA: type, query, original_question, response; rows of AnsAug ask the original",
        is_derived=_is_rewritten,
    ),
    # github.com/microsoft/ToRA, data/tora/examples.jsonl at 29c71cd
    "tora": Schema(
        query=("messages.0.content",),
        response=("messages.1.content",),
        what="ToRA-Corpus: dataset, level, id, gt, gt_cot, messages (a user's and an assistant's)",
    ),
    # huggingface.co/datasets/Vivacem/MMIQC, by the card of its subset reecursion/mmiqc-subset
    "mmiqc": Schema(
        query=("instruction",),
        response=("output",),
        what="Vivacem/MMIQC: instruction, output, source",
        is_derived=_is_of_the_web,
    ),
    # not published: github.com/MARIO-Math-Reasoning/MARIO/issues/1
    "mario": Schema(query=_ANY_QUERY, response=_ANY_RESPONSE, what="MARIO: by the usual names of columns"),
    # not published: github.com/Xwin-LM/Xwin-LM/issues/22; what Xwin-Math/eval/generate.py at 4e92e79 writes comes first
    "xwin-math": Schema(
        query=_ANY_QUERY,
        response=("completion.0", *_ANY_RESPONSE),
        what="Xwin-Math: question, completion (a list), ..., or the usual names of columns",
    ),
    # not published: github.com/hkust-nlp/dart-math, README.md at 219b324, the table of sets
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
