"""Facts: the numbers, dates, names and quoted words of a text, normalised so that two spellings compare equal.

English news text; no language model. `find_facts` reads them out of a text; `number_says`, `date_says` and
`same_spelling` tell whether one from a source says what one from a sentence claims.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

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
    "fact_places",
    "find_facts",
    "holds_words",
    "number_says",
    "plain_words",
    "same_spelling",
    "sentence_places",
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


def fact_places(facts: Facts) -> set[int]:
    """Places of the words that are part of a name, number or date."""
    known: list[Name | Number | Date] = [*facts.names, *facts.numbers, *facts.dates]
    return {at for fact in known for at in range(fact.first, fact.last + 1)}


def sentence_places(facts: Facts) -> list[range]:
    """Places of the words of each sentence that has any."""
    return [
        range((places := list(group))[0], places[-1] + 1)
        for _, group in groupby(range(len(facts.words)), key=lambda at: facts.words[at].sentence)
    ]


def _quoted(text: str) -> list[Quoted]:
    found = []
    for match in _QUOTED.finditer(text):
        inside = next(group for group in match.groups() if group is not None)
        words = tuple(plain_words(inside))
        if words:
            found.append(Quoted(words, inside, match.start(), match.end()))
    return found
