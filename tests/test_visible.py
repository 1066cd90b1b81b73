from unicodedata import category

from hypothesis import given
from hypothesis import strategies as st

from dartune.visible import visible


@given(st.text(st.characters(codec=None)))
def test_visible_text_can_always_be_printed(text: str) -> None:
    shown = visible(text)
    left = {character for character in shown if category(character) in ("Cc", "Cf", "Cs")}
    assert left <= set("\n\t\u200c\u200d")
    assert shown.encode().decode() == shown


def test_line_breaks_and_letters_stay() -> None:
    assert visible("Zwölf\n≤ 数 $\\frac{1}{2}$") == "Zwölf\n≤ 数 $\\frac{1}{2}$"
