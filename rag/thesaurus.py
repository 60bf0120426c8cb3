"""Words that belong together: one stem for a word's forms, which words mean the same, and which the opposite.

From WordNet (`rag/wordnet/`), as far as news text uses it. Of a word with several meanings all count, so this tells
that two words may mean the same, never that they do.
"""

import re
from functools import lru_cache
from pathlib import Path

from nltk.stem.snowball import EnglishStemmer

_FILE = Path(__file__).parent / "wordnet/words.txt"
_STEMMER = EnglishStemmer()


@lru_cache(maxsize=1)
def _groups() -> dict[str, list[list[str]]]:
    """The file's lines by their sign."""
    groups: dict[str, list[list[str]]] = {}
    for line in _FILE.read_text(encoding="ascii").splitlines():
        sign, *words = line.split()
        groups.setdefault(sign, []).append(words)
    return groups


@lru_cache(maxsize=1)
def _irregular() -> dict[str, str]:
    return dict(reversed(_groups()[">"]))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The word without its ending (Snowball), `met` as `meet`; British -ise and -our go with American -ize and -or."""
    word = _irregular().get(word, word)
    word = re.sub(r"isation", "ization", word)
    word = re.sub(r"is(e|ed|es|ing)$", r"iz\1", word) if len(word) > 6 else word
    word = re.sub(r"our(s|ed|ing)?$", r"or\1", word) if len(word) > 5 else word
    return str(_STEMMER.stem(word))


@lru_cache(maxsize=1)
def _kin() -> dict[str, frozenset[str]]:
    return _neighbours(("~", "="))


@lru_cache(maxsize=1)
def _opposites() -> dict[str, frozenset[str]]:
    return _neighbours(("!",))


def _neighbours(signs: tuple[str, ...]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for sign in signs:
        for words in _groups()[sign]:
            stems = {stem(word) for word in words}
            for one in stems:
                found.setdefault(one, set()).update(stems - {one})
    return {one: frozenset(others) for one, others in found.items()}


def kin(stem_: str) -> frozenset[str]:
    """Stems of the words that may mean the same as a stem's, or are derived from it: decid -> decis."""
    return _kin().get(stem_, frozenset())


@lru_cache(maxsize=20_000)
def family(stem_: str) -> frozenset[str]:
    """A stem, its kin, and what is derived from them: refus -> declin, refusal, reject, rejection."""
    derived = _derived()
    return frozenset({stem_} | kin(stem_) | {other for one in kin(stem_) for other in derived.get(one, ())})


@lru_cache(maxsize=1)
def _derived() -> dict[str, frozenset[str]]:
    return _neighbours(("~",))


def opposites(stem_: str) -> frozenset[str]:
    """Stems of the words that mean the opposite."""
    return _opposites().get(stem_, frozenset())
