"""Names of a text, and when two spellings are one name: Zelenskyy and Zelensky, US and America, Kiev and Kyiv."""

import re
from dataclasses import dataclass
from functools import lru_cache

from index.sentences import seen_in_lower_case
from rag.words import FUNCTION_WORDS, Word, listed

TITLES = frozenset(
    listed("""
    president prime minister chancellor secretary general mr mrs ms dr sir lord lady king queen prince princess pope
    senator governor mayor judge justice chief director chairman chairwoman spokesman spokeswoman spokesperson
    ambassador envoy special foreign affairs adviser advisor commissioner captain colonel sergeant lieutenant major mp
    mps commander professor prof rev reverend sen gov rep gen col sgt lt capt""")
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


@dataclass(frozen=True, slots=True)
class Name:
    """A name without titles; `parts` are normalised with `spell`."""

    parts: tuple[str, ...]
    text: str
    first: int
    last: int
    certain: bool


@lru_cache(maxsize=50_000)
def spell(word: str) -> str:
    """A name's word in one spelling: `Zelenskyy`, `Zelenskiy` and `Zelensky` give the same."""
    plain = re.sub(r"[yij]+", "i", _SAME_NAME.get(word, word))
    plain = plain.replace("kh", "h").replace("ou", "u").replace("w", "v").replace("ck", "k")
    return re.sub(r"(.)\1+", r"\1", plain)


def read_names(text: str, words: tuple[Word, ...], taken: set[int]) -> list[Name]:
    """The names of a text, in order; words in places that are taken belong to none."""
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
    certain = any(not words[place].initial or not _may_be_common(words[place].plain) for place in run)
    written = re.sub(r"['’]s?$", "", text[words[run[0]].start : words[run[-1]].end])
    return Name(parts, written, run[0], run[-1], certain)


def _may_be_common(plain: str) -> bool:
    """Whether a word at a sentence's start may be there for its place alone."""
    return plain.endswith("ly") or seen_in_lower_case(plain)


@lru_cache(maxsize=1)
def _capitals() -> dict[str, str]:
    return {spell(capital): spell(country) for capital, country in _STANDS_FOR.items()}


def _stands_for(word: str) -> str:
    return _capitals().get(word, word)


@lru_cache(maxsize=1)
def _nations() -> frozenset[str]:
    unions = {"europe", "europeanunion", "unitednations"}
    return frozenset(spell(nation) for nation in {*_SAME_NAME.values(), *_STANDS_FOR.values()} - unions)


def nation_of(plain: str) -> str:
    """The nation that a word names, as country, people or seat of government; "" where it names none."""
    word = _stands_for(spell(plain))
    return word if word in _nations() else ""


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
