"""What a sentence claims beyond its facts: who says it, who does it, whether it is denied, which fact goes with which.

Each check compares a sentence with the stretch of a source nearest to it and gives the fault in words, or "".
They read word order, not grammar: where the order is not plain they say nothing.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeVar

from rag.facts import (
    FUNCTION_WORDS,
    TITLES,
    Date,
    Facts,
    Name,
    Number,
    Word,
    date_says,
    number_says,
    same_spelling,
    spell,
    stem,
)

Found = TypeVar("Found", Name, Number)


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _stems(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


_SAYING = _listed(
    """said says saying told tells telling added adds adding stated stating stressed stresses stressing warned warns
    warning claimed claims argued argues arguing announced announces wrote writes posted acknowledged acknowledges
    described describes called calling insisted insists insisting noted noting denied denies explained explains
    emphasised emphasized emphasises emphasizes emphasising emphasizing indicated indicates signalled signaled suggested
    suggests reiterated reiterates confirmed confirms declared declares conceded concedes admitted admits tweeted
    promised urged urges predicted believes believed thinks"""
)
_INVERTED = _listed("said says wrote writes added adds told explained noted stressed warned")
_PRONOUNS = frozenset({"he", "she", "they", "it", "who", "we", "i"})
_SKIPPED = _listed(
    """has have had also then later again already recently previously repeatedly strongly earlier now once still so far
    additionally today yesterday is was were are will would could"""
)
_NP_WORDS = frozenset({"the", "a", "an", "of", "and", "its", "his", "her", "their"})

_NEGATIONS = frozenset(
    {"not", "no", "never", "nor", "neither", "none", "nobody", "nothing", "without", "cannot", "hardly"}
)
_DENYING = _stems(
    """refuse refused refusal fail failed failure unable lack lacked reject rejected deny denied decline declined rule
    ruled yet avoid avoided prevent prevented difficult difficulty impossible unlikely rather instead few little only"""
)
_CLAUSE_ENDS = _listed("but and that how what whether if who which because when where than")
# `nothing to suggest that it is so` denies what follows.
_DENIED_WHOLE = _listed(
    "suggest suggests think thinks believe believes mean means show shows case true sign evidence anything"
)
_WEAK_VERBS = frozenset({"have", "has", "had", "do", "does", "did", "is", "was", "were", "are"})
_NEARBY_WORDS = 7
# Two sides of one question: a sentence on one side is not carried by a source on the other.
_SIDES = tuple(
    (_stems(one), _stems(other))
    for one, other in (
        (
            "accept accepts accepted agree agreed agrees approve approved support supported supports endorse endorsed "
            "welcome welcomed praise praised praising embrace embraced consent",
            "reject rejected rejects rejection refuse refused refuses refusal dismiss dismissed oppose opposed opposes "
            "resist resisted resisting resists condemn condemned condemning unacceptable decline declined ruled",
        ),
        (
            "rise rises rose risen rising increase increased increases climb climbed grow grew grown growth "
            "jump jumped gain gained higher",
            "fall falls fell fallen falling decrease decreased decreases drop dropped slump slumped shrink "
            "shrank lower decline declined",
        ),
        ("confirm confirmed confirms", "deny denied denies"),
        (
            "allow allowed allows permit permitted",
            "ban banned bar barred forbid forbidden prohibit prohibited block blocked prevent",
        ),
        ("succeed succeeded success successful", "fail failed fails failure unsuccessful"),
        ("arrive arrived arrives", "depart departed left leave"),
        ("right correct", "wrong incorrect mistaken"),
        ("better improve improved improves", "worse worsen worsened worsens"),
        ("keep keeps kept retain retained maintain maintained", "end ends ended abolish abolished scrap scrapped"),
        ("reach reached achieve achieved", "miss missed"),
        ("optimistic optimism hopeful", "pessimistic pessimism gloomy"),
        ("survive survived", "die died killed"),
        ("begin began begun start started", "end ended finish finished conclude concluded"),
        ("north northern", "south southern"),
        ("east eastern", "west western"),
    )
)
_OPPOSING_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non")
# From which share of equal words a sentence is nearly word for word another, and how many they must be.
# A slot is a short stretch that differs between equal words: its longest, and how many equal words frame it.
# How fast a word's hold on a fact fades with the words between them, and what a sentence's end adds to the distance.
_SLOT_WORDS = 5
_VERBATIM_SHARE = 0.8
_VERBATIM_FEWEST_WORDS = 6
_SLOT_FRAME_WORDS = 3
_REACH_WORDS = 5.0
_SENTENCE_WORDS = 10.0


@dataclass(frozen=True, slots=True)
class Saying:
    """Someone says something: `speaker` holds normalised words; a pronoun's is empty."""

    speaker: frozenset[str]
    named: bool
    text: str
    verb: int
    sentence: int


def _clear_between(facts: Facts, left: Word, right: Word) -> bool:
    return not re.search(r"[,;:“”\"()]|\s[–—-]\s", facts.text[left.end : right.start])


def _noun_phrase(facts: Facts, places: Iterable[int], anchor: int) -> list[int]:
    """Places of the words that make the phrase next to `anchor`, walked outwards until the order breaks."""
    words, found, before = facts.words, list[int](), anchor
    for place in places:
        left, right = sorted((place, before))
        if words[left].sentence != words[right].sentence:
            break
        if not _clear_between(facts, words[left], words[right]):
            # `the UN's agency, UNICEF`
            apposed = place > anchor and found and words[place].capital
            if not apposed or facts.text[words[left].end : words[right].start].strip() != ",":
                break
        plain = words[place].plain
        if plain == "from" and place > anchor and found:
            before = place
            continue
        if plain in _PRONOUNS and not found:
            return [place]
        if plain in FUNCTION_WORDS - _NP_WORDS and not words[place].text.isupper():
            if plain in _SKIPPED and not found:
                before = place
                continue
            break
        if plain in _SKIPPED or (plain.endswith("ly") and not found):
            before = place
            continue
        if words[place].plain in _SAYING and found:
            break
        found.append(place)
        before = place
        if len(found) == 9:
            break
    return sorted(found)


def _speaker(facts: Facts, places: Sequence[int]) -> tuple[frozenset[str], bool, str]:
    words = facts.words
    kept = [p for p in places if words[p].content or words[p].text in {"US", "U.S."}]
    named = {place for name in facts.names for place in range(name.first, name.last + 1) if name.certain}
    keys = set()
    for at, place in enumerate(kept):
        word = words[place]
        owner = word.text.endswith(("'s", "’s")) and at + 1 < len(kept)
        followed_by_name = any(later in named for later in kept[at + 1 :])
        if word.plain in TITLES or (owner and followed_by_name):
            continue
        keys.add(spell(word.plain) if place in named else word.stem)
    text = facts.text[words[places[0]].start : words[places[-1]].end] if places else ""
    return frozenset(keys), any(place in named for place in kept), text


def sayings(facts: Facts) -> list[Saying]:
    """Who says something in this text, in order; a pronoun takes the speaker or first name of the text before it."""
    words, found = facts.words, list[Saying]()
    for place, word in enumerate(words):
        if word.plain == "according" and place + 2 < len(words):
            start = place + 2 if words[place + 1].plain == "to" else place + 1
            phrase = _noun_phrase(facts, range(start, len(words)), place + 1)
        elif word.plain in _SAYING and not word.capital:
            phrase = _noun_phrase(facts, range(place - 1, -1, -1), place)
            if not phrase and _is_inverted(facts, place):
                phrase = _noun_phrase(facts, range(place + 1, len(words)), place)
            if not phrase:
                phrase = _first_name(facts, word)
        else:
            continue
        if not phrase:
            continue
        if words[phrase[-1]].plain in _PRONOUNS:
            earlier = found[-1] if found else None
            speaker, named, text = (
                (earlier.speaker, earlier.named, earlier.text) if earlier else (frozenset(), False, "")
            )
        else:
            speaker, named, text = _speaker(facts, phrase)
        found.append(Saying(speaker, named, text, place, word.sentence))
    return found


def _is_inverted(facts: Facts, place: int) -> bool:
    """Whether the speaker comes after the verb: `“…,” said Merz`, `…, said the Kremlin`."""
    words = facts.words
    if words[place].plain not in _INVERTED or place + 1 >= len(words):
        return False
    after = words[place + 1]
    return _clear_between(facts, words[place], after) and (after.capital or after.plain in {"the", "a", "an", "one"})


def _first_name(facts: Facts, verb: Word) -> list[int]:
    """The sentence's first name before the verb: `Merz struck a note of hope, saying`."""
    for name in facts.names:
        word = facts.words[name.first]
        if word.sentence == verb.sentence and word.start < verb.start and name.certain:
            return list(range(name.first, name.last + 1))
    return []


def same_speaker(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether two speakers share a word that names them."""
    return any(a == b or same_spelling(a, b) for a in left for b in right)


def wrong_speaker(claim: Facts, source: Facts, window: tuple[int, int]) -> str:
    """The fault where the sentence has somebody say what in the source somebody else says."""
    said = [saying for saying in sayings(claim) if saying.named and saying.speaker]
    if not said:
        return ""
    theirs = sayings(source)
    first, last = window
    for reach in (0, 1):
        near = [saying for saying in theirs if first - reach <= saying.sentence <= last + reach]
        if any(not saying.speaker for saying in near):
            return ""
        for saying in said:
            if not near or any(same_speaker(saying.speaker, other.speaker) for other in near):
                continue
            if reach == 0 or not _mentions(source, window, saying.speaker):
                return f"The passage has {_name_them(near)} say this, not {saying.text}."
        if near:
            return ""
    for saying in said:
        if not _mentions(source, window, saying.speaker):
            return f"The passage does not have {saying.text} say this."
    return ""


def _name_them(near: Sequence[Saying]) -> str:
    return " and ".join(dict.fromkeys(saying.text for saying in near))


def _mentions(source: Facts, window: tuple[int, int], speaker: frozenset[str]) -> bool:
    there = {
        key
        for word in source.words
        if window[0] <= word.sentence <= window[1]
        for key in (spell(word.plain), word.stem)
    }
    return same_speaker(speaker, frozenset(there))


def wrong_doer(claim: Facts, source: Facts, window: tuple[int, int]) -> str:
    """The fault where a verb of both has another name before it, and the sentence's name is in the source too."""
    theirs = _doers(source, window)
    for verb, (doer, text) in _doers(claim, (0, 10**6)).items():
        other = theirs.get(verb)
        if other is None or same_speaker(doer, other[0]) or not _mentions(source, window, doer):
            continue
        return f"In the passage it is {other[1]}, not {text}, of whom “{verb}…” is said."
    return ""


def _doers(facts: Facts, window: tuple[int, int]) -> dict[str, tuple[frozenset[str], str]]:
    """Stem of a verb -> the name that stands directly before it."""
    found: dict[str, tuple[frozenset[str], str]] = {}
    ends = {name.last: name for name in facts.names if name.certain}
    for place, name in ends.items():
        if facts.words[place].text.endswith(("'s", "’s")) or not window[0] <= facts.words[place].sentence <= window[1]:
            continue
        at = place + 1
        while at < len(facts.words) and (facts.words[at].plain in _SKIPPED or facts.words[at].plain.endswith("ly")):
            if facts.words[at].plain in {"is", "was", "were", "are"}:
                break
            at += 1
        if at >= len(facts.words) or not _clear_between(facts, facts.words[place], facts.words[at]):
            continue
        word = facts.words[at]
        if word.content and not word.capital and re.search(r"(ed|s)$", word.plain):
            parts = frozenset(name.parts)
            found.setdefault(word.stem, (parts, name.text))
    return found


# Denial


def denied_otherwise(claim: Facts, source: Facts, window: tuple[int, int]) -> str:
    """The fault where the sentence denies what the source says, says what it denies, or takes the other side."""
    ours, theirs = _denials(claim, (0, len(claim.text))), _denials(source, window)
    for word in ours.keys() & theirs.keys():
        if any(ours[word]) and not any(theirs[word]) and not _denies_nearby(source, window, word):
            return "The passage does not deny this."
        if all(theirs[word]) and not any(ours[word]) and not _denies_nearby(claim, (0, len(claim.text)), word):
            return "The passage denies this."
    return _opposite(claim, source, window, ours, theirs)


def _denials(facts: Facts, window: tuple[int, int]) -> dict[str, list[bool]]:
    """Stem of each word of content in the window -> for each place it has there, whether it is denied."""
    denials: dict[str, list[bool]] = {}
    for place, word in enumerate(facts.words):
        if window[0] <= word.sentence <= window[1] and (word.content or word.plain in _WEAK_VERBS):
            denials.setdefault(word.stem, []).append(_is_negated(facts, place))
    return denials


def _is_negated(facts: Facts, place: int) -> bool:
    """Whether a negation stands before the word with at most one word of content between."""
    between = 0
    for at in range(place - 1, max(-1, place - 8), -1):
        word, after = facts.words[at], facts.words[at + 1]
        if word.sentence != facts.words[place].sentence or not _clear_between(facts, word, after):
            return False
        if _is_negation(word):
            return not (word.plain in {"no", "not"} and after.plain in {"longer", "doubt", "only", "just"})
        if word.plain in _CLAUSE_ENDS and not (word.plain == "that" and facts.words[at - 1].plain in _DENIED_WHOLE):
            return False
        between += word.content and word.plain not in _DENIED_WHOLE
        if between > 1:
            return False
    return False


def _is_negation(word: Word) -> bool:
    return word.plain in _NEGATIONS or word.plain.endswith("n't")


def _denies_nearby(facts: Facts, window: tuple[int, int], stem_: str) -> bool:
    """Whether the text denies something close to this word in words that the order of words does not reach."""
    for place, word in enumerate(facts.words):
        if word.stem == stem_ and window[0] <= word.sentence <= window[1]:
            near = facts.words[max(0, place - _NEARBY_WORDS) : place + _NEARBY_WORDS]
            if any(_is_negation(w) or w.stem in _DENYING for w in near if w.sentence == word.sentence):
                return True
    return False


def _likest_sentences(claim: Facts, source: Facts, window: tuple[int, int]) -> tuple[int, int]:
    """The sentences of the window, from first to last, that share most words with the claim, or nearly so."""
    named = {at for name in claim.names for at in range(name.first, name.last + 1)}
    ours = {
        word.stem
        for at, word in enumerate(claim.words)
        if word.content and at not in named and word.plain not in _SAYING
    }
    shared: dict[int, set[str]] = {sentence: set() for sentence in range(window[0], window[1] + 1)}
    for word in source.words:
        if word.sentence in shared and word.stem in ours:
            shared[word.sentence].add(word.stem)
    most = max(len(words) for words in shared.values())
    likest = [sentence for sentence, words in shared.items() if len(words) >= most - 1]
    return likest[0], likest[-1]


def _opposite(
    claim: Facts,
    source: Facts,
    window: tuple[int, int],
    ours: dict[str, list[bool]],
    theirs: dict[str, list[bool]],
) -> str:
    likest = _denials(source, _likest_sentences(claim, source, window))
    for one, other in _SIDES:
        mine = {(word in one) != any(denied) for word, denied in ours.items() if word in one | other}
        its = {(word in one) != any(denied) for word, denied in likest.items() if word in one | other}
        if mine and its and not mine & its:
            word = next(w.text for w in claim.words if w.stem in one | other)
            return f"The passage says the opposite of “{word}”."
    near = {word.plain for word in source.words if window[0] <= word.sentence <= window[1]}
    for claimed in (word for word in claim.words if word.content and word.plain not in near):
        for prefix in _OPPOSING_PREFIXES:
            bare = claimed.plain.removeprefix(prefix)
            opposite = bare if bare != claimed.plain and len(bare) > 3 else prefix + claimed.plain
            if opposite in near and any(ours[claimed.stem]) == any(theirs.get(stem(opposite), [])):
                return f"The passage says “{opposite}”, not “{claimed.text}”."
    return ""


# Which fact goes with which


def belongs_elsewhere(claim: Facts, source: Facts) -> str:
    """The fault where the source has the sentence's number or date, but says it of something else.

    Every mention of a fact in the source is weighed by the sentence's other words around it, nearer ones more. The
    sentence's own value must not be outweighed clearly by another value of the same kind.
    """
    for number in claim.numbers:
        same = [n for n in source.numbers if number_says(n, number)]
        rivals = [
            n for n in source.numbers
            if _same_kind(n, number) and not any(number_says(n, mine) for mine in claim.numbers)
        ]  # fmt: skip
        fault = _outweighed(claim, source, number, same, rivals)
        if fault:
            return fault
    for date in claim.dates:
        matches = [d for d in source.dates if date_says(d, date)]
        others = [
            d for d in source.dates
            if bool(d.weekday) == bool(date.weekday) and not any(date_says(d, mine) for mine in claim.dates)
        ]  # fmt: skip
        fault = _outweighed(claim, source, date, matches, others)
        if fault:
            return fault
    return ""


def paired_otherwise(claim: Facts, source: Facts) -> str:
    """The fault where the sentence pairs a name with a number that the source pairs with another name.

    Only where both go otherwise: nearest to the source's number is another name, and to the name another number.
    """
    speaking = {saying.text for saying in sayings(claim)}
    for number in claim.numbers:
        name = _nearest([name for name in claim.names if name.text not in speaking], number)
        if name is None or _nearest(claim.numbers, name) != number:
            continue
        for there in (n for n in source.numbers if number_says(n, number)):
            sentence = source.words[there.first].sentence
            names = [n for n in source.names if source.words[n.first].sentence == sentence]
            numbers = [n for n in source.numbers if source.words[n.first].sentence == sentence]
            own = [n for n in names if same_spelling(n.parts[-1], name.parts[-1])]
            holder = _nearest(names, there)
            if not own or holder is None or holder in own:
                break
            value = _nearest([n for n in numbers if _comparable(n, there)], own[0])
            if value is None or value == there or any(number_says(value, mine) for mine in claim.numbers):
                break
            if any(same_spelling(holder.parts[-1], mine.parts[-1]) for mine in claim.names):
                break
            return f"In the passage “{there.text}” goes with {holder.text}, not with {name.text}."
    return ""


def _comparable(one: Number, other: Number) -> bool:
    if one.unit != other.unit or one.ordinal != other.ordinal:
        return False
    return bool(one.unit) or one.ordinal or bool(set(one.noun) & set(other.noun))


def _nearest(facts: Sequence[Found], to: Name | Number) -> Found | None:
    return min(facts, key=lambda fact: max(fact.first - to.last, to.first - fact.last), default=None)


def in_its_place(claim: Facts, source: Facts, window: tuple[int, int]) -> str:
    """The fault where the source has another name, or a denial more or less, between the same words.

    Where the sentence is nearly word for word the source's, every such exchange counts; else only a clear one.
    """
    ours = [word.stem for word in claim.words]
    for sentence in range(window[0], window[1] + 1):
        places = [at for at, word in enumerate(source.words) if word.sentence == sentence]
        steps = SequenceMatcher(None, ours, [source.words[at].stem for at in places], autojunk=False).get_opcodes()
        equal = sum(a2 - a1 for step, a1, a2, _, _ in steps if step == "equal")
        nearly_verbatim = equal >= max(_VERBATIM_FEWEST_WORDS, _VERBATIM_SHARE * len(ours))
        for at, (step, a1, a2, b1, b2) in enumerate(steps):
            mine = range(a1, a2)
            its = range(places[b1], places[b2 - 1] + 1) if b2 > b1 else range(0)
            if step == "equal" or max(len(mine), len(its)) > _SLOT_WORDS:
                continue
            left = steps[at - 1][2] - steps[at - 1][1] if at and steps[at - 1][0] == "equal" else 0
            right = steps[at + 1][2] - steps[at + 1][1] if at + 1 < len(steps) and steps[at + 1][0] == "equal" else 0
            framed = bool(left and right) or a1 == 0 or a2 == len(ours)
            if left + right < _SLOT_FRAME_WORDS or not framed:
                continue
            if nearly_verbatim and left and right and _denial_moved(claim, mine, source, its):
                return "The passage does not deny this." if mine else "The passage denies this."
            fault = _exchanged(claim, mine, source, its, strict=not nearly_verbatim)
            if fault:
                return fault
    return ""


def _denial_moved(claim: Facts, ours: range, source: Facts, theirs: range) -> bool:
    """Whether one of two short stretches is a denial and the other has nothing, or only an auxiliary, in its place."""
    mine = [claim.words[at] for at in ours]
    its = [source.words[at] for at in theirs]
    if any(word.content for word in (*mine, *its) if not _is_negation(word)):
        return False
    return any(map(_is_negation, mine)) != any(map(_is_negation, its))


def _exchanged(claim: Facts, ours: range, source: Facts, theirs: range, *, strict: bool) -> str:
    mine = [name for name in claim.names if name.first in ours and name.last in ours and name.certain]
    its = [name for name in source.names if name.first in theirs and name.last in theirs and name.certain]
    if not mine or not its:
        return ""
    there = {spell(source.words[at].plain) for at in theirs}
    if any(same_spelling(part, other) for name in mine for part in name.parts for other in there):
        return ""
    said = {spell(word.plain) for word in claim.words}
    elsewhere = any(same_spelling(part, other) for name in its for part in name.parts for other in said)
    if strict and (elsewhere or any(source.words[at].plain in TITLES for at in theirs)):
        return ""
    return f"The passage has {its[0].text} here, not {mine[0].text}."


def _same_kind(source: Number, claim: Number) -> bool:
    if source.ordinal != claim.ordinal or source.unit != claim.unit:
        return False
    return bool(source.unit) or bool(set(source.noun) & set(claim.noun)) or _year(source) == _year(claim) is True


def _year(number: Number) -> bool:
    return not number.unit and number.low == number.high and 1500 <= number.low <= 2100 and not number.noun


def _outweighed(
    claim: Facts, source: Facts, fact: Number | Date, same: Sequence[Number | Date], rivals: Sequence[Number | Date]
) -> str:
    if not same or not rivals:
        return ""
    context = {w.stem for at, w in enumerate(claim.words) if w.content and not fact.first <= at <= fact.last}
    best = max(_weight(source, context, other.first, other.last) for other in same)
    rival = max(rivals, key=lambda other: _weight(source, context, other.first, other.last))
    weight = _weight(source, context, rival.first, rival.last)
    if weight > 1.5 * best and weight - best > 0.5:
        return f"The passage says “{rival.text}” of this, not “{fact.text}”."
    return ""


def _weight(source: Facts, context: set[str], first: int, last: int) -> float:
    nearest: dict[str, float] = {}
    for at, word in enumerate(source.words):
        if word.stem not in context or first <= at <= last:
            continue
        distance: float = first - at if at < first else at - last
        distance += _SENTENCE_WORDS * abs(word.sentence - source.words[first].sentence)
        nearest[word.stem] = min(nearest.get(word.stem, math.inf), distance)
    return sum(math.exp(-distance / _REACH_WORDS) for distance in nearest.values())
