"""Who does it to whom: two names, or a name and a deed, that have each other's part in a source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.claims import EVERYWHERE, SAYING, SKIPPED, Window, clear_between, mentions, same_speaker, sayings
from rag.facts import FUNCTION_WORDS, Facts, Name, Word, same_spelling
from rag.order import count_alike
from rag.roles import roles_of
from rag.thesaurus import family
from rag.words import listed


def wrong_deed(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where in the source somebody else does it, or it is done to whoever does it in the sentence."""
    return (
        _wrong_doer(claim, source, window)
        or _turned_round(claim, source, window)
        or _changed_places(claim, source, window)
        or _done_to_the_doer(claim, source)
        or _of_somebody_else(claim, source)
    )


_BE = frozenset(listed("is are was were be been being"))
_SLIDES = frozenset(listed("the a an its his her their of s has have had also then already again later"))
_TOWARDS = frozenset(listed("to from against by"))


def _changed_places(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where two names have each other's part: doer and done-to, from whom and to whom."""
    ours = _parts(claim, range(len(claim.names)))
    if len(ours) < 2 or not source.words:
        return ""
    for sentence in range(window[0], min(window[1], source.words[-1].sentence) + 1):
        mine = [at for at, name in enumerate(source.names) if source.words[name.first].sentence == sentence]
        theirs = _parts(source, mine)
        for at, (one, part) in enumerate(ours):
            for two, other_part in ours[at + 1 :]:
                if part == other_part:
                    continue
                parts_one = {p for name, p in theirs if _same(name, one)}
                parts_two = {p for name, p in theirs if _same(name, two)}
                if parts_one == {other_part} and parts_two == {part} and _shares_verb(claim, source, sentence):
                    return f"The passage has {one.text} and {two.text} the other way round."
    return ""


def _turned_round(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where whoever does something has it done to them in the source, or the other way round."""
    theirs = _deeds(source, window)
    for verb, name, part in _deeds(claim, EVERYWHERE):
        same = {p for v, n, p in theirs if not family(v).isdisjoint({verb}) and _same(n, name)}
        if same and part not in same:
            return f"The passage has {name.text} on the other side of “{verb}…”."
    return ""


def _deeds(facts: Facts, window: Window) -> list[tuple[str, Name, str]]:
    """Stem of a verb, a name right beside it, and whether the name does it or has it done to it."""
    found = []
    for name in facts.names:
        if not name.certain or not window[0] <= facts.words[name.first].sentence <= window[1]:
            continue
        part = _part(facts, name)
        if part not in {"doer", "done to"}:
            continue
        verb = _verb_of(facts, name, part)
        if verb is not None:
            found.append((verb.stem, name, part))
    return found


def _verb_of(facts: Facts, name: Name, part: str) -> Word | None:
    """The verb beside a name: behind a doer, before one it is done to; a passive's the other way round."""
    words, steps = facts.words, range(1, 6)
    behind = [words[name.last + step] for step in steps if name.last + step < len(words)]
    before = [words[name.first - step] for step in steps if name.first - step >= 0]
    passive = bool(behind) and behind[0].plain in _BE
    by = any(w.plain == "by" for w in before[:3])
    near = before if (part == "doer") == by and not passive else behind
    verb = next((w for w in near if _is_verb(w) and not w.capital and w.sentence == words[name.first].sentence), None)
    before_verb = words[words.index(verb) - 1].plain if verb is not None else ""
    return None if before_verb in {"the", "a", "an", "of", "its", "their"} else verb  # `the backing`


def _same(one: Name, other: Name) -> bool:
    return same_spelling(one.parts[-1], other.parts[-1])


def _shares_verb(claim: Facts, source: Facts, sentence: int) -> bool:
    named = {at for name in claim.names for at in range(name.first, name.last + 1)}
    mine = frozenset(w.stem for at, w in enumerate(claim.words) if w.content and at not in named)
    theirs = frozenset(w.stem for w in source.words if w.content and w.sentence == sentence)
    return count_alike(mine, theirs) >= 2


def _parts(facts: Facts, which: range | list[int]) -> list[tuple[Name, str]]:
    """Each name with its part: `doer`, `done to`, or the preposition before it."""
    found = []
    for number in which:
        name = facts.names[number]
        if name.certain and (part := _part(facts, name)):
            found.append((name, part))
    return found


def _part(facts: Facts, name: Name) -> str:
    words = facts.words
    if words[name.last].text.endswith(("'s", "’s")) or _is_adjective(facts, name):
        return ""
    at = name.first - 1
    while (
        at >= 0
        and (words[at].plain in _SLIDES or (words[at].capital and not words[at].initial))
        and words[at].sentence == words[name.first].sentence
    ):
        at -= 1
    before = words[at] if at >= 0 and words[at].sentence == words[name.first].sentence else None
    if before is not None and before.plain in _TOWARDS:
        return "doer" if before.plain == "by" else before.plain
    after = name.last + 1
    while after < len(words) and words[after].plain in {
        "has",
        "have",
        "had",
        "also",
        "then",
        "already",
        "again",
        "later",
        "will",
        "would",
    }:
        after += 1
    if (
        after < len(words)
        and words[after].sentence == words[name.first].sentence
        and words[after].start - words[name.last].end < 25
    ):
        word = words[after]
        if word.plain in _BE and after + 1 < len(words):
            return "done to" if words[after + 1].plain.endswith(("ed", "en")) else ""
        if (
            _is_verb(word)
            and not word.capital
            and (before is None or before.plain not in {"with", "in", "on", "for", "at", "and"})
        ):
            return "doer"
    if before is not None and _is_verb(before) and not before.capital:
        return "done to"
    return ""


def _is_adjective(facts: Facts, name: Name) -> bool:
    """`the American plan`: a people's name with what is theirs right behind it."""
    after = facts.words[name.last + 1] if name.last + 1 < len(facts.words) else None
    return bool(
        after is not None
        and re.search(r"(an|ese|ish|ch|i|ic)$", facts.words[name.last].plain)
        and after.content
        and clear_between(facts, facts.words[name.last], after)
    )


def _is_verb(word: Word) -> bool:
    """Whether a word is a verb by its form: `praised`, `met`, `praising`; of `praises` this cannot be told.

    Who says something is told elsewhere, since `said Merz` turns the order round.
    """
    return (
        word.content
        and word.plain not in SAYING
        and (word.plain.endswith(("ed", "ing")) or not word.plain.startswith(word.stem[: max(3, len(word.stem) - 1)]))
    )


def _wrong_doer(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where a verb of both has another name before it, and the sentence's name is in the source too."""
    theirs = _doers(source, window)
    for verb, (doer, text) in _doers(claim, EVERYWHERE).items():
        other = theirs.get(verb)
        if other is None or same_speaker(doer, other[0]) or not mentions(source, window, doer):
            continue
        return f"In the passage it is {other[1]}, not {text}, of whom “{verb}…” is said."
    return ""


def _doers(facts: Facts, window: Window) -> dict[str, tuple[frozenset[str], str]]:
    """Stem of a verb -> the name that stands directly before it."""
    found: dict[str, tuple[frozenset[str], str]] = {}
    ends = {name.last: name for name in facts.names if name.certain}
    for place, name in ends.items():
        if facts.words[place].text.endswith(("'s", "’s")) or not window[0] <= facts.words[place].sentence <= window[1]:
            continue
        at = place + 1
        while at < len(facts.words) and (facts.words[at].plain in SKIPPED or facts.words[at].plain.endswith("ly")):
            if facts.words[at].plain in {"is", "was", "were", "are"}:
                break
            at += 1
        if at >= len(facts.words) or not clear_between(facts, facts.words[place], facts.words[at]):
            continue
        word = facts.words[at]
        if word.content and not word.capital and re.search(r"(ed|s)$", word.plain):
            parts = frozenset(name.parts)
            found.setdefault(word.stem, (parts, name.text))
    return found


# A subject and an object of any words

_PRONOUNS = frozenset(listed("he she they it him her them"))
_NO_SUBJECT = frozenset(listed("and but or who which that then"))
_CLAUSE_STARTS = SAYING | frozenset(listed("that but because while although though after before when if"))


@dataclass(frozen=True, slots=True)
class _Act:
    """An active verb: the keys of the last word before it, all that stand before it, and all behind it."""

    verb: str
    doer: frozenset[str]
    before: frozenset[str]
    after: frozenset[str]
    pronoun_before: bool
    pronoun_after: bool
    text: str
    certain: bool


def _done_to_the_doer(claim: Facts, source: Facts) -> str:
    """`Anglers paid the warden`, where the source has `He paid local anglers`."""
    theirs = list(_acts(source))
    for ours in (act for act in _acts(claim) if act.certain):
        for other in theirs:
            if other.verb != ours.verb or not ours.doer or not ours.doer.isdisjoint(other.before):
                continue
            told = not ours.doer.isdisjoint(other.after)
            doing = bool((ours.after & other.before) - other.after)
            if (told and (doing or other.pronoun_before)) or (doing and other.pronoun_after):
                return f"In the passage it is not {ours.text} of whom “{ours.verb}…” is said, but the other side."
    return ""


def _acts(facts: Facts) -> Iterator[_Act]:
    words = facts.words
    for at, word in enumerate(words):
        if not _may_be_verb(facts, at):
            continue
        place = at - 1
        while place > 0 and (words[place].plain in SKIPPED or words[place].plain.endswith("ly")):
            place -= 1
        if word.plain.endswith("ing") and not clear_between(facts, words[at - 1], word):
            continue  # `It wrote to the farms, asking them`: who asks stands further off
        if place < 0 or any(words[p].plain in _BE for p in range(place + 1, at)) or words[place].plain in _BE:
            continue
        start = _clause_start(facts, at)
        if words[place].plain == "who" and place > start:
            start = _phrase_start(facts, place - 1)
            place -= 1
        if place < start or words[place].plain in _NO_SUBJECT:
            continue
        end = next(
            (p for p in range(at + 1, len(words)) if words[p].sentence != word.sentence or words[p].plain in SAYING),
            len(words),
        )
        first = _phrase_start(facts, place)
        pronoun = words[place].plain in {"he", "she"}
        yield _Act(
            word.stem,
            frozenset() if not words[place].content else _keys_at(facts, place),
            _keys(facts, range(start, at)),
            _keys(facts, range(at + 1, end)),
            pronoun,
            at + 1 < len(words) and words[at + 1].plain in {"him", "her", "them"},
            facts.text[words[first].start : words[place].end],
            certain=not (word.plain.endswith("s") and not _is_verb(word)),
        )


def _may_be_verb(facts: Facts, place: int) -> bool:
    """Whether a word may be an active verb by its form and neighbours: `paid`, `Herders pay the firm`."""
    words = facts.words
    word = words[place]
    if (
        not word.content
        or word.capital
        or word.plain[0].isdigit()
        or word.plain in SAYING
        or not 0 < place < len(words) - 1
    ):
        return False
    before, after = words[place - 1], words[place + 1]
    if before.sentence != word.sentence or before.plain in {"the", "a", "an", "of", "its", "their", "his", "her", "to"}:
        return False
    if after.plain == "by":
        return False
    opens = after.capital or after.plain in {"the", "a", "an", "its", "their", "his", "her", "them", "him", "it"}
    subject = before.plain in _PRONOUNS or (before.content and not before.plain.endswith("s"))
    acts = subject and word.plain.endswith("s") and not word.plain.endswith("ss")
    return _is_verb(word) or acts or (opens and clear_between(facts, word, after) and after.sentence == word.sentence)


def _clause_start(facts: Facts, place: int) -> int:
    words = facts.words
    at = place
    while at > 0 and words[at - 1].sentence == words[place].sentence and words[at - 1].plain not in _CLAUSE_STARTS:
        at -= 1
    return at


def _phrase_start(facts: Facts, place: int) -> int:
    """First place of the words that end at a place and belong to one phrase: up to an article, a sign, a verb."""
    at = place
    while at > 0 and facts.words[at - 1].sentence == facts.words[place].sentence:
        before = facts.words[at - 1]
        if not clear_between(facts, before, facts.words[at]) or before.plain in FUNCTION_WORDS:
            break
        at -= 1
    return at


def _keys_at(facts: Facts, place: int) -> frozenset[str]:
    """The stem of a word, or the parts of the name that it ends."""
    name = next((n for n in facts.names if n.first <= place <= n.last and n.certain), None)
    return frozenset(name.parts) if name is not None else frozenset({facts.words[place].stem})


def _keys(facts: Facts, places: range) -> frozenset[str]:
    return frozenset(key for at in places if facts.words[at].content for key in _keys_at(facts, at))


# One person in the sentence, another in what it is taken from

_FEWEST_SHARED = 3


def _of_somebody_else(claim: Facts, source: Facts) -> str:
    """The fault where the sentence names one person, and the source's sentence that it is taken from only another."""
    speaking = frozenset(key for saying in sayings(source) for key in saying.speaker)
    people = [name for name in source.names if name.certain and len(name.parts) > 1]
    people = [name for name in people if name.parts[-1] in speaking] + [role.name for role in roles_of(source)]
    ours = [name for name in claim.names if any(_same(name, person) for person in people)]
    if not ours or any(not _same(name, ours[0]) for name in ours):
        return ""
    if claim.words[ours[0].last].text.endswith(("'s", "’s")):
        return ""
    named = {at for name in claim.names for at in range(name.first, name.last + 1)}
    wanted = {w.stem for at, w in enumerate(claim.words) if w.content and at not in named and w.plain not in SAYING}
    count = source.words[-1].sentence + 1
    stems = [frozenset(w.stem for w in source.words if w.sentence == number) for number in range(count)]
    shared = [sum(not family(word).isdisjoint(there) for word in wanted) for there in stems]
    best = max(range(count), key=lambda number: shared[number])
    there = [name for name in source.names if source.words[name.first].sentence == best and name.certain]
    others = [name for name in there if any(_same(name, person) for person in people)]
    if shared[best] < max(_FEWEST_SHARED, 0.5 * len(wanted)) or not others:
        return ""
    if any(_same(name, ours[0]) for name in there) or any(
        _same(name, other) for name in others for other in claim.names
    ):
        return ""
    if any(w.sentence == best and w.plain in {"he", "she", "his", "her"} for w in source.words):
        return ""
    rest = [n for name in source.names if _same(name, ours[0]) for n in [source.words[name.first].sentence]]
    if any(2 * shared[number] > shared[best] for number in rest):
        return ""
    return f"The passage says this with the name {others[0].text}, not {ours[0].text}."
