"""Which fact goes with which: a number, date or name that the source has, but of something else."""

import math
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import TypeVar

from rag.claims import Window, sayings
from rag.denials import is_negation
from rag.facts import TITLES, Date, Facts, Name, Number, date_says, number_says, same_spelling, spell
from rag.numbers import is_year

Found = TypeVar("Found", Name, Number)
# From which share of equal words a sentence is nearly word for word another, and how many they must be.
_VERBATIM_SHARE = 0.8
_VERBATIM_FEWEST_WORDS = 6
# A slot is a short stretch that differs between equal words: its longest, and how many equal words frame it.
_SLOT_WORDS = 5
_SLOT_FRAME_WORDS = 3
# How fast a word's hold on a fact fades with the words between them, and what a sentence's end adds to the distance.
_REACH_WORDS = 5.0
_SENTENCE_WORDS = 10.0
_COMMA_WORDS = 6.0


def belongs_elsewhere(claim: Facts, source: Facts) -> str:
    """The fault where the source has the sentence's number or date, but says it of something else.

    Every mention of a fact in the source is weighed by the sentence's other words around it, nearer ones more. The
    sentence's own value must not be outweighed clearly by another value of the same kind.
    """
    for number in claim.numbers:
        counted = {stem for other in claim.numbers if other != number for stem in other.noun} - set(number.noun)
        same = [n for n in source.numbers if number_says(n, number)]
        if number.noun and same and all(set(n.noun) & counted and not set(n.noun) & set(number.noun) for n in same):
            return f"The passage counts something else with “{same[0].text}”."
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


def _same_kind(source: Number, claim: Number) -> bool:
    if source.ordinal != claim.ordinal or source.unit != claim.unit:
        return False
    return bool(source.unit) or bool(set(source.noun) & set(claim.noun)) or is_year(source) == is_year(claim) is True


def _outweighed(
    claim: Facts,
    source: Facts,
    fact: Number | Date | Name,
    same: Sequence[Number | Date | Name],
    rivals: Sequence[Number | Date | Name],
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


def dated_otherwise(claim: Facts, source: Facts) -> str:
    """The fault where the sentence gives a day a number that the source gives another day: `two hours on Monday`.

    Only where each has a day of its own: in one clause, or nearest with commas counted as some words.
    """
    for number in claim.numbers:
        date = min(claim.dates, key=lambda d: clause_distance(claim, number, d), default=None)
        if date is None or min(claim.numbers, key=lambda n: clause_distance(claim, n, date)) != number:
            continue
        for there in (n for n in source.numbers if number_says(n, number)):
            sentence = source.words[there.first].sentence
            dates = [d for d in source.dates if source.words[d.first].sentence == sentence]
            numbers = [
                n for n in source.numbers if source.words[n.first].sentence == sentence and _comparable(n, there)
            ]
            if len(dates) < 2 or len(numbers) < 2:
                break
            own = min(dates, key=lambda d: clause_distance(source, there, d))
            value = next((n for n in numbers for d in dates if date_says(d, date)
                          and min(numbers, key=lambda m: clause_distance(source, m, d)) == n), None)  # fmt: skip
            if date_says(own, date) or value is None or value == there:
                break
            if any(number_says(value, mine) for mine in claim.numbers):
                break
            return f"The passage says “{value.text}” of {date.text}, not “{number.text}”."
    return ""


def clause_distance(facts: Facts, one: Number | Date | Name, other: Number | Date | Name) -> float:
    """Words between two facts, a comma counted as some."""
    left, right = (one, other) if one.first < other.first else (other, one)
    between = facts.text[facts.words[left.last].end : facts.words[right.first].start]
    return right.first - left.last + _COMMA_WORDS * sum(between.count(sign) for sign in ",;–—")


def placed_otherwise(claim: Facts, source: Facts) -> str:
    """The fault where the sentence has happen in one place what the source has happen in another that it names."""
    for name in _places(claim):
        same = [other for other in _places(source) if same_spelling(other.parts[-1], name.parts[-1])]
        known = {part for mine in claim.names for part in mine.parts}
        rivals = [
            other for other in _places(source) if not any(same_spelling(p, k) for p in other.parts for k in known)
        ]
        everywhere = [other for other in source.names if same_spelling(other.parts[-1], name.parts[-1])]
        fault = _outweighed(claim, source, name, same or everywhere, rivals)
        if fault:
            return fault
    return ""


def _places(facts: Facts) -> list[Name]:
    """The names that `in`, `at` or `near` stands before."""
    return [
        name for name in facts.names
        if name.certain and name.first and facts.words[name.first - 1].plain in {"in", "at", "near", "to", "outside"}
    ]  # fmt: skip


def _comparable(one: Number, other: Number) -> bool:
    if one.unit != other.unit or one.ordinal != other.ordinal:
        return False
    return bool(one.unit) or one.ordinal or bool(set(one.noun) & set(other.noun))


def _nearest(facts: Sequence[Found], to: Name | Number) -> Found | None:
    return min(facts, key=lambda fact: max(fact.first - to.last, to.first - fact.last), default=None)


def in_its_place(claim: Facts, source: Facts, window: Window) -> str:
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
    if any(word.content for word in (*mine, *its) if not is_negation(word)):
        return False
    return any(map(is_negation, mine)) != any(map(is_negation, its))


def _exchanged(claim: Facts, ours: range, source: Facts, theirs: range, *, strict: bool) -> str:
    mine = [name for name in claim.names if name.first in ours and name.last in ours and name.certain]
    its = [name for name in source.names if name.first in theirs and name.last in theirs and name.certain]
    if not mine or not its:
        return ""
    there = {spell(source.words[at].plain) for at in theirs} | {part for name in its for part in name.parts}
    if any(same_spelling(part, other) for name in mine for part in name.parts for other in there):
        return ""
    said = {spell(word.plain) for word in claim.words}
    elsewhere = any(same_spelling(part, other) for name in its for part in name.parts for other in said)
    sentence = source.words[theirs[0]].sentence
    here = {spell(word.plain) for word in source.words if word.sentence == sentence}
    elsewhere |= any(same_spelling(mine[0].parts[-1], word) for word in here)
    if strict and (elsewhere or any(source.words[at].plain in TITLES for at in theirs)):
        return ""
    return f"The passage has {its[0].text} here, not {mine[0].text}."
