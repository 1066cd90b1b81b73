"""How other languages than English announce a final answer: one row of a table for each.

The phrases are those of the multilingual benchmarks (CMATH, Gaokao, MGSM, MSVAMP, PolyMath) and of the models that
answer them. MGSM's openings of a worked solution ("Respuesta paso a paso:") are no markers of an answer.
"""

import re
from typing import NamedTuple

from dartune.grading.extraction.found import Found
from dartune.grading.extraction.markers import Marker, last_marked


class Language(NamedTuple):
    """One language."""

    code: str
    """ISO 639-1."""
    marker: Marker
    tail: re.Pattern[str] | None = None
    """What ends a sentence after the answer and is no part of it ("です", "입니다")."""


def _row(code: str, stems: str, pattern: str, tail: str | None = None, *, n_before: int = 0) -> Language:
    marker = Marker(tuple(stems.split("|")), re.compile(pattern), n_before)
    return Language(code, marker, re.compile(rf"(?:{tail})\s*$") if tail else None)


_COLON = r"[*_]*\s{0,3}[:：]"

LANGUAGES = (
    _row(
        "zh",
        "答案|故选|应选|應選|故選|答：|答:",
        rf"答案(?:应该|应|應|就|便)?(?:是|为|為|等于|等於|选|選)?(?:(?<=[是为為于於选選]){_COLON}?|{_COLON})"
        rf"|(?:故|应|應)[选選](?:项|择)?{_COLON}?|(?<![解回问])答[：:]\s*(?=[-\d$\\])",
    ),
    _row(
        "ja",
        "答え|解答",
        rf"(?<!の)(?:答え|解答)(?:は|{_COLON})[、,]?",
        "です|である|だ|になります|となります|になる|となる",
    ),
    _row("ko", "답", rf"답(?:은|{_COLON})", "입니다|이다|이에요|예요|다", n_before=0),
    _row("es", "espuesta", rf"[Rr]espuesta(?: final| correcta)?(?: es\b|{_COLON}){_COLON}?", n_before=1),
    _row("pt", "esposta", rf"[Rr]esposta(?: final| correta)?(?: é\b|{_COLON}){_COLON}?", n_before=1),
    _row("it", "isposta", rf"[Rr]isposta(?: finale| corretta)?(?: è\b|{_COLON}){_COLON}?", n_before=1),
    _row("fr", "éponse", rf"[Rr]éponse(?: finale| correcte)?(?: est\b|{_COLON}){_COLON}?", n_before=1),
    _row("de", "Antwort", rf"(?<![-\w])Antwort(?: ist\b| lautet\b|{_COLON}){_COLON}?", n_before=0),
    _row("ru", "твет", rf"(?<!\w)[Оо]твет(?:\s+равен|\s*[-–—]|{_COLON}){_COLON}?", n_before=1),
    _row("hi", "उत्तर", rf"उत्तर(?:{_COLON}|\s+है|\s+(?=[\d$\\(-]))", "है|हैं|होगा"),
    _row("bn", "উত্তর", rf"(?<!ধাপে )উত্তর(?:{_COLON}|\s+(?:হল|হলো|হচ্ছে))"),
    _row("te", "సమాధానం", rf"(?<!గా )సమాధానం(?:{_COLON}|\s+(?=[\d$\\(-]))"),
    _row("th", "คำตอบ", rf"คำตอบ(?:สุดท้าย)?\s*(?:คือ|{_COLON})"),
    _row("sw", "ibu", rf"(?<!\w)[Jj]ibu(?: la mwisho| sahihi)?(?: ni\b|{_COLON}){_COLON}?", n_before=1),
    _row(
        "vi",
        "áp án|áp số|âu trả lời",
        rf"(?:[Đđ]áp (?:án|số)|[Cc]âu trả lời)(?: cuối cùng)?(?: là|{_COLON}){_COLON}?",
        n_before=1,
    ),
    _row("ar", "الإجابة|الجواب", rf"(?:الإجابة|الجواب)(?: النهائية| النهائي| الصحيحة)?(?: هي| هو|{_COLON}){_COLON}?"),
    _row("id", "awaban", rf"[Jj]awaban(?:nya)?(?: akhir(?:nya)?)?(?: adalah| ialah|{_COLON}){_COLON}?", n_before=1),
)  # fmt: skip
"""Every language whose markers are known, English aside."""

_ASCII = tuple(row for row in LANGUAGES if all(stem.isascii() for stem in row.marker.stems))


def last_translated(text: str) -> Found | None:
    """The answer after the marker of the first language of `LANGUAGES` that the text has one of."""
    for row in _ASCII if text.isascii() else LANGUAGES:
        found = last_marked(text, row.marker)
        if found is not None:
            answer = row.tail.sub("", found.answer) if row.tail else found.answer
            return Found(answer.strip(), found.complete)
    return None
