"""Do two sentences say the same of the same subject, with another number, date, name, speaker or the opposite?

Two texts that share a subject rarely share its words ("families without power", "households without electricity"),
so words are compared by their embeddings too; but a sentence about the other side, another day, another place or
another count of the same things must not pass for a contradiction. All that is unsure is no disagreement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.claims import Saying, same_speaker, sayings
from rag.denials import denied_otherwise
from rag.facts import (
    Facts,
    Name,
    Number,
    Word,
    fact_places,
    holds_words,
    number_says,
    same_spelling,
    spell,
    stem,
)
from rag.meaning import Embeds
from rag.numbers import is_year
from rag.slots import in_its_place

# Cosine of two single words from which they name the same kind of thing; lower where the same befalls both.
_WORD_FROM = 0.58
_VICTIM_FROM = 0.30
# Words on each side of a number that say what it counts.
_REACH_WORDS = 12
# What must be shared of the shorter side's words around a number, and at least how many; more where a unit, and no
# noun, says what is counted.
_SHARED_AROUND_NOUN = 0.4
_SHARED_AROUND_UNIT = 0.7
_FEWEST_AROUND_NUMBER = 2
# Cosine from which two sentences that tell of the same fate tell of the same event.
_EVENT_FROM = 0.50
# What must be shared of the shorter sentence's words where no number says what is compared.
_SHARED_SENTENCE = 0.7
_FEWEST_SENTENCE = 3
_SUBJECT_WORDS = 8
_QUOTED_WORDS = 4
# What happens to those counted: the dead are not the injured, drones launched not drones shot down.
_FATE_REACH_WORDS = 5
_FATES = tuple(
    frozenset(stem(word) for word in words.split())
    for words in (
        "die died dead deaths killed kill killing lives",
        "injured injuries wounded hurt",
        "missing",
        "arrested detained jailed",
        "rescued saved",
        "evacuated displaced fled flee",
        "damaged damage",
        "destroyed destroy",
        "launched launch fired",
        "shot downed intercepted",
        "create created hire hired",
        "cut cuts cutting shed",
        "employs employ employed",
        "bought buy",
        "sold sell",
        "cost costs price",
        "pay pays paid contribute offers offer",
        "demands demand",
    )
)
# The fates that befall countable things of one event; of a price, an offer or a job the words around it must agree.
_FATES_OF_AN_EVENT = frozenset(range(10))
_OPEN_ENDED = frozenset({"by", "since", "until", "till", "before", "after", "from"})
_OF_WHOM = frozenset({"the", "them", "those", "these", "its", "his", "her", "their"})
_PEOPLE = frozenset(stem(word) for word in ("people", "persons", "person"))


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
    quoted = _other_speaker(ours, theirs)
    if quoted is not None:
        return quoted
    if _elsewhere(ours, theirs):
        return None
    for number in ours.numbers:
        if not any(number_says(number, said) or number_says(said, number) for said in of.numbers):
            continue
        for other in theirs.numbers:
            if _other_value(number, other, ours, theirs) and _same_count(number, other, ours, theirs, embedding):
                return Disagreement(_subject(ours, number), _with_noun(ours, number), _with_noun(theirs, other))
    namesakes = _role_holders(ours, theirs)
    if namesakes is not None and namesakes[0].parts[0] == namesakes[1].parts[0]:
        return Disagreement(_rest(ours, namesakes[0].first, namesakes[0].last), namesakes[0].text, namesakes[1].text)
    if _numbers_differ(ours, theirs) or _shared_words(ours, theirs) < _SHARED_SENTENCE:
        return None
    return _other_date(ours, theirs) or _other_name(ours, theirs) or _opposite(ours, theirs)


def _elsewhere(ours: Facts, theirs: Facts) -> bool:
    """Whether both name whom or what they are about, and no name is in both; who says it does not count."""
    mine, its = _names_told_of(ours), _names_told_of(theirs)
    shared = any(same_spelling(part, other) for part in mine for other in its)
    return bool(mine and its and not shared) and not _role_holders(ours, theirs)


def _names_told_of(facts: Facts) -> set[str]:
    speakers = {word for saying in sayings(facts) for word in saying.speaker}
    parts = {part for name in facts.names if name.certain for part in name.parts}
    return {part for part in parts if part not in speakers}


# Numbers


def _other_value(number: Number, other: Number, ours: Facts, theirs: Facts) -> bool:
    """Whether the two cannot both be right: the ranges they leave open do not meet, and neither sentence has both."""
    if number.ordinal or other.ordinal or number.unit != other.unit or is_year(number) or is_year(other):
        return False
    if _is_part(ours, number) or _is_part(theirs, other):
        return False
    if any(number_says(n, number) or number_says(number, n) for n in theirs.numbers):
        return False
    if any(number_says(n, other) or number_says(other, n) for n in ours.numbers):
        return False
    low, high = _range(number)
    other_low, other_high = _range(other)
    return high < other_low or other_high < low


def _is_part(facts: Facts, number: Number) -> bool:
    """`Two of the injured`: a part, which other parts do not contradict."""
    after = [word.plain for word in facts.words[number.last + 1 : number.last + 3]]
    return len(after) == 2 and after[0] == "of" and after[1] in _OF_WHOM


def _range(number: Number) -> tuple[float, float]:
    if number.bound == "about":
        return 0.85 * number.low, 1.15 * number.high
    if number.bound == "above":
        return number.low, 2 * number.high
    if number.bound == "below":
        return 0.5 * number.low, number.high
    return number.low, number.high


def _same_count(number: Number, other: Number, ours: Facts, theirs: Facts, embedding: Embeds) -> bool:
    """Whether the two numbers count the same things at the same time, of which the same is told."""
    if _times_differ(ours, theirs) or _parted(ours, number, theirs, other):
        return False
    fates, other_fates = _fates(ours, number), _fates(theirs, other)
    if fates and other_fates and not fates & other_fates:
        return False
    same_fate = bool(fates & other_fates & _FATES_OF_AN_EVENT)
    if not number.unit and not _same_things(ours, number, theirs, other, embedding, same_fate=same_fate):
        return False
    if same_fate and not number.unit:
        return _cosine(ours.text, theirs.text, embedding) >= _EVENT_FROM
    mine, its = _around(ours, number), _around(theirs, other)
    priced = number.unit or fates - _FATES_OF_AN_EVENT
    least = _SHARED_AROUND_UNIT if priced else _SHARED_AROUND_NOUN
    shared = _alike(mine, its, embedding)
    return shared >= _FEWEST_AROUND_NUMBER and shared >= least * min(len(mine), len(its))


def _around(facts: Facts, number: Number) -> list[Word]:
    """Words of content near the number in its sentence, names, dates and what it counts left out."""
    left_out = fact_places(facts)
    noun_end = number.last + 1 + len(number.noun)
    near = range(max(0, number.first - _REACH_WORDS), min(len(facts.words), noun_end + _REACH_WORDS))
    return [
        facts.words[at]
        for at in near
        if at not in left_out and facts.words[at].content and facts.words[at].stem not in number.noun
    ]


def _counted(facts: Facts, number: Number) -> list[Word]:
    """The words right after the number, names left out: `235 Ukrainian drones overnight` -> drones, overnight."""
    named = {at for name in facts.names for at in range(name.first, name.last + 1)}
    at = number.last + 1
    if at < len(facts.words) and facts.words[at].plain == "of":
        at += 1
    end = at + len(number.noun)
    return [word for place, word in enumerate(facts.words) if at <= place < end and place not in named]


def _same_things(
    ours: Facts, number: Number, theirs: Facts, other: Number, embedding: Embeds, *, same_fate: bool
) -> bool:
    mine, its = _counted(ours, number), _counted(theirs, other)
    if not mine or not its:
        return same_fate
    if mine[0].stem == its[0].stem:
        return True
    if same_fate and (mine[0].stem in _PEOPLE or its[0].stem in _PEOPLE):
        return True
    least = _VICTIM_FROM if same_fate else _WORD_FROM
    return _cosine(mine[0].plain, its[0].plain, embedding) >= least


def _parted(ours: Facts, number: Number, theirs: Facts, other: Number) -> bool:
    """Whether the counted things belong to different owners: `Ukrainian drones` and drones, enemy and army drones."""
    if {name.parts for name in _owners(ours, number)} != {name.parts for name in _owners(theirs, other)}:
        return True
    mine, its = _counted(ours, number), _counted(theirs, other)
    return len(mine) > 1 and len(its) > 1 and mine[1].stem == its[1].stem and mine[0].stem != its[0].stem


def _owners(facts: Facts, number: Number) -> list[Name]:
    return [name for name in facts.names if number.last < name.first <= number.last + len(number.noun)]


def _fates(facts: Facts, number: Number) -> set[int]:
    """Which fates are told of in the words around the number."""
    last = number.last + len(number.noun)
    near = facts.words[max(0, number.first - _FATE_REACH_WORDS) : last + 1 + _FATE_REACH_WORDS]
    return {at for at, fate in enumerate(_FATES) if any(word.stem in fate for word in near)}


def _times_differ(ours: Facts, theirs: Facts) -> bool:
    """Whether both say when, and no time is in both; a year and a weekday are two times."""
    mine, its = _times(ours), _times(theirs)
    return bool(mine and its and not mine & its)


def _times(facts: Facts) -> set[str]:
    days = {date.weekday or f"{date.month}-{date.day}" for date in facts.dates}
    return days | {str(number.low) for number in facts.numbers if is_year(number)}


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
    counted = _counted(facts, number)
    if not number.unit and counted:
        last = facts.words.index(counted[0])
    return facts.text[facts.words[first].start : facts.words[last].end]


def _subject(facts: Facts, number: Number) -> str:
    """What the number is said of: the words after it, else those before it."""
    after = facts.words[number.last + 1 : number.last + 1 + _SUBJECT_WORDS]
    if len(after) > 2:
        return facts.text[after[0].start : after[-1].end].removeprefix("of ")
    before = facts.words[max(0, number.first - _SUBJECT_WORDS) : number.first]
    return facts.text[before[0].start : before[-1].end] if before else facts.text


def _numbers_differ(ours: Facts, theirs: Facts) -> bool:
    """Whether both have numbers and none is in both: then no other fact of theirs is compared."""
    return bool(ours.numbers and theirs.numbers) and not any(
        number_says(one, other) or number_says(other, one) for one in ours.numbers for other in theirs.numbers
    )


# Speakers, dates, names and denials


def _other_speaker(ours: Facts, theirs: Facts) -> Disagreement | None:
    """The same quoted words in two mouths."""
    mine, its = _named_speakers(ours), _named_speakers(theirs)
    if len(mine) != 1 or len(its) != 1 or same_speaker(mine[0].speaker, its[0].speaker):
        return None
    for quoted in ours.quoted:
        same = any(
            holds_words(list(other.words), quoted.words) or holds_words(list(quoted.words), other.words)
            for other in theirs.quoted
            if len(other.words) >= _QUOTED_WORDS
        )
        if same and len(quoted.words) >= _QUOTED_WORDS:
            return Disagreement(f"who said “{quoted.text.rstrip(',.')}”", mine[0].text, its[0].text)
    return None


def _named_speakers(facts: Facts) -> list[Saying]:
    return [saying for saying in sayings(facts) if saying.named and saying.speaker]


def _content(facts: Facts) -> list[Word]:
    """The words of content, without names, dates and numbers: those every sentence on one event shares."""
    places = fact_places(facts)
    return [word for at, word in enumerate(facts.words) if word.content and at not in places]


def _shared_words(ours: Facts, theirs: Facts) -> float:
    mine, its = _content(ours), _content(theirs)
    if min(len(mine), len(its)) < _FEWEST_SENTENCE:
        return 0.0
    here = {word.stem for word in mine}
    shared = sum(word.stem in here for word in its)
    return min(shared / min(len(mine), len(its)), 1.4 * shared / max(len(mine), len(its)))


def _other_date(ours: Facts, theirs: Facts) -> Disagreement | None:
    if len(ours.dates) != 1 or len(theirs.dates) != 1 or _open_ended(ours) or _open_ended(theirs):
        return None
    mine, its = ours.dates[0], theirs.dates[0]
    same_kind = bool(mine.weekday) == bool(its.weekday) and bool(mine.day) == bool(its.day)
    if not same_kind or (mine.weekday, mine.month, mine.day) == (its.weekday, its.month, its.day):
        return None
    return Disagreement(_rest(ours, mine.first, mine.last), mine.text, its.text)


def _open_ended(facts: Facts) -> bool:
    """`By Thursday`, `since March`: a count or state up to a day, not the day of an event."""
    return any(date.first and facts.words[date.first - 1].plain in _OPEN_ENDED for date in facts.dates)


def _rest(facts: Facts, first: int, last: int) -> str:
    rest = [word.text for at, word in enumerate(facts.words) if not first <= at <= last]
    return " ".join(rest[:_SUBJECT_WORDS])


def _other_name(ours: Facts, theirs: Facts) -> Disagreement | None:
    holders = _role_holders(ours, theirs)
    if holders is not None:
        return Disagreement(_rest(ours, holders[0].first, holders[0].last), holders[0].text, holders[1].text)
    if not in_its_place(ours, theirs, (0, theirs.words[-1].sentence)):
        return None
    mine = [name for name in ours.names if not _named_in(name, theirs)]
    its = [name for name in theirs.names if not _named_in(name, ours)]
    if len(mine) != 1 or len(its) != 1:
        return None
    return Disagreement(_rest(ours, mine[0].first, mine[0].last), mine[0].text, its[0].text)


def _role_holders(ours: Facts, theirs: Facts) -> tuple[Name, Name] | None:
    """Two names of which the same role is told: `the architect Karin Holt`, `architect Maria Stenberg`."""
    mine, its = _roles(ours), _roles(theirs)
    for role, name in mine.items():
        other = its.get(role)
        if other is not None and not same_spelling(name.parts[-1], other.parts[-1]):
            return name, other
    return None


def _roles(facts: Facts) -> dict[str, Name]:
    """Stem of the common noun right before a name -> the name."""
    roles: dict[str, Name] = {}
    for name in facts.names:
        before = facts.words[name.first - 1] if name.first else None
        if len(name.parts) > 1 and before is not None and before.content and not before.capital:
            roles[before.stem] = name
        elif len(name.parts) > 2 and facts.words[name.first].initial:
            # `Architect Maria Stenberg` at the start of a sentence
            roles[facts.words[name.first].stem] = name
    return roles


def _named_in(name: Name, facts: Facts) -> bool:
    return any(same_spelling(name.parts[-1], spell(word.plain)) for word in facts.words)


def _opposite(ours: Facts, theirs: Facts) -> Disagreement | None:
    if not denied_otherwise(ours, theirs, (0, theirs.words[-1].sentence)):
        return None
    return Disagreement(_rest(ours, -1, -1), ours.text, theirs.text)
