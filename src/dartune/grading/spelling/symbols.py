"""Characters that a canonical answer spells in ASCII or LaTeX, and those that it drops."""

import unicodedata

_SPELLED = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-",
    "×": "\\times ", "✕": "\\times ", "⋅": "\\cdot ", "·": "\\cdot ", "∙": "\\cdot ", "÷": "/", "∕": "/", "⁄": "/",
    "π": "\\pi ", "∞": "\\infty ", "√": "\\sqrt ", "°": "^\\circ ", "∅": "\\emptyset ", "ø": "\\emptyset ",
    "∛": "\\sqrt[3] ", "º": "^\\circ ",
    "≤": "\\le ", "⩽": "\\le ", "⩾": "\\ge ", "≥": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "±": "\\pm ",
    "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ",
    "θ": "\\theta ", "α": "\\alpha ", "β": "\\beta ", "γ": "\\gamma ", "λ": "\\lambda ", "μ": "\\mu ", "φ": "\\phi ",
    "ω": "\\omega ", "σ": "\\sigma ", "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}",
    "⟨": "\\langle ", "⟩": "\\rangle ", "½": "\\frac{1}{2}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}",
    "⅓": "\\frac{1}{3}", "⅔": "\\frac{2}{3}", "⅕": "\\frac{1}{5}", "⅛": "\\frac{1}{8}",
    "‘": "'", "’": "'", "“": '"', "”": '"', "，": ",", "、": ",", "。": ".", "：": ":", "；": ";", "％": "%",
    "€": "\\euro ", "£": "\\pounds ", "¥": "\\yen ",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", "0123456789-n", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_DROPPED = ("Cc", "Cf", "Cs", "Co")
"""Control and format characters (bidirectional marks, zero-width, null), lone surrogates, private use."""


class _Characters(dict[int, str]):
    """Translation table for `str.translate` that classifies a character when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = spelled = _spelling(chr(code))
        return spelled


def _spelling(char: str) -> str:
    if char in _SPELLED:
        return _SPELLED[char]
    if char in _RAISED:
        return f"^{{{_RAISED[char]}}}"
    if char in _LOWERED:
        return f"_{{{_LOWERED[char]}}}"
    if "\uff01" <= char <= "\uff5e":
        return chr(ord(char) - 0xFEE0)
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) in _DROPPED else char


CHARACTERS = _Characters()
"""Use with `str.translate`. Characters of full width become narrow, all white space a plain space."""
