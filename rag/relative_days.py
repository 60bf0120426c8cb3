"""Relative days: which days a question means by "yesterday", "on Monday" or "last week", where that is certain.

Such words are read from some day. Where the newest article is of today or yesterday, readers speak of today's news and
mean their own today. Otherwise they may have put themselves in the articles' time, and only if the word means the same
day read from every article is it certain. In all other cases no day is meant.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from index.days import days_named

_DAY = timedelta(days=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SUNDAY = 6
_WORDS = re.compile(
    r"\b(?P<yesterday>yesterday)\b|\b(?P<today>today)\b|\b(?P<week>last|this) week\b"
    rf"|\b(?P<weekday>{'|'.join(_WEEKDAYS)})s?\b",
    re.IGNORECASE,
)
# A weekday is a single day behind `on` or with a genitive; `every`, `next`, `since` and others mean something else.
_ON = re.compile(r"\bon\s+$", re.IGNORECASE)
_GENITIVE = re.compile(r"['’]s\b")
# Before any of these, "on Monday" may be the next one.
_AHEAD = re.compile(
    r"\b(?:will|shall|would|won['’]t|going to|due|expected|scheduled|planned|plans?|next|coming|upcoming|future"
    r"|tomorrow)\b|\b(?:is|are)\b(?!\s+said)",
    re.IGNORECASE,
)


def days_meant(question: str, published: Iterable[str | None], *, today: date) -> tuple[str, ...]:
    """The ISO dates of the articles that report on the day or week that a question means; empty where not certain.

    Reports of a day are of that day and the next.

    Args:
        question: it names no day in full and one relative day or week, else nothing is certain.
        published: the dates of the articles to be searched.
        today: the reader's.
    """
    found = list(_WORDS.finditer(question))
    if len({match.group().lower() for match in found}) != 1 or days_named(question):
        return ()
    listed = list(published)
    of_articles = {day for text in listed if text and (day := _read(text))}
    if not of_articles:
        return ()
    if today - _DAY <= max(of_articles) <= today + _DAY:
        is_sunday_today = today.weekday() == _SUNDAY and found[0]["week"]
        is_today = found[0]["weekday"] and today.weekday() == _WEEKDAYS.index(found[0]["weekday"].lower())
        readings = set() if is_sunday_today or is_today else {_read_from(found[0], question)(today)}
    elif len(of_articles) <= 7 and all(listed):  # of more days, no word means the same from all of them
        read = _read_from(found[0], question)
        readings = {read(day) for day in of_articles}
    else:
        readings = set()
    if len(readings) != 1:
        return ()
    days = {day for meant in readings.pop() for day in (meant, meant + _DAY)}
    return tuple(day.isoformat() for day in sorted(days & of_articles))


_Reading = Callable[[date], tuple[date, ...]]


def _read_from(match: re.Match[str], question: str) -> _Reading:
    """What the words mean, read from a day; nothing where they mean no single day or week."""
    if match["yesterday"]:
        return lambda day: (day - _DAY,)
    if match["today"]:
        return lambda day: (day,)
    if match["week"]:
        back = 7 if match["week"].lower() == "last" else 0
        return lambda day: _week(day - timedelta(days=back))
    wanted = _WEEKDAYS.index(match["weekday"].lower())
    is_one = _ON.search(question[: match.start()]) or _GENITIVE.match(question[match.end("weekday") :])
    if not is_one or match.group().lower() != match["weekday"].lower() or _AHEAD.search(question):
        return lambda day: ()
    return lambda day: (day - timedelta(days=(day.weekday() - wanted) % 7),)


def _week(day: date) -> tuple[date, ...]:
    """The days that belong to a day's week whether it begins on Sunday or on Monday; none for a Sunday."""
    if day.weekday() == _SUNDAY:
        return ()
    monday = day - timedelta(days=day.weekday())
    return tuple(monday + timedelta(days=count) for count in range(_SUNDAY))


def _read(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
