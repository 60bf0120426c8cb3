"""Matching: whether an answer says a phrase, however it writes numbers, dates, money, plurals and names.

Both sides are brought to one form by `normalise` and compared word by word, so "5" is in "five hours" and not in "15",
"5.5" or "2025". What is made equal: case, accents, quotes, hyphens, plural -s, possessives, contractions ("didn't" =
"did not"), initials ("U.S." = "US"), numbers in words and figures, thousands separators, "90bn" = "90 billion",
"€90bn" = "90 billion euros", "%" = "per cent", "December 15" = "15th of December" = "Dec. 15", "fourth" = "4th".
What is not: synonyms, other spellings of a name and the order of words; a question lists those as alternatives.
Citation markers such as `[1]`, `[1, 2]` and `【1】` are not content.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

_MARKER = re.compile(r"\s*(?:\[\^?\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*\]|【[^】]{1,20}】)")
_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "–": "-", "—": " ", "‑": "-", "−": "-"})
_CONTRACTIONS = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan(?:'t|not)\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'s\b"), ""),
    (re.compile(r"'"), ""),
)
_INITIALS = re.compile(r"(?<![a-z0-9.])((?:[a-z]\.)+[a-z])\b\.?")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
# Thousands: commas and all kinds of narrow spaces in one number; full stops only where there are two groups or more.
_COMMA_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,]*\d)")
_SPACE_GROUPS = re.compile(r"(?<!\d)\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})+(?!\d)")
_STOP_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3}){2,}(?!\d)")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d+),(\d{1,2})(?![\d,])")
_MINUS = re.compile(r"(?<![\w)])-(?=\d)")
# One letter is a scale only right after the figure: "5m" is five million, "5 m" five metres.
_SCALE_SIGN = re.compile(r"(?<=\d)(?:([kmb])|\s?(mn|mln|mio|bn|mrd|tn|trn))\b")
_SIGNS = {"k": "thousand", "m": "million", "mn": "million", "mln": "million", "mio": "million", "bn": "billion",
             "mrd": "billion", "b": "billion", "tn": "trillion", "trn": "trillion"}  # fmt: skip
_TOKEN = re.compile(
    r"\d+(?:st|nd|rd|th)\b|\d+(?::\d+)+|\d+(?:\.\d+)?|[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+"
    r"|[€£$¥%]|[,;.:!?]"
)
_BREAKS = frozenset(",;.:!?")

# fmt: off
_UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
_TENS_NAMES = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINAL_NAMES = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth",
]
_MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
]
# fmt: on
_SMALL = {word: value for value, word in enumerate(_UNITS)}
_TENS = {word: 10 * value for value, word in enumerate(_TENS_NAMES, 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = {word: value for value, word in enumerate(_ORDINAL_NAMES, 1)} | {"thirtieth": 30}
_MONTH = {month[:3]: month for month in _MONTHS} | {month: month for month in _MONTHS} | {"sept": "september"}
_CURRENCY = {"€": "euro", "eur": "euro", "euro": "euro", "euros": "euro", "£": "pound", "gbp": "pound",
             "pound": "pound", "pounds": "pound", "$": "dollar", "usd": "dollar", "dollar": "dollar",
             "dollars": "dollar", "¥": "yen", "yen": "yen"}  # fmt: skip
_UNIT_NAMES = {"h": "hour", "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute", "pct": "percent",
               "km": "kilometre", "kilometer": "kilometre", "kilometers": "kilometre"}  # fmt: skip
_NOT_PLURAL = frozenset({"does", "goes", "news", "always", "perhaps", "series"})


def normalise(text: str) -> str:
    """Bring `text` to the form in which it is compared: lower-case words and plain numbers, one space between."""
    return " ".join(_words(text))


def mentions(text: str, phrase: str) -> bool:
    """Whether `text` contains the words of `phrase` in a row, both normalised; an empty phrase is in nothing."""
    wanted = normalise(phrase)
    return bool(wanted) and f" {wanted} " in f" {normalise(text)} "


def _words(text: str) -> list[str]:
    tokens = _join_numbers(_TOKEN.findall(_plain(text)))
    tokens = [word for word in _order_dates(tokens) if word not in _BREAKS]
    return [_singular(word) for word in _name_units(tokens)]


def _plain(text: str) -> str:
    """The characters of `text`: no markers, case or accents, and every number in one way of writing."""
    text = _MARKER.sub(" ", text)
    text = _SPACE_GROUPS.sub(lambda match: re.sub(r"\D", "", match.group()), text)
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    text = "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
    text = text.translate(_PLAIN)
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    text = _INITIALS.sub(lambda match: match.group(1).replace(".", ""), text)
    text = _ISO_DATE.sub(_spell_date, text)
    text = _COMMA_GROUPS.sub(lambda match: match.group().replace(",", ""), text)
    text = _STOP_GROUPS.sub(lambda match: match.group().replace(".", ""), text)
    text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    text = _MINUS.sub("minus ", text)
    return _SCALE_SIGN.sub(lambda match: f" {_SIGNS[match.group(1) or match.group(2)]}", text)


def _spell_date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    if not 1 <= int(month) <= 12:
        return match.group()
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}"


def _is_number(word: str) -> bool:
    return word[:1].isdigit() and ":" not in word and not word.endswith("th")


def _join_numbers(tokens: Sequence[str]) -> list[str]:
    """Numbers in words and figures as figures, ordinals as `4th`."""
    joined: list[str] = []
    place = 0
    while place < len(tokens):
        after_number = bool(joined) and _is_number(joined[-1])
        value, end = _number_at(tokens, place)
        if end == place:
            joined.append(_ordinal(tokens[place], after_number=after_number))
            place += 1
            continue
        following = tokens[end] if end < len(tokens) else ""
        if tokens[end - 1] in _TENS and _ORDINALS.get(following, 10) < 10:
            joined.append(f"{int(value) + _ORDINALS[following]}th")
            end += 1
        else:
            joined.append(f"{value.normalize():f}")
        place = end
    return joined


def _ordinal(word: str, *, after_number: bool) -> str:
    if word[:1].isdigit() and word[-2:] in {"st", "nd", "rd", "th"}:
        return f"{int(word[:-2])}th"
    if word in _ORDINALS and not (word == "second" and after_number):  # a 30-second clip
        return f"{_ORDINALS[word]}th"
    return word


def _number_at(tokens: Sequence[str], start: int) -> tuple[Decimal, int]:
    """The number that begins at `start` and where it ends; it ends at `start` where there is none."""
    total = group = Decimal(0)
    last = ""  # what kind of word came before: digits, small, tens, hundred, scale
    place = end = start
    if tokens[start] == "half" and tokens[start + 1 : start + 2] == ["a"] and _scale(tokens, start + 2):
        return Decimal(_scale(tokens, start + 2)) / 2, start + 3
    if tokens[start] in {"a", "an"}:
        if not _scale(tokens, start + 1):
            return total, start
        group, last, place = Decimal(1), "small", start + 1
    while place < len(tokens):
        word = tokens[place]
        kind = _kind(word)
        if (
            word == "and"
            and last in {"hundred", "scale"}
            and _kind("".join(tokens[place + 1 : place + 2])) in {"small", "tens"}
        ):
            place += 1
            continue
        if (
            word == "and"
            and last in {"digits", "small", "tens"}
            and list(tokens[place + 1 : place + 3]) == ["a", "half"]
        ):
            group += Decimal("0.5")
            place = end = place + 3
            continue
        if kind in {"digits", "small", "tens"} and _may_follow(kind, word, last):
            group += _value(word)
        elif kind == "hundred" and last in {"digits", "small"}:
            group *= 100
        elif kind == "scale" and last and last != "scale":
            total += group * _SCALES[word]
            group = Decimal(0)
        else:
            break
        last = kind
        place = end = place + 1
    return total + group, end


def _scale(tokens: Sequence[str], place: int) -> int:
    """The size of the word hundred, thousand, million ... at `place`, or 0."""
    word = tokens[place] if place < len(tokens) else ""
    return 100 if word == "hundred" else _SCALES.get(word, 0)


def _kind(word: str) -> str:
    if word[:1].isdigit():
        return "digits" if _is_number(word) and word[-1].isdigit() else ""
    if word in _SMALL:
        return "small"
    if word in _TENS:
        return "tens"
    if word == "hundred":
        return "hundred"
    return "scale" if word in _SCALES else ""


def _value(word: str) -> Decimal:
    return Decimal(_SMALL.get(word) or _TENS.get(word) or (0 if word == "zero" else Decimal(word)))


def _may_follow(kind: str, word: str, last: str) -> bool:
    if last == "tens":
        return kind == "small" and 1 <= _SMALL[word] <= 9
    return last in {"", "scale"} or (last == "hundred" and kind != "digits")


def _order_dates(tokens: Sequence[str]) -> list[str]:
    """Days before months: `december 15`, `15th of december`, `dec. 15` all become `15 december`."""
    ordered: list[str] = []
    place = 0
    while place < len(tokens):
        for length, month_at, day_at in ((3, 2, 0), (3, 0, 2), (2, 1, 0), (2, 0, 1)):
            piece = tokens[place : place + length]
            if len(piece) < length or (length == 3 and piece[1] != ("of" if month_at == 2 else ".")):
                continue
            day = _day(piece[day_at])
            if day and piece[month_at] in _MONTH:
                ordered += [day, _MONTH[piece[month_at]]]
                place += length
                break
        else:
            ordered.append(tokens[place])
            place += 1
    return ordered


def _day(word: str) -> str:
    digits = word.removesuffix("th")
    return digits if digits.isdigit() and 1 <= int(digits) <= 31 else ""


def _name_units(tokens: Sequence[str]) -> list[str]:
    """Money as number and currency, per cent and the units after a number by one name each."""
    named: list[str] = []
    place = 0
    while place < len(tokens):
        word = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        after_number = bool(named) and _is_number(named[-1])
        if word in _CURRENCY and _is_number(following) and not after_number:
            named += [following, _CURRENCY[word]]
            place += 2
            continue
        if word == "per" and following == "cent":
            named.append("percent")
            place += 2
            continue
        if word == "us" and following in _CURRENCY:  # US$5 and 5 US dollars are dollars
            place += 1
            continue
        if word == "%":
            named.append("percent")
        else:
            named.append(_CURRENCY.get(word) or (_UNIT_NAMES.get(word, word) if after_number else word))
        place += 1
    return named


def _singular(word: str) -> str:
    """Without a plural -s, where it looks like one; the same word always gives the same form."""
    if len(word) < 4 or word in _NOT_PLURAL or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1]
