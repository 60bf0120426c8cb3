"""Words of a text: where they stand, and one plain form and one stem for all their spellings."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from index.sentences import split_sentences
from rag.thesaurus import stem

__all__ = ["FUNCTION_WORDS", "Word", "holds_words", "listed", "plain_words", "read_words", "stem"]

_WORD = re.compile(r"(?:[A-Z]\.){2,}|[€£$¥%]|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")


def listed(words: str) -> list[str]:
    """The words of a list written as a text."""
    return words.split()


FUNCTION_WORDS = frozenset(
    listed("""a about above after again against all also although am among an and another any are as at be because
    been before being below between both but by can could did do does doing down during each either even ever every few
    for from further had has have having he her here hers herself him himself his how however i if in into is it its
    itself just like many may me might more most much must my neither no nor not of off on once only onto or other our
    ours out
    over own per rather same shall she should since so some such than that the their theirs them themselves then there
    these they this those though through thus to too toward towards under until up upon us very was we were what when
    where whether which while who whom whose why will with within without would yet you your""")
)


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


def read_words(text: str) -> list[Word]:
    """The words of a text, in order."""
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


def plain_words(text: str) -> list[str]:
    """The words of a text, plain, in order: what two texts are compared by, letter case and signs aside."""
    return [_plain(match.group()) for match in _WORD.finditer(text)]


def holds_words(words: list[str], wanted: tuple[str, ...]) -> bool:
    """Whether `wanted` stands in `words` as one unbroken stretch."""
    size = len(wanted)
    return any(tuple(words[at : at + size]) == wanted for at in range(len(words) - size + 1))
