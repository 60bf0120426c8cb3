"""Do two sentences say the same of the same subject, with another number, date, name or the opposite?

Two texts that share a subject rarely share its words ("families without power", "households without electricity"),
so words are compared by their embeddings too; but a sentence about the other side, another day or another count of
the same things must not pass for a contradiction. All that is unsure is no disagreement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.denials import denied_otherwise
from rag.facts import Date, Facts, Name, Number, Word, number_says, same_spelling, spell, stem
from rag.slots import in_its_place
from rag.support import Embeds

# Cosine of two single words from which they name the same kind of thing.
_WORD_FROM = 0.55
# Words on each side of a number that say what it counts.
_REACH_WORDS = 12
# What must be shared of the shorter side's words around a number, and at least how many.
_SHARED_AROUND_NUMBER = 0.4
_FEWEST_AROUND_NUMBER = 2
# What must be shared of the shorter sentence's words where no number says what is compared.
_SHARED_SENTENCE = 0.7
_FEWEST_SENTENCE = 4
_SUBJECT_WORDS = 8
# What happens to those counted: the dead are not the injured, drones launched not drones shot down.
_FATE_REACH_WORDS = 5
_FATES = tuple(
    frozenset(stem(word) for word in words.split())
    for words in (
        "die died dead deaths killed kill killing killed",
        "injured injuries wounded hurt",
        "missing",
        "arrested detained jailed",
        "rescued saved evacuated displaced fled",
        "launched launch fired sent",
        "shot downed destroyed intercepted",
        "create created hire hired add added",
        "cut cuts shed lose lost",
        "employs employ employed",
        "bought buy",
        "sold sell",
    )
)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One subject with the value of each of two sentences, in their own words."""

    subject: str
    ours: str
    theirs: str


def find_disagreement(ours: Facts, theirs: Facts, *, of: Facts, embedding: Embeds) -> Disagreement | None:
    """The first disagreement of two sentences.

    Args:
        ours: the cited sentence.
        theirs: a sentence of another article.
        of: what the answer says: only numbers it takes from the cited sentence are compared.
        embedding: compares words.
    """
    for number in ours.numbers:
        if not any(number_says(number, said) or number_says(said, number) for said in of.numbers):
            continue
        for other in theirs.numbers:
            if _other_value(number, other, ours, theirs) and _same_count(number, other, ours, theirs, embedding):
                return Disagreement(_subject(ours, number), _with_noun(ours, number), _with_noun(theirs, other))
    if _shared_words(_content(ours), _content(theirs)) < _SHARED_SENTENCE:
        return None
    return _other_date(ours, theirs) or _other_name(ours, theirs) or _opposite(ours, theirs)


# Numbers


def _other_value(number: Number, other: Number, ours: Facts, theirs: Facts) -> bool:
    """Whether the two cannot both be right: the ranges they leave open do not meet, and neither sentence has both."""
    if number.ordinal or other.ordinal or number.unit != other.unit or _is_year(number) or _is_year(other):
        return False
    if any(number_says(n, number) or number_says(number, n) for n in theirs.numbers):
        return False
    if any(number_says(n, other) or number_says(other, n) for n in ours.numbers):
        return False
    low, high = _range(number)
    other_low, other_high = _range(other)
    return high < other_low or other_high < low


def _range(number: Number) -> tuple[float, float]:
    if number.bound == "about":
        return 0.85 * number.low, 1.15 * number.high
    if number.bound == "above":
        return number.low, 2 * number.high
    if number.bound == "below":
        return 0.5 * number.low, number.high
    return number.low, number.high


def _is_year(number: Number) -> bool:
    return not number.unit and not number.noun and number.low == number.high and 1500 <= number.low <= 2100


def _same_count(number: Number, other: Number, ours: Facts, theirs: Facts, embedding: Embeds) -> bool:
    mine, its = _around(ours, number), _around(theirs, other)
    if _days_differ(ours, number, theirs, other) or _named_apart(ours, number, theirs, other):
        return False
    fates, other_fates = _fates(ours, number), _fates(theirs, other)
    if fates and other_fates and not fates & other_fates:
        return False
    if not number.unit and not _same_things(number.noun, other.noun, ours, number, theirs, other, embedding):
        return False
    shared = _alike(mine, its, embedding)
    fewest = min(len(mine), len(its))
    return shared >= _FEWEST_AROUND_NUMBER and shared >= _SHARED_AROUND_NUMBER * fewest


def _around(facts: Facts, number: Number) -> list[Word]:
    """Words of content near the number in its sentence, names, dates and what it counts left out."""
    left_out = {at for name in facts.names for at in range(name.first, name.last + 1)}
    left_out |= {at for date in facts.dates for at in range(date.first, date.last + 1)}
    left_out |= {at for n in facts.numbers for at in range(n.first, n.last + 1)}
    noun_end = number.last + 1 + len(number.noun)
    near = range(max(0, number.first - _REACH_WORDS), min(len(facts.words), noun_end + _REACH_WORDS))
    return [
        facts.words[at]
        for at in near
        if at not in left_out and facts.words[at].content and facts.words[at].stem not in number.noun
    ]


def _head(facts: Facts, number: Number) -> Word | None:
    """The first counted word that is not a name: `235 Ukrainian drones` counts drones."""
    named = {at for name in facts.names for at in range(name.first, name.last + 1)}
    at = number.last + 1
    if at < len(facts.words) and facts.words[at].plain == "of":
        at += 1
    while at < len(facts.words) and at in named:
        at += 1
    return facts.words[at] if at < len(facts.words) and facts.words[at].content else None


def _same_things(
    noun: Sequence[str], other: Sequence[str], ours: Facts, a: Number, theirs: Facts, b: Number, embedding: Embeds
) -> bool:
    mine, its = _head(ours, a), _head(theirs, b)
    if mine is None or its is None or not noun or not other:
        return False
    return mine.stem == its.stem or _cosine(mine.plain, its.plain, embedding) >= _WORD_FROM


def _named_apart(ours: Facts, number: Number, theirs: Facts, other: Number) -> bool:
    """Whether the counted things belong to different names: `Ukrainian drones`, drones that Russia launched."""
    return {name.parts for name in _owners(ours, number)} != {name.parts for name in _owners(theirs, other)}


def _owners(facts: Facts, number: Number) -> list[Name]:
    return [name for name in facts.names if number.last < name.first <= number.last + len(number.noun)]


def _fates(facts: Facts, number: Number) -> set[int]:
    """Which fates are told of in the words around the number."""
    last = number.last + len(number.noun)
    near = facts.words[max(0, number.first - _FATE_REACH_WORDS) : last + 1 + _FATE_REACH_WORDS]
    return {at for at, fate in enumerate(_FATES) if any(word.stem in fate for word in near)}


def _days_differ(ours: Facts, number: Number, theirs: Facts, other: Number) -> bool:
    mine, its = _nearest_day(ours, number), _nearest_day(theirs, other)
    years, other_years = ({n.low for n in facts.numbers if _is_year(n)} for facts in (ours, theirs))
    return bool(mine and its and mine != its) or bool(years and other_years and not years & other_years)


def _nearest_day(facts: Facts, number: Number) -> str:
    days = [date for date in facts.dates if date.weekday or date.day]
    if not days:
        return ""
    nearest = min(days, key=lambda date: min(abs(date.first - number.last), abs(number.first - date.last)))
    return nearest.weekday or f"{nearest.month}-{nearest.day}"


def _alike(mine: Sequence[Word], its: Sequence[Word], embedding: Embeds) -> int:
    """How many words of one side have a counterpart on the other, by stem or by meaning, each used once."""
    left = list(its)
    count = 0
    for word in mine:
        match = next((other for other in left if other.stem == word.stem), None)
        if match is None:
            near = [(other, _cosine(word.plain, other.plain, embedding)) for other in left]
            best = max(near, key=lambda pair: pair[1], default=None)
            match = best[0] if best and best[1] >= _WORD_FROM else None
        if match is not None:
            left.remove(match)
            count += 1
    return count


def _cosine(one: str, other: str, embedding: Embeds) -> float:
    return float(np.dot(embedding.get_text_embedding(one), embedding.get_text_embedding(other)))


def _with_noun(facts: Facts, number: Number) -> str:
    """The number with what bounds it and what it counts, as written."""
    first, last = number.first, number.last
    if number.bound:
        first = max(0, first - (1 if number.bound == "about" else 2))
    head = _head(facts, number)
    if not number.unit and head is not None:
        last = facts.words.index(head)
    return facts.text[facts.words[first].start : facts.words[last].end]


def _subject(facts: Facts, number: Number) -> str:
    """What the number is said of: the words after it, else those before it."""
    after = facts.words[number.last + 1 : number.last + 1 + _SUBJECT_WORDS]
    if len(after) > 2:
        return facts.text[after[0].start : after[-1].end].removeprefix("of ")
    before = facts.words[max(0, number.first - _SUBJECT_WORDS) : number.first]
    return facts.text[before[0].start : before[-1].end] if before else facts.text


# Dates, names and denials


def _content(facts: Facts) -> list[Word]:
    """The words of content, without names, dates and numbers: those every sentence on one event shares."""
    known: list[Name | Number | Date] = [*facts.names, *facts.numbers, *facts.dates]
    places = {at for fact in known for at in range(fact.first, fact.last + 1)}
    return [word for at, word in enumerate(facts.words) if word.content and at not in places]


def _shared_words(mine: Sequence[Word], its: Sequence[Word]) -> float:
    if min(len(mine), len(its)) < _FEWEST_SENTENCE:
        return 0.0
    here, there = {spell(word.plain) for word in mine} | {w.stem for w in mine}, [(w.stem, spell(w.plain)) for w in its]
    shared = sum(stemmed in here or spelled in here for stemmed, spelled in there)
    return min(shared / min(len(mine), len(its)), 1.4 * shared / max(len(mine), len(its)))


def _other_date(ours: Facts, theirs: Facts) -> Disagreement | None:
    if len(ours.dates) != 1 or len(theirs.dates) != 1:
        return None
    mine, its = ours.dates[0], theirs.dates[0]
    if not _same_kind_of_date(mine, its) or (mine.weekday, mine.month, mine.day) == (its.weekday, its.month, its.day):
        return None
    return Disagreement(_without(ours, mine), mine.text, its.text)


def _same_kind_of_date(one: Date, other: Date) -> bool:
    return bool(one.weekday) == bool(other.weekday) and bool(one.day) == bool(other.day)


def _without(facts: Facts, date: Date) -> str:
    rest = [word.text for at, word in enumerate(facts.words) if not date.first <= at <= date.last]
    return " ".join(rest[:_SUBJECT_WORDS])


def _other_name(ours: Facts, theirs: Facts) -> Disagreement | None:
    if not in_its_place(ours, theirs, (0, theirs.words[-1].sentence)):
        return None
    mine = [name for name in ours.names if not _named_in(name, theirs)]
    its = [name for name in theirs.names if not _named_in(name, ours)]
    if len(mine) != 1 or len(its) != 1:
        return None
    rest = [word.text for at, word in enumerate(ours.words) if not mine[0].first <= at <= mine[0].last]
    return Disagreement(" ".join(rest[:_SUBJECT_WORDS]), mine[0].text, its[0].text)


def _named_in(name: Name, facts: Facts) -> bool:
    return any(same_spelling(name.parts[-1], spell(word.plain)) for word in facts.words)


def _opposite(ours: Facts, theirs: Facts) -> Disagreement | None:
    if not denied_otherwise(ours, theirs, (0, theirs.words[-1].sentence)):
        return None
    rest = [word.text for word in ours.words[:_SUBJECT_WORDS]]
    return Disagreement(" ".join(rest), ours.text, theirs.text)
