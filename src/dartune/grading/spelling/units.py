r"""Units, currencies and counted things at the end of an answer: `100\text{ square units}`, `5 apples`, `\$12`.

A unit is split off only where what stands before it is a number in digits. A known unit or currency has a canonical
name; any other noun ("apples") is dropped, for the value alone decides. Words that change the value ("or more",
"p.m.", "million") are no units. Letters joined to a number (`4t`) are variables, unless the unit is in the table.
"""

import re
from typing import NamedTuple

_UNITS = """
mm millimeter millimetre | cm centimeter centimetre | m meter metre | km kilometer kilometre
in inch inche | ft foot feet | yd yard | mi mile | acre | ha hectare
g gm gram | kg kilogram | mg milligram | lb lbs pound | oz ounce | ton tonne
s sec secs second | min mins minute | h hr hrs hour | day | week | month | yr yrs year
l liter litre | ml milliliter millilitre | gal gallon | qt quart | cup
nm nanometer nanometre | um micrometer micrometre micron | mi/h mph | km/h kmh kph kmph | kj kilojoule | kw kilowatt
mw milliwatt megawatt | kpa kilopascal | kn kilonewton | ma milliampere | mv millivolt | kv kilovolt | ms millisecond
ns nanosecond | mmol millimole | j joule | n newton | w watt | v volt | amp ampere | ohm | hz hertz | khz | ev | kelvin
pa pascal | mol mole | coulomb | deg degree | rad radian
cent | dollar usd buck | euro eur | gbp | rs rupee inr | yen
"""
"""One unit per cell, its spellings parted by spaces, the first its canonical name. A plural "s" is understood."""

_KNOWN = {name: cell.split()[0] for cell in re.split(r"[|\n]", _UNITS) for name in cell.split()}
_CURRENCY = {
    "\\$": "dollar", "$": "dollar", "USD": "dollar", "US\\$": "dollar", "\\euro": "euro", "\\pounds": "gbp",
    "\\yen": "yen", "Rs": "rs", "Rs.": "rs",
}  # fmt: skip
_POWERS = {"square": "^2", "sq": "^2", "squared": "^2", "cubic": "^3", "cu": "^3", "cubed": "^3"}
_GUARD_WORDS = """
or and more less than least most not no to from mod modulo am pm a.m p.m hundred thousand million billion trillion
dozen percent percentage pct base over times plus minus half halves third thirds quarter remainder st nd rd th sin cos
tan cot csc log ln exp sqrt root roots radical choose factorial theta alpha beta gamma delta lambda sigma omega phi
fourth fourths fifth fifths sixth sixths seventh sevenths eighth eighths ninth ninths tenth tenths hundredth hundredths
thousandth thousandths millionth millionths quarters hundreds thousands millions billions dozens pair pairs score
above below fewer twice double triple inf infinity if when where while except but with only for all is are either both
each
"""
_GUARDS = frozenset(_GUARD_WORDS.split())
"""Words that change the value: a phrase with one of them is no unit."""

_MAX_WORDS = 6

_TEXT = r"\\(?:text(?:bf|it|rm|normal)?|mathrm|mathbf|mathit|mbox|hbox|operatorname)\s?\{"
_TEXT_START = re.compile(_TEXT)
_WORD_START = re.compile(r"(?<![\\a-zA-Z{_^])(?:[A-Za-z]{2,}|(?<=\s)[a-z]\s?/\s?[a-z])")
_LEADING = re.compile(r"^(-?)\s?(US\\\$|\\\$|\$|\\euro|\\pounds|\\yen|USD|Rs\.?)\s?(?=[-\d.\\])")
_DEGREES = re.compile(r"\s?\^\\circ\s?([CF])?$")
_NUMERIC = re.compile(
    r"(?:[a-zA-Z]\s?=\s?)?(?:[\d\s.,+\-*/^(){}]|\\(?:frac|sqrt|pi|times|cdot|pm|euro|binom|\$)(?![a-z])|!)+"
)
_PHRASE = re.compile(r"(?:[A-Za-z\s.\-/{}()']|\^\s?\{?\s?-?\d|(?<=[a-z])[23](?![\d.]))*")
"""A digit is an exponent: any other counts something else (`2 hours 30 minutes`)."""
_TOKEN = re.compile(r"[A-Za-z.]*[A-Za-z]")
_POWER = re.compile(r"\^\s?\{?\s?([23])")


class Split(NamedTuple):
    """An answer without its unit, and the unit."""

    core: str
    unit: str
    """Canonical name; "" where there is none, or none that is known."""


def split_unit(text: str) -> Split:
    """Split the unit off `text` where a number in digits stands before it."""
    leading = _LEADING.match(text)
    if leading:
        return Split(_drop_tail(leading[1] + text[leading.end() :]).core, _CURRENCY[leading[2]])
    return _drop_tail(text)


def split_letter(text: str) -> Split:
    """Split off a unit of one letter (`10m`), which only a unit on the other side can tell from a variable."""
    if text[-1:] in _KNOWN and _is_number(text[:-1]):
        return Split(text[:-1], _KNOWN[text[-1]])
    return Split(text, "")


def units_agree(ref: str, answer: str) -> bool:
    """Whether two units can be of the same answer: equal, or one of them unsaid."""
    return not ref or not answer or ref == answer or {ref, answer} in ({"deg", "degC"}, {"deg", "degF"})


def _drop_tail(text: str) -> Split:
    start = _TEXT_START.search(text) or _WORD_START.search(text)
    unit = ""
    if start and start.start() and _is_number(text[: start.start()]):
        head, tail = text[: start.start()], text[start.start() :]
        is_text = tail.startswith("\\")
        phrase = _TEXT_START.sub(" ", tail).replace("}", " ") if is_text else tail
        named = _name(phrase, loose=is_text or head.endswith((" ", "}")))
        if named is not None:
            text, unit = head.rstrip(" -"), named
    degrees = _DEGREES.search(text)
    if degrees and _is_number(text[: degrees.start()]):
        text, unit = text[: degrees.start()], f"deg{degrees[1] or ''}"
    return Split(text, unit)


def _is_number(text: str) -> bool:
    text = text.removesuffix("^\\circ").removesuffix("^\\circ ")
    return any(char.isdigit() for char in text) and _NUMERIC.fullmatch(text) is not None


def _name(phrase: str, *, loose: bool) -> str | None:
    """Canonical name of a unit phrase; "" for one that is not known; None where it is no unit."""
    words = [word.lower().rstrip(".") for word in _TOKEN.findall(phrase)]
    if not words or len(words) > _MAX_WORDS or not _PHRASE.fullmatch(phrase):
        return None
    if any(word in _GUARDS for word in words):
        return None
    names = [_known(word) for word in words if word not in _POWERS and word != "per"]
    if not names:
        return None
    if any(name is None for name in names):
        return (
            "" if loose and all(len(word) >= 3 or word in _POWERS for word in words) and _looks_spoken(words) else None
        )
    power = next((_POWERS[word] for word in words if word in _POWERS), "")
    raised = _POWER.search(phrase)
    return "/".join(name for name in names if name) + (f"^{raised[1]}" if raised else power)


def _known(word: str) -> str | None:
    return _KNOWN.get(word) or (_KNOWN.get(word[:-1]) if word.endswith("s") and len(word) > 3 else None)


def _looks_spoken(words: list[str]) -> bool:
    return all(len(word) > 3 or word in _POWERS or any(char in "aeiouy" for char in word) for word in words)
