"""Numbers of a text: five, 5, 5-hour, €90bn, 90 billion euros, hundreds of thousands; and when two are one."""

import math
import re
from dataclasses import dataclass

from rag.words import Word, listed, stem

_ONES = {
    word: value
    for value, word in enumerate(
        listed("""zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""")
    )
}
_TENS = {
    word: 10 * value for value, word in enumerate(listed("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        listed("""
        first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
        fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"""),
        1,
    )
}
_SCALES = {
    "dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
    "k": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12,
}  # fmt: skip
_WRITTEN_ON = {"k", "m", "b"}  # one letter is a scale only where it touches its number
_VAGUE = {"dozens": 12.0, "hundreds": 1e2, "thousands": 1e3, "millions": 1e6, "billions": 1e9, "tens": 10.0}
_UNITS = {
    "%": "percent", "percent": "percent", "pct": "percent", "€": "EUR", "euro": "EUR", "euros": "EUR", "eur": "EUR",
    "£": "GBP", "pound": "GBP", "pounds": "GBP", "gbp": "GBP", "sterling": "GBP", "$": "USD", "dollar": "USD",
    "crown": "crown", "crowns": "crown", "krona": "crown", "kronor": "crown", "krone": "crown", "kroner": "crown",
    "rouble": "RUB", "roubles": "RUB", "ruble": "RUB", "rubles": "RUB", "hryvnia": "UAH", "hryvnias": "UAH",
    "yuan": "CNY", "rupee": "rupee", "rupees": "rupee", "zloty": "PLN", "zlotys": "PLN", "lira": "TRY",
    "franc": "franc", "francs": "franc", "peso": "peso", "pesos": "peso", "rand": "ZAR", "dinar": "dinar",
    "dinars": "dinar", "dollars": "USD", "usd": "USD", "¥": "JPY", "yen": "JPY",
    "second": "second", "seconds": "second", "sec": "second",
    "minute": "minute", "minutes": "minute", "min": "minute", "mins": "minute", "hour": "hour", "hours": "hour",
    "hr": "hour", "hrs": "hour", "day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month",
    "months": "month", "year": "year", "years": "year", "decade": "decade", "decades": "decade", "century": "century",
    "centuries": "century", "km": "km", "kilometre": "km", "kilometres": "km", "kilometer": "km", "kilometers": "km",
    "mile": "mile", "miles": "mile", "metre": "metre", "metres": "metre", "meter": "metre", "meters": "metre",
    "cm": "cm", "foot": "foot", "feet": "foot", "ft": "foot", "inch": "inch", "inches": "inch", "kg": "kg",
    "kilogram": "kg", "kilograms": "kg", "tonne": "tonne", "tonnes": "tonne", "ton": "tonne", "tons": "tonne",
    "degree": "degree", "degrees": "degree", "celsius": "degree", "litre": "litre", "litres": "litre",
    "liter": "litre", "liters": "litre", "gallon": "gallon", "gallons": "gallon", "barrel": "barrel",
    "barrels": "barrel", "hectare": "hectare", "hectares": "hectare", "acre": "acre", "acres": "acre",
    "watt": "watt", "watts": "watt", "kilowatt": "kW", "kilowatts": "kW", "kw": "kW", "megawatt": "MW",
    "megawatts": "MW", "mw": "MW", "gigawatt": "GW", "gigawatts": "GW", "gw": "GW", "gram": "gram", "grams": "gram",
    "gramme": "gram", "grammes": "gram", "millimetre": "mm", "millimetres": "mm", "millimeter": "mm",
    "millimeters": "mm", "mm": "mm", "centimetre": "cm", "centimetres": "cm", "centimeter": "cm", "centimeters": "cm",
    "yard": "yard", "yards": "yard", "tugrik": "MNT", "tugriks": "MNT", "shilling": "shilling",
    "shillings": "shilling",
}  # fmt: skip
_POWERS = {"square", "cubic"}
_UNIT_STEMS = {stem(word): unit for word, unit in _UNITS.items()}
# Money may go unsaid in words (`a 240-million bridge`); what else has a unit counts no other thing.
_CURRENCIES = {"EUR", "GBP", "USD", "JPY", "crown", "RUB", "UAH", "CNY", "rupee", "PLN", "TRY", "franc", "peso", "ZAR",
               "dinar", "MNT", "shilling"}  # fmt: skip
# How far a rounded number may be from what it is rounded from, as a share.
_ROUNDED = 0.1
_ABOUT = {"about", "around", "approximately", "roughly", "nearly", "almost", "some", "close"}
_ABOVE = {
    ("more", "than"),
    ("greater", "than"),
    ("at", "least"),
    ("no", "fewer"),
    ("not", "less"),
    ("over",),
    ("above",),
}
_BELOW = {("less", "than"), ("fewer", "than"), ("at", "most"), ("up", "to"), ("under",), ("below",)}


@dataclass(frozen=True, slots=True)
class Number:
    """A number: exact where `low == high`; `first` and `last` are its first and last word's places."""

    low: float
    high: float
    unit: str
    ordinal: bool
    bound: str
    noun: tuple[str, ...]
    text: str
    first: int
    last: int


def read_numbers(text: str, words: tuple[Word, ...], taken: set[int]) -> list[Number]:
    """The numbers of a text, in order; words in places that are taken belong to none."""
    numbers: list[Number] = []
    place = 0
    while place < len(words):
        found = None if place in taken else _number_at(text, words, place)
        if found is None:
            place += 1
        else:
            numbers.append(found)
            place = found.last + 1
    return _share_units(text, words, numbers)


def _touches(text: str, left: Word, right: Word, *, by: str = "") -> bool:
    gap = text[left.end : right.start]
    return gap == "" or (bool(by) and all(char in by for char in gap))


def _value(text: str, words: tuple[Word, ...], place: int) -> tuple[float, float, bool, int] | None:
    """The number that begins at `place`: low, high, ordinal, place of its last word."""
    word = words[place]
    if word.plain[0].isdigit():
        return _digits(text, words, place)
    if word.plain in _VAGUE:
        return _vague(words, place)
    if word.plain in {"decades", "centuries"} and place and text[words[place - 1].end : word.start].isspace():
        return 2.0, 9.9, False, place - 1  # the word is its own unit
    if word.plain in _ONES or word.plain in _TENS:
        return _spelled(text, words, place)
    if word.plain in _ORDINALS and word.plain != "first":
        return float(_ORDINALS[word.plain]), float(_ORDINALS[word.plain]), True, place
    if word.plain == "a" and place + 1 < len(words) and words[place + 1].plain in {"decade", "century"}:
        return 1.0, 1.0, False, place
    if (
        word.plain == "a"
        and place + 2 < len(words)
        and (words[place + 1].plain, words[place + 2].plain) == ("hundred", "and")
    ):
        return _spelled(text, words, place)
    if (
        word.plain in {"a", "an"}
        and place + 1 < len(words)
        and words[place + 1].plain in {"hundred", "thousand", "million", "billion", "dozen"}
    ):
        half = place > 0 and words[place - 1].plain == "half"
        value, last = _scaled(text, words, place + 1, 0.5 if half else 1.0, place)
        return value, value, False, last
    return None


def _fraction(plain: str) -> float:
    """The value of `½` and its like, whose plain form is `1⁄2`; 0 for anything else."""
    parts = re.fullmatch(r"(\d+)⁄([1-9]\d*)", plain)
    return int(parts[1]) / int(parts[2]) if parts else 0.0


def _digits(text: str, words: tuple[Word, ...], place: int) -> tuple[float, float, bool, int] | None:
    written = words[place].plain
    if ":" in written:
        return None
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", written):
        written = written.replace(",", "")
    elif re.fullmatch(r"\d{1,3}(\.\d{3}){2,}", written):
        written = written.replace(".", "")
    elif re.fullmatch(r"\d+,\d+", written):
        written = written.replace(",", ".")
    if fraction := _fraction(written):
        value, last = _scaled(text, words, place + 1, fraction, place)
        return value, value, False, last
    if not re.fullmatch(r"\d*\.?\d+", written):  # "1.2.3"
        return None
    value = float(written)
    if place + 1 < len(words) and _touches(text, words[place], words[place + 1]):
        value += (part := _fraction(words[place + 1].plain))
        place += part > 0
    if place + 1 < len(words) and _touches(text, words[place], words[place + 1]):
        after = words[place + 1].plain
        if after in {"st", "nd", "rd", "th"}:
            return value, value, True, place + 1
        if after == "s":
            return value, value + 9, False, place + 1
    value, last = _scaled(text, words, place + 1, value, place)
    return value, value, False, last


def _scaled(text: str, words: tuple[Word, ...], place: int, value: float, last: int) -> tuple[float, int]:
    """Multiply by the scales that follow: `2 hundred thousand`."""
    while place < len(words) and words[place].plain in _SCALES:
        touching = _touches(text, words[place - 1], words[place])
        if words[place].plain in _WRITTEN_ON and not touching:
            break
        if not touching and not re.fullmatch(r"[\s-]+", text[words[place - 1].end : words[place].start]):
            break
        value *= _SCALES[words[place].plain]
        last = place
        place += 1
    return value, last


def _vague(words: tuple[Word, ...], place: int) -> tuple[float, float, bool, int]:
    """`hundreds of thousands`: from twice the magnitude to just under the next."""
    size, last = _VAGUE[words[place].plain], place
    while last + 2 < len(words) and words[last + 1].plain == "of" and words[last + 2].plain in _VAGUE:
        size *= _VAGUE[words[last + 2].plain]
        last += 2
    return 2 * size, (10 if last > place or size <= 100 else 1000) * size - 1, False, last


def _spelled(text: str, words: tuple[Word, ...], place: int) -> tuple[float, float, bool, int] | None:
    """`twenty-five`, `two hundred and five`, `one million`; a lone `one` is a pronoun more often than a number."""
    total, group, last, at = 0.0, 0.0, place, place
    while at < len(words):
        plain = words[at].plain
        if at > place and not re.fullmatch(r"[\s-]+", text[words[at - 1].end : words[at].start]):
            break
        if plain in _TENS and group % 100 == 0:
            group += _TENS[plain]
        elif at == place and plain == "a":
            group = 1.0
        elif plain in _ONES and ((group % 100 >= 20 and group % 10 == 0) or group % 100 == 0):
            group += _ONES[plain]
        elif plain in _ORDINALS and group % 100 >= 20 and group % 10 == 0 and _ORDINALS[plain] < 10:
            return total + group + _ORDINALS[plain], total + group + _ORDINALS[plain], True, at
        elif plain == "hundred" and 0 < group < 100:
            group *= 100
        elif plain in _SCALES and plain not in _WRITTEN_ON and group:
            total, group = total + group * _SCALES[plain], 0.0
        elif not (plain == "and" and (group % 100 == 0 or total) and at + 1 < len(words)
                  and words[at + 1].plain in _ONES.keys() | _TENS.keys() and group >= 100):  # fmt: skip
            break
        if plain != "and":
            last = at
        at += 1
    if last == place and words[place].plain == "one":
        follows = words[place + 1].plain if place + 1 < len(words) else ""
        if follows not in _UNITS:
            return None
    return total + group, total + group, False, last


def _number_at(text: str, words: tuple[Word, ...], place: int) -> Number | None:
    first, unit = place, ""
    if words[place].plain in {"€", "£", "$", "¥", "eur", "usd", "gbp"}:
        unit = _UNITS[words[place].plain]
        place += 1
        if place >= len(words) or not words[place].plain[0].isdigit():
            return None
    found = _value(text, words, place)
    if found is None:
        return None
    low, high, ordinal, last = found
    if not unit and not ordinal:
        # `hundreds of years`
        of = low != high and last + 1 < len(words) and words[last + 1].plain == "of"
        unit, end = _unit_after(text, words, last + of)
        last = end if unit else last
    if unit in {"decade", "century"}:
        size = 10.0 if unit == "decade" else 100.0
        low, high, unit = low * size, high * size, "year"
    noun = tuple(_counted(text, words, last + 1))
    return Number(low, high, unit, ordinal, _bound(words, first), noun,
                  text[words[first].start : words[last].end], first, last)  # fmt: skip


def _unit_after(text: str, words: tuple[Word, ...], last: int) -> tuple[str, int]:
    if last + 1 >= len(words):
        return "", last
    gap, plain = text[words[last].end : words[last + 1].start], words[last + 1].plain
    if not re.fullmatch(r"[\s-]*", gap):
        return "", last
    if plain == "per" and last + 2 < len(words) and words[last + 2].plain == "cent":
        return "percent", last + 2
    if plain in {"us", "u.s"} and last + 2 < len(words) and words[last + 2].plain in {"dollar", "dollars"}:
        return "USD", last + 2
    if plain in _POWERS and last + 2 < len(words) and words[last + 2].plain in _UNITS:
        return f"{plain} {_UNITS[words[last + 2].plain]}", last + 2
    return (_UNITS[plain], last + 1) if plain in _UNITS else ("", last)


def _counted(text: str, words: tuple[Word, ...], place: int) -> list[str]:
    """Stems of up to three words that the number counts: `235 Ukrainian drones` -> ukrainian, drone."""
    stems: list[str] = []
    if place < len(words) and words[place].plain == "of":
        place += 1
    while place < len(words) and len(stems) < 3 and words[place].content:
        if not re.fullmatch(r"[\s-]*", text[words[place - 1].end : words[place].start]):
            break
        stems.append(words[place].stem)
        place += 1
    return stems


def _bound(words: tuple[Word, ...], first: int) -> str:
    """`about`, `above`, `below` or empty, from the words before the number."""
    before = tuple(word.plain for word in words[max(0, first - 2) : first])
    if before[-1:] and before[-1] in _ABOUT:
        return "about"
    for known, bound in ((_ABOVE, "above"), (_BELOW, "below")):
        if before in known or before[-1:] in known:
            return bound
    return ""


def _share_units(text: str, words: tuple[Word, ...], numbers: list[Number]) -> list[Number]:
    """In `5 to 10 hours` both are hours."""
    for at in range(len(numbers) - 2, -1, -1):
        here, after = numbers[at], numbers[at + 1]
        between = text[words[here.last].end : words[after.first].start].strip().lower()
        if not here.unit and after.unit and between in {"-", "–", "to", "and", "or"}:
            numbers[at] = Number(here.low, here.high, after.unit, here.ordinal, here.bound, after.noun, here.text,
                                 here.first, here.last)  # fmt: skip
    return numbers


def number_says(source: Number, claim: Number) -> bool:
    """Whether a source's number carries a claimed one: same size, same unit, and no more precise than the source."""
    if source.ordinal != claim.ordinal or (claim.unit and source.unit != claim.unit) or _counts_things(source, claim):
        return False
    if {source.bound, claim.bound} == {"above", "below"}:
        return False
    if claim.low == claim.high and source.low == source.high:
        if source.low == claim.low or ("about" in {claim.bound, source.bound} and _rounds(source.low, claim.low)):
            return True
        if claim.bound == source.bound:
            return False
        if claim.bound == "above":
            return claim.low <= source.low <= 1.5 * claim.low
        return claim.bound == "below" and 0.5 * claim.low <= source.low <= claim.low
    if source.low == source.high:
        return claim.low <= source.low <= claim.high
    return claim.low <= source.low and source.high <= claim.high


def is_year(number: Number) -> bool:
    """Whether a number may be a year and counts nothing."""
    return not number.unit and not number.noun and number.low == number.high and 1500 <= number.low <= 2100


def _rounds(source: float, claim: float) -> bool:
    """Whether a claimed number is the source's with fewer digits that count: 80 of 78.6, not 525 of 515."""
    if not claim or not source or abs(source - claim) > _ROUNDED * max(source, claim):
        return False
    digits = len(f"{claim:.6g}".replace(".", "").split("e")[0].strip("0"))
    return math.isclose(float(f"{source:.{digits}g}"), claim)


def _counts_things(source: Number, claim: Number) -> bool:
    """Whether the claim counts things and the source measures: `four parties` is not `4 percent`."""
    if not source.unit or claim.unit or not claim.noun or source.unit in _CURRENCIES:
        return False
    return source.unit not in {_UNIT_STEMS.get(word, "") for word in claim.noun}
