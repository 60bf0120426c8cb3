"""Facts that must occur: are a sentence's quoted words, numbers, dates and names in what it cites?"""

import re

from rag.dates import other_period
from rag.facts import (
    FUNCTION_WORDS,
    Facts,
    Name,
    date_says,
    holds_words,
    number_says,
    plain_words,
    same_spelling,
    spell,
    stem,
)
from rag.reckoning import says_age, says_pair, says_share, says_sum

_EXACT_WORDS = 3


def missing_fact(claim: Facts, source: Facts, about: Facts) -> str:
    """The fault where the sentence has a quotation, number, date or name that its source has not; "" where none is."""
    words = [word.plain for word in source.words]
    for quoted in claim.quoted:
        pieces = [plain_words(piece) for piece in re.split(r"\[[^\]]*\]|\.{3}|…", quoted.text)]
        if len(quoted.words) >= _EXACT_WORDS and not all(holds_words(words, tuple(p)) for p in pieces if p):
            return f"The passage does not have the words “{quoted.text}”."
    for number in claim.numbers:
        said = any(number_says(other, number) for other in source.numbers)
        said = said or says_pair(source.words, source.numbers, number, claim.words)
        said = said or says_share(claim, number, source) or says_age(source.numbers, number, claim.words)
        if not said and not says_sum(source.numbers, number, claim.words):
            return f"The passage does not have the number {number.text}."
    for date in claim.dates:
        if not any(date_says(other, date) for other in source.dates):
            return f"The passage does not have the date {date.text}."
    period = other_period(claim.words, source.words)
    if period:
        return f"The passage does not say “{period}”."
    for name in claim.names:
        if not _has_name(source, name) and not _has_name(about, name):
            return f"The passage does not name {name.text}."
    return ""


def _has_name(source: Facts, name: Name) -> bool:
    """Whether the source has the name: its last word (a surname) with no other first name before it, or all of it."""
    spelled = [spell(word.plain) for word in source.words] + [part for other in source.names for part in other.parts]
    found = [any(same_spelling(part, other) for other in spelled) for part in name.parts]
    if not name.certain or all(found) or _has_initials(source, name):
        return True
    if len(name.parts) == 1 and any(word.stem == stem(name.text.lower()) for word in source.words):
        return True  # `Caulking`, at a sentence's start
    return found[-1] and not _another_first_name(source, name)


def _has_initials(source: Facts, name: Name) -> bool:
    """Whether the source has the words that an acronym stands for: `MP`, `Member of Parliament`."""
    letters = name.text.replace(".", "")
    if not (letters.isupper() and letters.isalpha() and len(letters) > 1):
        return False
    capitals = "".join(
        word.text[0] if word.capital else "" if word.plain in FUNCTION_WORDS else " " for word in source.words
    )
    return letters in capitals


def _another_first_name(source: Facts, name: Name) -> bool:
    first, last = name.parts[0], name.parts[-1]
    others = [other for other in source.names if same_spelling(other.parts[-1], last)]
    return bool(others) and all(
        len(other.parts) > 1 and not any(same_spelling(first, part) for part in other.parts[:-1]) for other in others
    )
