"""Facts: the numbers, dates, names and quoted words of a sentence, normalised so that two spellings compare equal.

English news text; no language model. `find_facts` reads them out of a text; `number_says`, `date_says` and
`name_says` tell whether one from a source says what one from a sentence claims.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from nltk.stem.snowball import EnglishStemmer

from index.sentences import seen_in_lower_case, split_sentences

_WORD = re.compile(r"(?:[A-Z]\.){2,}|[€£$¥%]|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_STEMMER = EnglishStemmer()


def _listed(words: str) -> list[str]:
    return words.split()


FUNCTION_WORDS = frozenset(
    _listed("""a about above after again against all also although am among an and another any are as at be because
    been before being below between both but by can could did do does doing down during each either even ever every few
    for from further had has have having he her here hers herself him himself his how however i if in into is it its
    itself just like many may me might more most much must my neither no nor not of off on once only onto or other our
    ours out
    over own per rather same shall she should since so some such than that the their theirs them themselves then there
    these they this those though through thus to too toward towards under until up upon us very was we were what when
    where whether which while who whom whose why will with within without would yet you your""")
)

_ONES = {
    word: value
    for value, word in enumerate(
        _listed("""zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""")
    )
}
_TENS = {
    word: 10 * value for value, word in enumerate(_listed("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        _listed("""
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
    "dollars": "USD", "usd": "USD", "¥": "JPY", "yen": "JPY", "second": "second", "seconds": "second", "sec": "second",
    "minute": "minute", "minutes": "minute", "min": "minute", "mins": "minute", "hour": "hour", "hours": "hour",
    "hr": "hour", "hrs": "hour", "day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month",
    "months": "month", "year": "year", "years": "year", "decade": "decade", "decades": "decade", "century": "century",
    "centuries": "century", "km": "km", "kilometre": "km", "kilometres": "km", "kilometer": "km", "kilometers": "km",
    "mile": "mile", "miles": "mile", "metre": "metre", "metres": "metre", "meter": "metre", "meters": "metre",
    "cm": "cm", "foot": "foot", "feet": "foot", "ft": "foot", "inch": "inch", "inches": "inch", "kg": "kg",
    "kilogram": "kg", "kilograms": "kg", "tonne": "tonne", "tonnes": "tonne", "ton": "tonne", "tons": "tonne",
    "degree": "degree", "degrees": "degree",
}  # fmt: skip
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

WEEKDAYS = frozenset(_listed("monday tuesday wednesday thursday friday saturday sunday"))
_MONTHS = {
    name: value
    for value, names in enumerate(
        _listed(
            """january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sept/sep
            october/oct november/nov december/dec"""
        ),
        1,
    )
    for name in names.split("/")
}
_AMBIGUOUS_MONTHS = {"may", "march", "mar", "jan", "jun", "dec", "sep", "august"}
_BEFORE_MONTH = {"in", "since", "until", "till", "by", "of", "last", "next", "this", "early", "late", "mid", "from"}

TITLES = frozenset(
    _listed("""
    president prime minister chancellor secretary general mr mrs ms dr sir lord lady king queen prince princess pope
    senator governor mayor judge justice chief director chairman chairwoman spokesman spokeswoman spokesperson
    ambassador envoy special foreign affairs adviser advisor commissioner captain colonel sergeant lieutenant major
    commander professor prof rev reverend sen gov rep gen col sgt lt capt""")
)
_DIRECTIONS = frozenset({"north", "south", "east", "west"})
_NAME_LINKS = {
    "of",
    "de",
    "del",
    "della",
    "di",
    "da",
    "du",
    "la",
    "le",
    "von",
    "van",
    "der",
    "den",
    "al",
    "el",
    "bin",
    "ibn",
}
# Spellings that no rule of letters brings together.
_SAME_NAME = {
    "us": "unitedstates", "usa": "unitedstates", "america": "unitedstates", "american": "unitedstates",
    "americans": "unitedstates", "washington": "unitedstates", "uk": "unitedkingdom", "britain": "unitedkingdom",
    "british": "unitedkingdom", "briton": "unitedkingdom", "britons": "unitedkingdom", "england": "england",
    "english": "england", "eu": "europeanunion", "un": "unitednations", "kiev": "kyiv", "kharkov": "kharkiv",
    "odessa": "odesa", "lvov": "lviv", "french": "france", "frenchman": "france", "dutch": "netherlands",
    "holland": "netherlands", "spanish": "spain", "spaniard": "spain", "polish": "poland", "swiss": "switzerland",
    "danish": "denmark", "swedish": "sweden", "finnish": "finland", "greek": "greece", "turkish": "turkey",
    "turkiye": "turkey", "chinese": "china", "irish": "ireland", "welsh": "wales", "scottish": "scotland",
    "norwegian": "norway", "burma": "myanmar", "german": "germany", "germans": "germany", "italian": "italy",
    "italians": "italy", "japanese": "japan", "portuguese": "portugal", "belgian": "belgium", "israeli": "israel",
    "iraqi": "iraq", "iranian": "iran", "brazilian": "brazil", "canadian": "canada", "hungarian": "hungary",
    "romanian": "romania", "russian": "russia", "russians": "russia", "ukrainian": "ukraine", "ukrainians": "ukraine",
    "european": "europe", "europeans": "europe",
}  # fmt: skip
_LONG_FORMS: dict[tuple[str, ...], str] = {
    ("united", "states"): "unitedstates", ("united", "kingdom"): "unitedkingdom", ("great", "britain"): "unitedkingdom",
    ("european", "union"): "europeanunion", ("united", "nations"): "unitednations",
}  # fmt: skip
# A government is named by its capital or palace.
_STANDS_FOR = {
    "moscow": "russia", "kremlin": "russia", "kyiv": "ukraine", "london": "unitedkingdom", "paris": "france",
    "berlin": "germany", "beijing": "china", "tehran": "iran", "brussels": "europeanunion",
}  # fmt: skip

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|«([^«»]+)»|(?<!\w)‘([^‘]+?)’(?!\w)|(?<![\w'])'([^']{8,}?)'(?!\w)")
_MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word, number or sign of a text.

    Attributes:
        text: as written.
        plain: lower case, no accents, no possessive `'s`, no dots.
        stem: `plain` without its ending.
        start: first character in the text.
        end: one past the last.
        sentence: which sentence of the text it is in, from 0.
        initial: it begins a sentence or a quotation.
    """

    text: str
    plain: str
    stem: str
    start: int
    end: int
    sentence: int
    initial: bool

    @property
    def capital(self) -> bool:
        """Whether it is written with a capital first letter."""
        return self.text[0].isupper()

    @property
    def content(self) -> bool:
        """Whether it carries meaning of its own."""
        return (self.plain not in FUNCTION_WORDS and len(self.plain) > 1) or self.plain.isdigit()


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


@dataclass(frozen=True, slots=True)
class Date:
    """A weekday, or a day, a month or a year as far as the text states them."""

    weekday: str
    month: int
    day: int
    text: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name without titles; `parts` are normalised with `spell`."""

    parts: tuple[str, ...]
    text: str
    first: int
    last: int
    certain: bool


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words in quotation marks, plain; `text` as written."""

    words: tuple[str, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text states that can be compared by code."""

    text: str
    words: tuple[Word, ...]
    numbers: tuple[Number, ...]
    dates: tuple[Date, ...]
    names: tuple[Name, ...]
    quoted: tuple[Quoted, ...]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The word without its ending (Snowball); British -ise and -our go with American -ize and -or."""
    word = re.sub(r"isation", "ization", word)
    word = re.sub(r"is(e|ed|es|ing)$", r"iz\1", word) if len(word) > 6 else word
    word = re.sub(r"our(s|ed|ing)?$", r"or\1", word) if len(word) > 5 else word
    return str(_STEMMER.stem(word))


@lru_cache(maxsize=50_000)
def _plain(word: str) -> str:
    straight = word.replace("’", "'").lower()
    bare = re.sub(r"'s?$", "", straight)
    folded = unicodedata.normalize("NFKD", bare)
    return (
        "".join(char for char in folded if not unicodedata.combining(char)).replace(".", "")
        if (not bare[:1].isdigit())
        else bare
    )


@lru_cache(maxsize=50_000)
def spell(word: str) -> str:
    """A name's word in one spelling: `Zelenskyy`, `Zelenskiy` and `Zelensky` give the same."""
    plain = re.sub(r"[yij]+", "i", _SAME_NAME.get(word, word))
    plain = plain.replace("kh", "h").replace("ou", "u").replace("w", "v").replace("ck", "k")
    return re.sub(r"(.)\1+", r"\1", plain)


def without_markers(text: str) -> str:
    """The text without its citation markers."""
    return _MARKER.sub("", text).strip()


@lru_cache(maxsize=4096)
def find_facts(text: str) -> Facts:
    """Read a text's facts; the same text is read once."""
    words = tuple(_words(text))
    dates, taken = _dates(text, words)
    numbers = _numbers(text, words, taken)
    counted = taken | {place for number in numbers for place in range(number.first, number.last + 1)}
    return Facts(text, words, tuple(numbers), tuple(dates), tuple(_names(text, words, counted)), tuple(_quoted(text)))


def _words(text: str) -> list[Word]:
    found = []
    spans = split_sentences(text)
    for number, (start, end) in enumerate(spans):
        previous = -1
        for match in _WORD.finditer(text, start, end):
            opens = previous < 0 or bool(re.search(r"[“\"«‘:]\s*$|^\W*[.!?]\W*$", text[previous : match.start()]))
            plain = _plain(match.group())
            found.append(Word(match.group(), plain, stem(plain), match.start(), match.end(), number, opens))
            previous = match.end()
    return found


# Numbers


def _numbers(text: str, words: tuple[Word, ...], taken: set[int]) -> list[Number]:
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
    if word.plain in _ONES or word.plain in _TENS:
        return _spelled(text, words, place)
    if word.plain in _ORDINALS and word.plain != "first":
        return float(_ORDINALS[word.plain]), float(_ORDINALS[word.plain]), True, place
    if word.plain == "a" and place + 1 < len(words) and words[place + 1].plain in {"decade", "century"}:
        return 1.0, 1.0, False, place
    if (
        word.plain in {"a", "an"}
        and place + 1 < len(words)
        and words[place + 1].plain in {"hundred", "thousand", "million", "billion", "dozen"}
    ):
        half = place > 0 and words[place - 1].plain == "half"
        value, last = _scaled(text, words, place + 1, 0.5 if half else 1.0, place)
        return value, value, False, last
    return None


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
    if written.count(".") > 1 or "," in written:
        return None
    value = float(written)
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
        unit, last = _unit_after(text, words, last)
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
    if source.ordinal != claim.ordinal or (claim.unit and source.unit != claim.unit):
        return False
    if claim.low == claim.high and source.low == source.high:
        near = 0.05 if claim.bound == "about" or source.bound == "about" else 0.0
        if abs(source.low - claim.low) <= near * max(source.low, claim.low):
            return True
        if claim.bound == "above":
            return claim.low <= source.low <= 1.5 * claim.low
        return claim.bound == "below" and 0.5 * claim.low <= source.low <= claim.low
    if source.low == source.high:
        return claim.low <= source.low <= claim.high
    return claim.low <= source.low and source.high <= claim.high


# Dates


def _dates(text: str, words: tuple[Word, ...]) -> tuple[list[Date], set[int]]:
    dates: list[Date] = []
    taken: set[int] = set()
    for place, word in enumerate(words):
        if place in taken:
            continue
        if word.plain in WEEKDAYS or (word.plain.endswith("s") and word.plain[:-1] in WEEKDAYS and word.capital):
            dates.append(Date(word.plain.removesuffix("s"), 0, 0, word.text, place, place))
            taken.add(place)
        elif word.plain in _MONTHS and word.capital:
            date = _month(text, words, place)
            if date is not None:
                dates.append(date)
                taken.update(range(date.first, date.last + 1))
    return dates, taken


def _day_of(word: Word) -> int:
    match = re.fullmatch(r"(\d{1,2})", word.plain)
    return int(match.group()) if match and 1 <= int(match.group()) <= 31 else 0


def _month(text: str, words: tuple[Word, ...], place: int) -> Date | None:
    """`15 December`, `the 15th of December`, `Dec. 15`, or the month alone."""
    month, first, last, day = _MONTHS[words[place].plain], place, place, 0
    at = place - 1
    if at >= 0 and words[at].plain == "of":
        at -= 1
    if at >= 0 and words[at].plain in {"st", "nd", "rd", "th"}:
        at -= 1
    if at >= 0 and _day_of(words[at]) and "," not in text[words[at].end : words[place].start]:
        day, first = _day_of(words[at]), at
    elif place + 1 < len(words) and _day_of(words[place + 1]):
        day, last = _day_of(words[place + 1]), place + 1
        if last + 1 < len(words) and words[last + 1].plain in {"st", "nd", "rd", "th"}:
            last += 1
    alone = not day and words[place].plain in _AMBIGUOUS_MONTHS
    if alone and not (place and words[place - 1].plain in _BEFORE_MONTH) and not _year_follows(words, place):
        return None
    return Date("", month, day, text[words[first].start : words[last].end], first, last)


def _year_follows(words: tuple[Word, ...], place: int) -> bool:
    return place + 1 < len(words) and re.fullmatch(r"(1[5-9]|20)\d\d", words[place + 1].plain) is not None


def date_says(source: Date, claim: Date) -> bool:
    """Whether a source's date carries a claimed one; a claimed month is carried by any of its days."""
    if claim.weekday:
        return source.weekday == claim.weekday
    return source.month == claim.month and claim.day in {0, source.day}


# Names


def _names(text: str, words: tuple[Word, ...], taken: set[int]) -> list[Name]:
    names: list[Name] = []
    place = 0
    while place < len(words):
        if place in taken or not _may_be_name(words, place):
            place += 1
            continue
        last = place
        while last + 1 < len(words) and last + 1 not in taken and _goes_on(text, words, last):
            last += 1
        while last > place and words[last].plain in _NAME_LINKS:
            last -= 1
        names.extend(_split_name(text, words, place, last))
        place = last + 1
    return names


def _may_be_name(words: tuple[Word, ...], place: int) -> bool:
    word = words[place]
    return (
        word.capital
        and len(word.plain) > 1
        and word.plain not in _DIRECTIONS
        and (word.plain not in FUNCTION_WORDS or word.text in {"US", "U.S."})
    )


def _goes_on(text: str, words: tuple[Word, ...], last: int) -> bool:
    """Whether the next word belongs to the same run of capitals."""
    here, after = words[last], words[last + 1]
    if here.sentence != after.sentence or text[here.end : after.start].strip(" -–."):
        return False
    if here.text.lower().endswith(("'s", "’s")):
        return False
    if after.capital:
        return not after.initial and after.plain not in FUNCTION_WORDS
    if after.plain not in _NAME_LINKS or (here.initial and after.plain == "of"):
        return False
    return any(later.capital and later.sentence == here.sentence for later in words[last + 2 : last + 4])


def _split_name(text: str, words: tuple[Word, ...], first: int, last: int) -> list[Name]:
    """Cut a run of capitals at titles, countries and acronyms: `US President Donald Trump` holds two names."""
    runs: list[list[int]] = [[]]
    place = first
    while place <= last:
        word = words[place]
        pair = (word.plain, words[place + 1].plain) if place < last else ("", "")
        if pair in _LONG_FORMS:
            runs += [[place, place + 1], []]
            place += 2
            continue
        if word.plain in TITLES:
            runs.append([])
        elif word.plain in _SAME_NAME or (word.text.isupper() and len(word.plain) > 1):
            runs += [[place], []]
        else:
            runs[-1].append(place)
        place += 1
    return [name for run in runs if (name := _name_of(text, words, run)) is not None]


def _name_of(text: str, words: tuple[Word, ...], run: list[int]) -> Name | None:
    run = [place for place in run if words[place].plain not in _NAME_LINKS]
    if not run:
        return None
    plains = tuple(words[place].plain for place in run)
    parts = tuple(spell(plain) for plain in ((_LONG_FORMS[plains],) if plains in _LONG_FORMS else plains))
    certain = any(not words[place].initial or not seen_in_lower_case(words[place].plain) for place in run)
    written = re.sub(r"['’]s?$", "", text[words[run[0]].start : words[run[-1]].end])
    return Name(parts, written, run[0], run[-1], certain)


@lru_cache(maxsize=1)
def _capitals() -> dict[str, str]:
    return {spell(capital): spell(country) for capital, country in _STANDS_FOR.items()}


def _stands_for(word: str) -> str:
    return _capitals().get(word, word)


def same_spelling(left: str, right: str) -> bool:
    """Whether two normalised name words are one name: equal, a demonym of it, or one letter apart in a long word."""
    if left == right or _stands_for(left) == _stands_for(right):
        return True
    short, long = sorted((left, right), key=len)
    if (
        len(short) >= 4
        and long.startswith(short[:-1])
        and re.fullmatch(r"(a|e|i)?(n|ns|an|ans|ian|ians|ish|ese|i|is|s)", long[len(short) - 1 :])
    ):
        return True
    return len(short) >= 6 and len(long) - len(short) <= 1 and _one_edit(short, long)


def _one_edit(short: str, long: str) -> bool:
    """Whether one letter changed, added or dropped inside the word makes one of the other."""
    at = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if at == 0:
        return False
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


# Quoted words


def _quoted(text: str) -> list[Quoted]:
    found = []
    for match in _QUOTED.finditer(text):
        inside = next(group for group in match.groups() if group is not None)
        words = tuple(plain_words(inside))
        if words:
            found.append(Quoted(words, inside, match.start(), match.end()))
    return found


def plain_words(text: str) -> list[str]:
    """The words of a text, plain, in order: what two texts are compared by, letter case and signs aside."""
    return [_plain(match.group()) for match in _WORD.finditer(text)]


def holds_words(words: list[str], wanted: tuple[str, ...]) -> bool:
    """Whether `wanted` stands in `words` as one unbroken stretch."""
    size = len(wanted)
    return any(tuple(words[at : at + size]) == wanted for at in range(len(words) - size + 1))
