"""Support across languages: what can be compared where a sentence and its source are not in one language.

Numbers in digits, days and months, and words quoted in the source's language; a meaning cannot be.
"""

import re

from index.sentences import seen_in_lower_case
from rag.dates import Date
from rag.facts import Facts, holds_words, plain_words
from rag.words import Word

ONLY_FACTS = (
    "This is in another language than the passage: it was checked for numbers and names, dates and quoted words only, "
    "not for what it says."
)
_WEEKDAYS = {
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miercoles jueves viernes sabado domingo",
    "it": "lunedi martedi mercoledi giovedi venerdi sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "sv": "mandag tisdag onsdag torsdag fredag lordag sondag",
}
_MONTHS = {
    "de": "januar februar marz april mai juni juli august september oktober november dezember",
    "fr": "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pt": "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
}
_ENGLISH_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# How the words for a thousand, a million and a billion begin, in any of the languages.
_SCALES = (
    (r"mil(le|a)?$|tau|tus|tys|duiz|bin$|тыс|тис", 1e3),
    (r"mil(l|j|io|ho|y)|mio|mln|млн|мил|міл", 1e6),
    (r"mil(l)?iar|mrd|mld|md$|bil|мил+иард|мільярд|млрд", 1e9),
)
_EAST_ASIAN_SCALE = re.compile("[万億亿萬만억]")
_EXACT_WORDS = 3


def missing_abroad(claim: Facts, source: Facts, language: str) -> str:
    """The fault where a sentence in `language` has a number, date or quotation that its source has not; or ""."""
    words = [word.plain for word in source.words]
    for quoted in claim.quoted:
        told = len(quoted.words) >= _EXACT_WORDS and _is_untranslated(quoted.words, words)
        if told and not all(
            holds_words(words, tuple(plain_words(piece))) for piece in re.split(r"…|\.{3}", quoted.text)
        ):
            return f"The passage does not have the words “{quoted.text}”."
    known = _values(source)
    for at, word in enumerate(claim.words):
        if not word.plain[:1].isdigit() or _EAST_ASIAN_SCALE.match(claim.text[word.end :].lstrip()):
            continue
        if not any(abs(value - other) <= 1e-6 * other for value in _readings(claim.words, at) for other in known):
            return f"The passage does not have the number {word.text}."
    return _missing_date(claim, source, language) or _mixed_name(claim, source)


def _is_untranslated(quoted: tuple[str, ...], source: list[str]) -> bool:
    """Whether quoted words are in the source's language: most are the source's, or are English."""
    known = [word for word in quoted if word in source or seen_in_lower_case(word)]
    return 2 * len(known) > len(quoted)


def _values(source: Facts) -> set[float]:
    """Every number of the source, in days of months, years and times too."""
    values = {value for number in source.numbers for value in (number.low, number.high)}
    values |= {float(date.day) for date in source.dates}
    for at, word in enumerate(source.words):
        if word.plain[:1].isdigit():
            values |= _readings(source.words, at, scaled=False)
    if re.search(r"\bp\.?m\b", source.text, re.IGNORECASE):
        values |= {value + 12 for value in values if value < 12}
    return values | {1.0}


def _readings(words: tuple[Word, ...], place: int, *, scaled: bool = True) -> set[float]:
    """What digits may mean: `2,4` and `2.4` are one number, `1.200` is 1200 or 1.2, `240 Millionen` is 240 million."""
    written = words[place].plain.replace(":", ".")
    forms = {re.sub(r"[.,]", "", written), written.replace(",", "")}
    forms |= {written.replace(".", "").replace(",", "."), written.replace(",", ".")}
    values = {float(form) for form in forms if form.count(".") <= 1}
    after = [word.plain for word in words[place + 1 : place + 3]] if scaled else []
    size = 1.0
    for plain in after:
        step = next((value for start, value in reversed(_SCALES) if re.match(start, plain)), 0.0)
        if not step:
            break
        size *= step
    return {value * size for value in values}


def _missing_date(claim: Facts, source: Facts, language: str) -> str:
    days = _WEEKDAYS.get(language, "").split()
    months = _MONTHS.get(language, "").split()
    for word in claim.words:
        if word.plain in days:
            day = _ENGLISH_WEEKDAYS[days.index(word.plain)]
            if not any(date.weekday == day for date in source.dates):
                return f"The passage does not have the date {word.text}."
        elif word.plain in months and not _has_month(source.dates, months.index(word.plain) + 1):
            return f"The passage does not have the date {word.text}."
    return ""


def _mixed_name(claim: Facts, source: Facts) -> str:
    """The fault where a name, spelt alike, is made of two people's: `Edda Tosk` of Edda Lorn and Mirela Tosk."""
    for name in claim.names:
        *firsts, last = name.parts
        having = [other.parts for other in source.names if last in other.parts and len(other.parts) > 1]
        others = [other.parts for other in source.names if firsts[-1:] and firsts[-1] in other.parts[:-1]]
        if having and others and not any(firsts[-1] in parts for parts in having):
            return f"The passage does not name {name.text}."
    return ""


def _has_month(dates: tuple[Date, ...], month: int) -> bool:
    return any(date.month == month for date in dates)
