"""Dates of a text: weekdays, months and days of a month, as far as the text states them."""

import re
from dataclasses import dataclass

from rag.words import Word, listed

WEEKDAYS = frozenset(listed("monday tuesday wednesday thursday friday saturday sunday"))
_MONTHS = {
    name: value
    for value, names in enumerate(
        listed(
            """january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sept/sep
            october/oct november/nov december/dec"""
        ),
        1,
    )
    for name in names.split("/")
}
_AMBIGUOUS_MONTHS = {"may", "march", "mar", "jan", "jun", "dec", "sep", "august"}
_BEFORE_MONTH = {"in", "since", "until", "till", "by", "of", "last", "next", "this", "early", "late", "mid", "from"}


@dataclass(frozen=True, slots=True)
class Date:
    """A weekday, or a day, a month or a year as far as the text states them."""

    weekday: str
    month: int
    day: int
    text: str
    first: int
    last: int


def read_dates(text: str, words: tuple[Word, ...]) -> tuple[list[Date], set[int]]:
    """The dates of a text, in order, and the places of their words."""
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


_RELATIVE = {"last": "last", "past": "last", "previous": "last", "final": "last", "this": "this", "current": "this",
             "next": "next", "coming": "next", "following": "next"}  # fmt: skip
_PERIODS = frozenset(listed("week month year weekend spring summer autumn winter season century decade"))
_DAYS = frozenset(listed("yesterday today tomorrow tonight"))


def read_relative(words: tuple[Word, ...]) -> dict[str, tuple[str, str]]:
    """Periods told from the day of writing, as written -> which one and of what: `next month` -> next, month."""
    found = {}
    for place, word in enumerate(words):
        if word.plain in _DAYS:
            found[word.text] = (word.plain, "day")
        elif word.plain in _PERIODS and place and words[place - 1].plain in _RELATIVE:
            before = words[place - 1]
            found[f"{before.text} {word.text}"] = (_RELATIVE[before.plain], word.plain)
    return found


def other_period(claim: tuple[Word, ...], source: tuple[Word, ...]) -> str:
    """The period that a claim tells from the day of writing and its source tells otherwise; "" where there is none."""
    theirs = set(read_relative(source).values())
    for text, period in read_relative(claim).items():
        if period not in theirs and theirs:
            return text
    return ""
