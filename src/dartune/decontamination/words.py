"""A problem as a row of words, so that two ways of typing it read the same (pure)."""

import re
import unicodedata

_WORDS = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[+\-*/=<>^|%!()\[\]]")
_SAME_SENSE = {"dfrac": "frac", "tfrac": "frac", "cdot": "*", "times": "*", "leq": "le", "geq": "ge"}
_NO_SENSE = frozenset({"left", "right", "displaystyle", "mathrm", "text", "mbox"})
_REWRITTEN = _NO_SENSE | _SAME_SENSE.keys()


def normal_words(text: str) -> list[str]:
    r"""Words, numbers and operators of a text, in order.

    Unicode is brought to NFKC and to one case; white space, punctuation, `$`, braces and backslashes are dropped, and
    LaTeX's words for the same sign made one (`\dfrac` and `\frac`, `\left(` and `(`). Numbers and operators stay: they
    are what tells two problems of one wording apart.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")
    words: list[str] = _WORDS.findall(folded)
    if _REWRITTEN.isdisjoint(words):
        return words
    return [_SAME_SENSE.get(word, word) for word in words if word not in _NO_SENSE]
