"""What stands on which side: cause and effect, before and after, who does it to whom, which of two is more."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.claims import SAYING, Window, clear_between
from rag.facts import Facts, Name, Number, Word, number_says, same_spelling, spell
from rag.thesaurus import family
from rag.words import listed


def _marks(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(mark.split()) for mark in text.split("|"))


# Marks between a cause and its effect, the cause first and the effect first; and between earlier and later.
_CAUSES = _marks(
    """
    led to | leads to | lead to | leading to | caused | causes | causing | resulted in | results in |
    resulting in | prompted | prompts | prompting | triggered | triggers | triggering | contributed to |
    contributes to | contributing to | sparked | sparks | brought about | forced | forcing | gave rise to |
    meant that | so that | which is why | drove | driven to
    """
)
_BECAUSE = _marks(
    """
    because of | because | due to | as a result of | as a consequence of | caused by | brought on by |
    triggered by | prompted by | sparked by | driven by | owing to | thanks to | blamed on | stems from |
    stemmed from | stemming from | in response to | resulted from | results from | resulting from |
    on account of | in the wake of | in retaliation for
    """
)
_AFTER = (("after",), ("following",), ("since",), ("once",))
_BEFORE = (("before",), ("ahead", "of"), ("prior", "to"), ("until",))
_ENDS = frozenset(listed("but although though however while whereas that which who said says and"))
_LONGEST_SIDE = 18


@dataclass(frozen=True, slots=True)
class _Relation:
    """Two stretches of a sentence: the cause or what came first, and the effect or what came then."""

    mark: str
    first: frozenset[str]
    second: frozenset[str]
    causal: bool
    sentence: int


def wrong_order(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the sentence has cause and effect, before and after, doer and done-to the other way round."""
    return (
        _crossed(claim, source, window)
        or _turned_round(claim, source, window)
        or _changed_places(claim, source, window)
        or _less(claim, source, window)
    )


def _crossed(claim: Facts, source: Facts, window: Window) -> str:
    theirs = [r for r in _relations(source) if window[0] - 1 <= r.sentence <= window[1] + 1]
    for ours in _relations(claim):
        both = ours.first & ours.second
        one, two = ours.first - both, ours.second - both
        fits = [(_alike(one, other.first), _alike(two, other.second)) for other in theirs]
        crosses = [(_alike(one, other.second), _alike(two, other.first)) for other in theirs]
        best = max((sum(fit) for fit in fits if min(fit)), default=0)
        turned = max((sum(cross) for cross in crosses if min(cross)), default=0)
        alike = any(other.causal == ours.causal and min(cross) for other, cross in zip(theirs, crosses, strict=True))
        if turned > best + 1 and turned >= (2 if alike else 3):
            return f"The passage has {'cause and effect' if ours.causal else 'before and after'} the other way round."
        causes = [fit[0] for fit, other in zip(fits, theirs, strict=True) if other.causal and len(other.first) >= 2]
        if ours.causal and causes and not any(causes) and not best and len(one) >= 2:
            return "The passage gives another cause of this."
    return ""


def _alike(one: frozenset[str], other: frozenset[str]) -> int:
    """How many of one side's words have one of the same family on the other."""
    return sum(not family(stem_).isdisjoint(other) for stem_ in one)


def _relations(facts: Facts) -> list[_Relation]:
    return [*_read_relations(facts), *_blamed(facts)]


def _read_relations(facts: Facts) -> Iterator[_Relation]:
    for marks, first_before, causal in (
        (_BECAUSE, False, True), (_CAUSES, True, True), (_AFTER, False, False), (_BEFORE, True, False),
    ):  # fmt: skip
        for at, word in enumerate(facts.words):
            mark = next((m for m in marks if tuple(w.plain for w in facts.words[at : at + len(m)]) == m), None)
            if mark is None and marks is _CAUSES and word.plain == "led":
                # `led Kyiv to seek`
                mark = ("led",) if any(w.plain == "to" for w in facts.words[at + 1 : at + 5]) else None
            if mark is None or (mark == ("forced",) and facts.words[at - 1].plain in {"was", "were", "been"}):
                continue
            if marks is _CAUSES and at + 1 < len(facts.words) and facts.words[at + 1].plain == "by":
                continue
            left = _side(facts, range(at - 1, -1, -1))
            right = _side(facts, range(at + len(mark), len(facts.words)), opening=not left)
            if not left and right:
                # `After the talks ended, …`, `Before the vote the opposition …`
                subject = next((p for p in right[2:5] if facts.words[p].plain in {"the", "a"}), 0)
                right = [p for p in right if p < subject] if subject else right
                comma = right[-1] + 1
                left = _side(facts, range(comma, len(facts.words)), skip_comma=True)
            if left and right:
                sides = _stems(facts, left), _stems(facts, right)
                first, second = sides if first_before else (sides[1], sides[0])
                yield _Relation(" ".join(mark), first, second, causal, word.sentence)


def _blamed(facts: Facts) -> Iterator[_Relation]:
    """`They blamed the delay on the storm`: the cause comes last."""
    for at, word in enumerate(facts.words):
        on = next((p for p in range(at + 1, min(len(facts.words), at + 12)) if facts.words[p].plain == "on"), 0)
        if word.stem == "blame" and on > at + 1:
            cause = _stems(facts, _side(facts, range(on + 1, len(facts.words))))
            yield _Relation("blamed", cause, _stems(facts, list(range(at + 1, on))), True, word.sentence)


def _stems(facts: Facts, places: list[int]) -> frozenset[str]:
    return frozenset(
        spell(facts.words[at].plain)
        if facts.words[at].capital and not facts.words[at].initial
        else facts.words[at].stem
        for at in places
        if facts.words[at].content
    )


def _side(facts: Facts, places: range, *, opening: bool = False, skip_comma: bool = False) -> list[int]:
    """Places from the mark outwards to where the clause ends."""
    found: list[int] = []
    step = places.step
    for at in places:
        if found:
            before = found[-1]
            left, right = sorted((at, before))
            gap = facts.text[facts.words[left].end : facts.words[right].start]
            if facts.words[left].sentence != facts.words[right].sentence:
                break
            if any(sign in gap for sign in (';:“”"' if not opening else ';:,“”"')):
                break
            if "," in gap and len(found) > 4 and step > 0:
                break
            if facts.words[at].plain in _ENDS and facts.words[at].plain != ("and" if step < 0 else "that"):
                break
        elif not skip_comma:
            anchor = at - step
            if 0 <= anchor < len(facts.words) and facts.words[anchor].sentence != facts.words[at].sentence:
                break
        found.append(at)
        if len(found) == _LONGEST_SIDE:
            break
    return found


# Who does it to whom

_BE = frozenset(listed("is are was were be been being"))
_SLIDES = frozenset(listed("the a an its his her their of s has have had also then already again later"))
_TOWARDS = frozenset(listed("to from against by"))


def _changed_places(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where two names have each other's part: doer and done-to, from whom and to whom."""
    ours = _parts(claim, range(len(claim.names)))
    if len(ours) < 2:
        return ""
    for sentence in range(window[0], window[1] + 1):
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
    for verb, name, part in _deeds(claim, (0, len(claim.text))):
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
    return _alike(mine, theirs) >= 2


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


# Which of two is more

_MORE = frozenset(listed("more longer higher larger bigger greater later older heavier faster stronger better farther"))
_LESS = frozenset(listed("less fewer shorter lower smaller earlier younger lighter slower weaker worse nearer"))


def _less(claim: Facts, source: Facts, window: Window) -> str:
    """`Monday's meeting lasted longer than Sunday's`, where the source gives both lengths, and the other is longer."""
    for at, word in enumerate(claim.words):
        side = word.plain in _MORE or (-1 if word.plain in _LESS else 0)
        than = next((p for p in range(at + 1, min(len(claim.words), at + 5)) if claim.words[p].plain == "than"), 0)
        if not side or not than or any(than < n.first <= than + 2 for n in claim.numbers):
            continue
        left = {w.stem for w in claim.words[:at] if w.content and w.sentence == word.sentence}
        right = {w.stem for w in claim.words[than + 1 :] if w.content and w.sentence == word.sentence}
        one = _number_of(source, window, left - right)
        two = _number_of(source, window, right - left)
        if one is None or two is None or one == two or one.unit != two.unit or number_says(one, two):
            continue
        if (one.low > two.low) != (side is True or side == 1):
            return f"The passage says “{one.text}” of the one and “{two.text}” of the other."
    return ""


def _number_of(source: Facts, window: Window, words: set[str]) -> Number | None:
    """The number nearest to one of the words, in the same clause."""
    best: tuple[float, Number] | None = None
    for number in source.numbers:
        sentence = source.words[number.first].sentence
        if number.ordinal or not window[0] <= sentence <= window[1]:
            continue
        for at, word in enumerate(source.words):
            if word.stem not in words or word.sentence != sentence or number.first <= at <= number.last:
                continue
            distance = clause_distance(source, number, at)
            if best is None or distance < best[0]:
                best = distance, number
    return best[1] if best else None


def clause_distance(facts: Facts, fact: Number, place: int) -> float:
    """Words between a fact and a place, more where a comma stands between."""
    first, last = (fact.last, place) if place > fact.last else (place, fact.first)
    between = facts.text[facts.words[first].end : facts.words[last].start]
    return last - first + 6.0 * sum(between.count(sign) for sign in ",;–—")
