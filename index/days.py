"""Days: the calendar days that a text names in full, with their year; nothing is guessed."""

import re
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})\b"
_FORMS = (
    re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)"),
    re.compile(rf"\b{_MONTH}\s+{_DAY},?\s+{_YEAR}", re.IGNORECASE),
    re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}", re.IGNORECASE),
)


def days_named(text: str) -> list[str]:
    """The days a text names, as ISO dates in its order, each once: `October 6, 2023`, `6 Oct 2023`, `2023-10-06`."""
    found = sorted((match for form in _FORMS for match in form.finditer(text)), key=lambda match: match.start())
    days = (_read_day(match["year"], match["month"], match["day"]) for match in found)
    return list(dict.fromkeys(day for day in days if day))


def _read_day(year: str, month: str, day: str) -> str:
    """An ISO date from its parts, or nothing where the calendar has no such day."""
    number = _MONTHS.get(month.lower()) or int(month)
    try:
        return date(int(year), number, int(day)).isoformat()
    except ValueError:
        return ""
