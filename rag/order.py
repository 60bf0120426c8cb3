"""What stands on which side: cause and effect, before and after."""

from collections.abc import Iterator
from dataclasses import dataclass

from rag.claims import SAYING, Window, clear_between
from rag.facts import Facts, spell
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
# What tells which of two deeds of one sentence came first.
_THEN = frozenset(listed("then afterwards afterward later subsequently thereafter"))
_FIRST = frozenset(listed("first initially originally"))
_LONGEST_CLAUSE = 14
# From which share of a cause's words the source's cause is the same.
_SAME_CAUSE = 0.34


@dataclass(frozen=True, slots=True)
class _Relation:
    """Two stretches of a sentence: the cause or what came first, and the effect or what came then."""

    mark: str
    first: frozenset[str]
    second: frozenset[str]
    causal: bool
    sentence: int


def wrong_order(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the sentence has cause and effect, or before and after, the other way round."""
    theirs = [r for r in _relations(source) if window[0] - 1 <= r.sentence <= window[1] + 1]
    for ours in _relations(claim):
        both = ours.first & ours.second
        one, two = ours.first - both, ours.second - both
        fits = [(count_alike(one, other.first), count_alike(two, other.second)) for other in theirs]
        crosses = [(count_alike(one, other.second), count_alike(two, other.first)) for other in theirs]
        best = max((sum(fit) for fit in fits if min(fit)), default=0)
        turned = max((sum(cross) for cross in crosses if min(cross)), default=0)
        alike = any(other.causal == ours.causal and min(cross) for other, cross in zip(theirs, crosses, strict=True))
        if turned > best + 1 and turned >= (2 if alike else 3):
            return f"The passage has {'cause and effect' if ours.causal else 'before and after'} the other way round."
        if ours.causal and len(one) >= 2 and _other_cause(one, two, theirs):
            return "The passage gives another cause of this."
    return ""


def _other_cause(cause: frozenset[str], effect: frozenset[str], theirs: list[_Relation]) -> bool:
    """Whether the source gives causes, and none that tells of this effect has a fair share of the cause's words."""
    causes = [r for r in theirs if r.causal and len(r.first) >= 2]
    same = [r for r in causes if count_alike(effect, r.second)] or causes
    return bool(same) and max(count_alike(cause, r.first) for r in same) < _SAME_CAUSE * len(cause)


def count_alike(one: frozenset[str], other: frozenset[str]) -> int:
    """How many of one side's words have one of the same family on the other."""
    return sum(not family(stem_).isdisjoint(other) for stem_ in one)


def _relations(facts: Facts) -> list[_Relation]:
    return [*_read_relations(facts), *_blamed(facts), *_in_turn(facts)]


def _read_relations(facts: Facts) -> Iterator[_Relation]:
    for marks, first_before, causal in (
        (_BECAUSE, False, True), (_CAUSES, True, True), (_AFTER, False, False), (_BEFORE, True, False),
    ):  # fmt: skip
        for at, word in enumerate(facts.words):
            mark = next((m for m in marks if tuple(w.plain for w in facts.words[at : at + len(m)]) == m), None)
            if facts.text[word.end : word.end + 1] == "-":
                mark = None  # `after-meal walks`
            if mark is None and marks is _CAUSES and word.plain == "led":
                # `led Kyiv to seek`
                mark = ("led",) if any(w.plain == "to" for w in facts.words[at + 1 : at + 5]) else None
            if mark is None or (mark == ("forced",) and facts.words[at - 1].plain in {"was", "were", "been"}):
                continue
            after = facts.words[at + len(mark)].plain if at + len(mark) < len(facts.words) else ""
            # `after which` tells what came then; `since 1998` compares with no deed
            if (
                (marks is _CAUSES and after == "by")
                or after in {"which", "that"}
                or (mark == ("since",) and after[:1].isdigit())
            ):
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


def _in_turn(facts: Facts) -> Iterator[_Relation]:
    """`They first sang and then lit tyres`, `It was cut first and moved afterwards`, `sold, after which it closed`."""
    words = facts.words
    for at, word in enumerate(words):
        sentence = [p for p, w in enumerate(words) if w.sentence == word.sentence]
        which = word.plain == "after" and words[at + 1 : at + 2] and words[at + 1].plain in {"which", "that"}
        if not which and word.plain not in _THEN:
            continue
        firsts = [p for p in sentence if words[p].plain in _FIRST and p < at]
        cut = next(
            (
                p for p in range(at, max(sentence[0], at - _LONGEST_CLAUSE), -1)
                if words[p].plain in {"and", "but", "before"} or not clear_between(facts, words[p - 1], words[p])
            ),
            0,
        )  # fmt: skip
        if not cut or (word.plain == "later" and not firsts and words[at - 1].plain not in {"and", "then", "only"}):
            continue
        begin = sentence[0]
        if firsts and firsts[-1] > begin and not clear_between(facts, words[firsts[-1] - 1], words[firsts[-1]]):
            begin = firsts[-1]
        first = _stems(facts, [p for p in range(begin, cut) if words[p].plain not in _FIRST])
        end = next(
            (p for p in range(cut, sentence[-1] + 1) if words[p].plain in SAYING | {"according"}), sentence[-1] + 1
        )
        second = _stems(facts, [p for p in range(cut, end) if words[p].plain not in _THEN])
        if first and second:
            yield _Relation(word.text, first, second, False, word.sentence)
    for at, word in enumerate(words):
        when = next((p for p in range(at + 1, min(len(words), at + 8)) if words[p].plain in {"when", "by"}), 0)
        if word.plain == "already" and when and words[at - 1].plain in {"had", "was", "were"}:
            first = _stems(facts, _side(facts, range(when - 1, -1, -1)))
            second = _stems(facts, _side(facts, range(when + 1, len(words))))
            if first and second:
                yield _Relation("already", first, second, False, word.sentence)


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
