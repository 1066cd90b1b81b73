"""Small pieces of error messages: the nearest known word, and short lists."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from urllib.error import URLError

N_SHOWN = 12


def quoted(value: object) -> str:
    """The value as JSON cut to 60 characters, so that control characters and line breaks stay visible."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def listed(values: Iterable[object]) -> str:
    """The first values, comma-separated, and how many more there are."""
    shown = [str(value) for value in values]
    more = len(shown) - N_SHOWN
    return ", ".join(shown[:N_SHOWN]) + (f" and {more} more" if more > 0 else "")


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint '; nearest is "..."', or nothing where no known word is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.5)
    return f"; nearest is {quoted(by_folded[matches[0]])}" if matches else ""


def one_line(error: BaseException) -> str:
    """What another library said, on one line of at most 200 characters."""
    said = error.reason if type(error) is URLError else error
    text = " ".join(str(said).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."
