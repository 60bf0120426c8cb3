"""Facts: the numbers, dates, names and quoted words of a text, normalised so that two spellings compare equal.

English news text; no language model. `find_facts` reads them out of a text; `number_says`, `date_says` and
`same_spelling` tell whether one from a source says what one from a sentence claims.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.dates import Date, date_says, read_dates
from rag.names import TITLES, Name, read_names, same_spelling, spell
from rag.numbers import Number, number_says, read_numbers
from rag.words import FUNCTION_WORDS, Word, holds_words, plain_words, read_words, stem

__all__ = [
    "FUNCTION_WORDS",
    "TITLES",
    "Date",
    "Facts",
    "Name",
    "Number",
    "Quoted",
    "Word",
    "date_says",
    "find_facts",
    "holds_words",
    "number_says",
    "plain_words",
    "same_spelling",
    "spell",
    "stem",
    "without_markers",
]

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|«([^«»]+)»|(?<!\w)‘([^‘]+?)’(?!\w)|(?<![\w'])'([^']{8,}?)'(?!\w)")
_MARKER = re.compile(r"\s*\[\d+\]")


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


def without_markers(text: str) -> str:
    """The text without its citation markers."""
    return _MARKER.sub("", text).strip()


@lru_cache(maxsize=4096)
def find_facts(text: str) -> Facts:
    """Read a text's facts; the same text is read once."""
    words = tuple(read_words(text))
    dates, taken = read_dates(text, words)
    numbers = read_numbers(text, words, taken)
    counted = taken | {place for number in numbers for place in range(number.first, number.last + 1)}
    return Facts(
        text, words, tuple(numbers), tuple(dates), tuple(read_names(text, words, counted)), tuple(_quoted(text))
    )


def _quoted(text: str) -> list[Quoted]:
    found = []
    for match in _QUOTED.finditer(text):
        inside = next(group for group in match.groups() if group is not None)
        words = tuple(plain_words(inside))
        if words:
            found.append(Quoted(words, inside, match.start(), match.end()))
    return found
