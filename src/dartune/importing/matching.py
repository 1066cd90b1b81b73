"""Which of our queries a published row asks: by its normal words, else by what is nearest (pure)."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from dartune.decontamination import find_matches, normal_words
from dartune.types import Query

MIN_RATIO = 0.9
"""Two texts are the same problem if so much of their words is common and in order (difflib's ratio)."""
_RUN = 4
_MIN_OVERLAP = 0.5


class Found(NamedTuple):
    """The query that a text asks."""

    query: Query
    kind: Literal["exact", "fuzzy"]


def match_texts(texts: Collection[str], queries: Sequence[Query]) -> dict[str, Found]:
    """Text -> query, for the texts that ask one of the queries.

    First by equal words. What is left is compared with the queries that share runs of four words with half of the
    query's: the most similar one counts if it reaches `MIN_RATIO` and has the same numbers, each as often.
    """
    by_words: dict[str, Query] = {}
    for query in queries:
        by_words.setdefault(" ".join(normal_words(query.text)), query)
    found, rest = {}, []
    for text in texts:
        exact = by_words.get(" ".join(normal_words(text)))
        if exact is None:
            rest.append(text)
        else:
            found[text] = Found(exact, "exact")
    return found | _nearest(rest, queries)


def _nearest(texts: Iterable[str], queries: Sequence[Query]) -> dict[str, Found]:
    asked = [Query.of(text, "") for text in texts]
    best: dict[str, tuple[float, Query]] = {}
    for pair in find_matches(asked, {"": queries}, n=_RUN, min_overlap=_MIN_OVERLAP):
        words, others = normal_words(pair.query.text), normal_words(pair.asked.text)
        if _numbers(words) != _numbers(others):
            continue
        ratio = SequenceMatcher(None, words, others, autojunk=False).ratio()
        if ratio >= MIN_RATIO and ratio > best.get(pair.query.text, (0.0, pair.asked))[0]:
            best[pair.query.text] = ratio, pair.asked
    return {text: Found(query, "fuzzy") for text, (_, query) in best.items()}


def _numbers(words: Iterable[str]) -> Counter[str]:
    return Counter(word for word in words if word[0].isdigit())
