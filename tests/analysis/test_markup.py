import pytest

from dartune.analysis.drawing.markup import Markup, element, escape, number
from dartune.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),  # right-to-left override
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),  # isolates
        ("\x1b[31mred", "⟨U+001B⟩[31mred"),  # a terminal's escape
        ("nul\x00", "nul⟨U+0000⟩"),
        ("\ud800", "⟨U+D800⟩"),  # lone surrogate: UTF-8 cannot carry it
        ("\ufffe", "⟨U+FFFE⟩"),  # XML cannot carry it
        ("\u2028", "⟨U+2028⟩"),
        ("\u200b\ufeff", "⟨U+200B⟩⟨U+FEFF⟩"),
        ("\r\n", "⟨U+000D⟩\n"),
        ("tab\there\nشكرا 日本 x²", "tab\there\nشكرا 日本 x²"),
        ("न\u200dम", "न\u200dम"),  # a joiner that the script needs
    ],
)
def test_hidden_characters_are_spelt_out_and_the_rest_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_text_is_escaped_and_markup_is_not() -> None:
    assert escape("<b a=\"1\" b='2'>&") == "&lt;b a=&quot;1&quot; b=&#x27;2&#x27;&gt;&amp;"
    assert element("p", "<i>", Markup("<i/>"), title='"x"') == '<p title="&quot;x&quot;">&lt;i&gt;<i/></p>'


def test_markup_joined_to_text_loses_its_privilege() -> None:
    assert escape(Markup("<b/>") + "<i>") == "&lt;b/&gt;&lt;i&gt;"


def test_elements_close_as_html_needs() -> None:
    assert element("td") == "<td></td>"
    assert element("line", x1=1.0, class_="rule", aria_label="a") == '<line x1="1" class="rule" aria-label="a"/>'
    assert element("p", None, "a", None) == "<p>a</p>"


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (1e7, "10000000"), (3, "3")])
def test_coordinates_are_short_and_plain(value: float, text: str) -> None:
    assert number(value) == text
