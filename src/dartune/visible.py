"""Text of unknown origin, made safe to look at: in a terminal, a table or a page."""

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    """`text` with each character that is invisible, steers a terminal or reorders its line spelt out as ⟨U+202E⟩.

    New lines and tabs stay, and so do the joiners that some scripts need.
    """
    return "".join(
        f"⟨U+{ord(char):04X}⟩"
        if unicodedata.category(char) in _HIDDEN and char not in "\n\t" and char not in _JOINERS
        else char
        for char in text
    )
