"""How certain it is: whether a sentence says as done or as a fact what its source says may be, will be or is said."""

from itertools import pairwise

from rag.claims import SAYING, Window, clear_between, same_speaker, sayings
from rag.denials import is_negation
from rag.facts import Facts, Word, spell
from rag.thesaurus import family, stem
from rag.words import listed

_MAY = frozenset(
    listed("may might could possibly perhaps maybe potentially possible potential likely unlikely probably probable")
)
# What in a sentence keeps open whether it is so, beside the words above.
_OPEN = _MAY | frozenset(
    listed("""would should if whether unless can hopes hoped hope hoping expects expected expect expecting considers
    considering considered consider plans planned plan planning proposes proposed propose proposal proposing
    suggests suggested suggest suggesting suggestion signalled signaled signals signal indicated indicates
    indicate willing ready readiness willingness offers offered offer threatened threatens threat wants wanted
    want aims aim seeks sought seek reportedly alleged allegedly apparently appears appeared appear seems
    seemed seem believed believes believe thinks thought fears feared fear risk risks chance opportunity
    option options idea demand demands demanded conditional depend depends depending about due scheduled set
    intends intended intend pledged promised vowed asks asked urged urges likelihood possibility prospect
    prospects confident confidence optimistic forecast predicted predicts predict will shall yet awaiting
    await awaits pending expects unresolved question questions uncertain unclear unsure doubt provisional
    tentative preliminary open hint hinted hints estimated estimates estimate warned warns warning""")
)
_UNSURE = _MAY | frozenset(
    listed("would should could if whether unless expected expects plans planned hopes hoped aims wants")
)
_FUTURE = frozenset({"will", "shall"})
_FUTURE_THERE = frozenset(
    listed("will shall going plan plans planned set scheduled due expected expects would ll agreed must promised vowed")
)
# After these and `to` a thing is not done yet.
_PLANNING = frozenset(
    stem(word)
    for word in listed("""plan expect schedule set due agree offer promise vow pledge threaten want hope aim
    intend ready likely propose consider ask urge refuse decide seek wish prepare willing
    demand press call yet about need require insist invite order tell encourage free""")
)
_SETTLING = frozenset(
    stem(word) for word in listed("agree decide accept consent promise pledge vow commit resolve undertake")
)
# Words that leave open whether a clause is so, and what whoever is not sure does.
_HEDGES = frozenset(listed("may might could possibly perhaps maybe probably likely potentially allegedly reportedly"))
_DOUBTING = frozenset(
    stem(word)
    for word in listed("believe think suspect expect hope fear assume guess reckon feel seem appear may suggest accuse")
)
_PROVING = frozenset(
    stem(word)
    for word in listed("prove proved proven proof guarantee certain certainly definitely undoubtedly unquestionably")
)
_ASSURING = frozenset(
    stem(word) for word in listed("confirm promise secure assure establish pledge vow swear know show inevitable sure")
)
_LIGHT_VERBS = frozenset(listed("also even still again go going get make take put come"))
_CLAUSE_ENDS = frozenset(listed("that but because although though while whereas if when unless who which and"))
# From which share of its words a clause is what the sentence tells.
_MOST_OF_IT = 0.5
_ALL_OF_IT = 0.75  # where the sentence says that it will be: less far from `may` than that it is
_MODALS = frozenset(listed("will would may might could should can must shall"))
_PAST_AUXILIARIES = frozenset(listed("has have had was were did"))
_REACH_WORDS = 3


def too_certain(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the sentence leaves out that something may be, or has happen what is still to come."""
    checks = (_drops_perhaps, _drops_clause, _will_for_may, _proves, _done, _settled)
    return next((fault for check in checks if (fault := check(claim, source, window))), "")


def _plains(words: tuple[Word, ...] | list[Word]) -> set[str]:
    return {word.plain for word in words}


def _near(source: Facts, window: Window) -> list[Word]:
    return [word for word in source.words if window[0] <= word.sentence <= window[1]]


def _drops_perhaps(claim: Facts, source: Facts, window: Window) -> str:
    """`possibly other leaders`, `may resign`: the sentence has the words that follow and leaves nothing open."""
    stems = {word.stem for word in claim.words}
    leaves_open = _plains(claim.words) & _OPEN
    for at, word in enumerate(source.words):
        if word.plain not in _MAY or not window[0] <= word.sentence <= window[1]:
            continue
        after = [w for w in source.words[at + 1 : at + 6] if w.sentence == word.sentence and w.content][:2]
        if word.plain == "may" and (word.capital or not after):
            continue
        alone = word.plain in {"possibly", "perhaps", "maybe"}
        kept = [w for w in after if not family(w.stem).isdisjoint(stems)]
        if not kept or (alone and len(kept) < len(after)):
            continue
        if alone:
            if not leaves_open & _MAY:
                return f"The passage says “{word.text}” of this; the sentence does not."
        elif not leaves_open:
            return f"The passage says “{word.text}” of this; the sentence says it for certain."
    return ""


def _drops_clause(claim: Facts, source: Facts, window: Window) -> str:
    """The sentence has most words of a clause of the source that may be so, in whatever order, and leaves nothing open.

    Anywhere in the source: `The farm may be fined` tells less than the sentences around it, and is told with them.
    """
    stems = frozenset(word.stem for word in claim.words if word.content)
    if _leaves_open(claim):
        return ""
    enough = _ALL_OF_IT if _plains(claim.words) & _FUTURE else _MOST_OF_IT
    for at, word in enumerate(source.words):
        if word.plain not in _HEDGES or (word.plain == "may" and (word.capital or word.text.isdigit())):
            continue
        before, after = _clause(source, at)
        told = [w for w in after if w.plain not in _LIGHT_VERBS]
        shared = sum(not family(w.stem).isdisjoint(stems) for w in [*before, *told])
        behind = sum(not family(w.stem).isdisjoint(stems) for w in told)
        if behind and shared >= 2 and shared >= enough * (len(before) + len(told)):
            return f"The passage says “{word.text}” of this; the sentence says it for certain."
    return ""


def _leaves_open(claim: Facts) -> bool:
    """Whether the sentence keeps anything open; that something will be does not, nor `about 27,000`."""
    for at, word in enumerate(claim.words):
        after = claim.words[at + 1].plain if at + 1 < len(claim.words) else ""
        if (
            word.plain in _OPEN - _FUTURE
            and (word.plain != "about" or after == "to")
            and (word.plain != "set" or after == "to")
        ):
            return True
    return any(word.stem in _DOUBTING for word in claim.words)


def _clause(source: Facts, place: int) -> tuple[list[Word], list[Word]]:
    """Words of content before and behind a place, up to a sign, to who says it and to what joins another clause."""
    sides: list[list[Word]] = []
    for step in (-1, 1):
        found, at = list[Word](), place
        while 0 <= at + step < len(source.words):
            left, right = sorted((at, at + step))
            word = source.words[at + step]
            if word.sentence != source.words[place].sentence or word.plain in SAYING | _CLAUSE_ENDS:
                break
            if not clear_between(source, source.words[left], source.words[right]):
                break
            at += step
            if word.content and word.plain not in _HEDGES:
                found.append(word)
        sides.append(found)
    return sides[0], sides[1]


def _proves(claim: Facts, source: Facts, window: Window) -> str:
    """`proved`, `no doubt`, `guaranteed` where the source has no such word; `confirmed` where it has a doubt."""
    theirs = {word.stem for word in source.words}
    near = {w.stem for w in source.words if window[0] <= w.sentence <= window[1]}
    for at, word in enumerate(claim.words):
        before = {w.plain for w in claim.words[max(0, at - 4) : at]}
        doubted = bool(near & _DOUBTING or {w.plain for w in source.words} & _HEDGES)
        assures = word.stem in _ASSURING and word.plain != "security" and doubted
        proves = word.stem in _PROVING or (word.plain == "doubt" and "no" in before)
        if (
            word.capital
            or not (proves or assures)
            or (
                word.plain != "doubt"
                and any(is_negation(w) or w.plain in _OPEN for w in claim.words[max(0, at - 4) : at])
            )
        ):
            continue
        if theirs.isdisjoint(_PROVING | _ASSURING | family(word.stem)):
            return f"The passage does not put this as surely as “{word.text}”."
    return ""


def _will_for_may(claim: Facts, source: Facts, window: Window) -> str:
    """`will` where the source only has `may`."""
    ours, theirs = _plains(claim.words), _plains(_near(source, window))
    if not ours & _FUTURE or ours & (_OPEN - _FUTURE) or theirs & _FUTURE_THERE:
        return ""
    hedge = next((word.text for word in _near(source, window) if word.plain in _MAY and not word.capital), "")
    return f"The passage says “{hedge}” of this, not “will”." if hedge else ""


def _done(claim: Facts, source: Facts, window: Window) -> str:
    """A verb in the past of which the source only says that it will, may or is to be."""
    for at, word in enumerate(claim.words):
        if not _is_past(claim, at):
            continue
        there = [place for place, w in enumerate(source.words) if w.stem == word.stem]
        if there and all(_is_to_come(source, place) for place in there):
            return f"The passage says of “{source.words[there[0]].text}” only that it may or is to happen."
    return ""


def _settled(claim: Facts, source: Facts, window: Window) -> str:
    """`agreed to send` where the source has a plan to send, a vote on it or a call for it, and nobody who agreed."""
    theirs = frozenset(w.stem for w in source.words if window[0] - 1 <= w.sentence <= window[1] + 1)
    for at, word in enumerate(claim.words):
        if word.stem not in _SETTLING or word.capital or not claim.words[at + 1 : at + 2]:
            continue
        before = claim.words[max(0, at - 4) : at]
        if claim.words[at + 1].plain != "to" or any(is_negation(w) or w.plain in _OPEN | {"to"} for w in before):
            continue
        if theirs.isdisjoint(_SETTLING | family(word.stem)):
            return f"The passage does not say that anybody {word.text} to do this."
    return ""


def _is_past(facts: Facts, place: int) -> bool:
    """Whether a word is a verb that is said to have happened: `met`, `has agreed`, not `had agreed to meet`."""
    word = facts.words[place]
    if not word.content or word.capital or word.plain in SAYING:
        return False
    before = [w for w in facts.words[max(0, place - 4) : place] if w.sentence == word.sentence]
    if any(is_negation(w) or w.plain in _OPEN | {"to", "be", "being"} for w in before):
        return False
    if not (
        word.plain.endswith("ed")
        or (word.stem != word.plain and stem(word.plain) != word.plain and _is_irregular(word))
    ):
        return False
    after = facts.words[place + 1].plain if place + 1 < len(facts.words) else ""
    subject = before[-1] if before else None
    # `the proposed plan`: an adjective
    return subject is not None and subject.plain not in {"the", "a", "an", "of", "its", "their"} and after != "to"


def _is_irregular(word: Word) -> bool:
    """`met`, whose stem is another word's."""
    return not word.plain.startswith(word.stem[: max(3, len(word.stem) - 1)])


def _is_to_come(facts: Facts, place: int) -> bool:
    """Whether a verb stands in its plain form after a modal, or after `to` that a plan governs."""
    word = facts.words[place]
    if word.plain.endswith(("ed", "ing")) or _is_irregular(word):
        return False
    before = [w for w in facts.words[max(0, place - 4) : place] if w.sentence == word.sentence]
    plains = [w.plain for w in before]
    if plains and (plains[-1] in _MODALS or (len(plains) > 1 and plains[-2] in _MODALS)):
        return True
    if plains and plains[-1] == "to":
        return any(w.stem in _PLANNING for w in before[:-1])
    return False


def states_as_fact(claim: Facts, source: Facts, window: Window) -> str:
    """The doubt where the sentence states as a fact what in the source somebody says, wants or expects."""
    if claim.quoted or _plains(claim.words) & ((SAYING - {"warning"}) | _SAID_OTHERWISE):
        return ""
    near = _near(source, window)
    if (
        not _plains(claim.words) & _UNSURE
        and _plains(claim.words) & _FUTURE
        and not _plains(near) & _FUTURE
        and "would" in _plains(near)
    ):
        told = next((s for s in sayings(source) if window[0] <= s.sentence <= window[1]), None)
        if told is not None:
            return f"In the passage this is what {told.text or 'somebody'} says; the sentence says it for certain."
    judged = _judged(claim, source, window)
    if judged:
        return judged
    return _from_a_quotation(claim, source, window)


def _judged(claim: Facts, source: Facts, window: Window) -> str:
    """`The plan is unworkable`, where the source has somebody call it so."""
    for word, after in pairwise(claim.words):
        if word.plain not in {"is", "are", "was", "were"} or not after.content or after.plain.endswith("ed"):
            continue
        if after.capital or after.plain[0].isdigit() or after.plain in _OPEN or not clear_between(claim, word, after):
            continue
        for at, there in enumerate(source.words):
            if after.plain.endswith("ing") and source.words[at - 1].plain != "as":
                continue  # `is meeting`, not `as insulting`
            if there.stem != after.stem or not window[0] <= there.sentence <= window[1]:
                continue
            said = [w for w in source.words[:at] if w.sentence == there.sentence and w.plain in _JUDGING]
            if not said:
                break
            return f"In the passage this is somebody's word (“{said[-1].text}”); the sentence states it as a fact."
    return ""


# What somebody admits or confirms is so.
_FACTIVE = frozenset(
    listed("confirmed confirms acknowledged acknowledges conceded concedes admitted admits revealed reveals")
)
_VIEWING = frozenset(
    listed(
        """viewed views regards regarded considers considered deemed deems sees saw labelled labeled branded calling
        called"""
    )
)
_JUDGING = (SAYING | _VIEWING) - _FACTIVE
_SAID_OTHERWISE = frozenset(
    listed("""according view views opinion argument claim statement words wish wishes want wants demands calls call
    called criticised criticized praised welcomed rejected rejects dismissed dismisses accused blamed ruled opposes
    opposed supports backs regards regard sees see considers described speaking says
    suspects suspected suspect thinks thought believes believed expects expected fears hopes""")
)


def _from_a_quotation(claim: Facts, source: Facts, window: Window) -> str:
    """What stands between quotation marks only is somebody's word."""
    wanted = {word.stem for word in claim.words if word.content}
    inside, outside = set[str](), set[str]()
    for word in source.words:
        if not window[0] <= word.sentence <= window[1] or word.stem not in wanted:
            continue
        quoted = any(q.start < word.start < q.end and len(q.words) > 4 for q in source.quoted)
        (inside if quoted else outside).add(word.stem)
    if len(inside) >= 3 and len(inside - outside) >= 0.8 * len(inside | outside):
        speaking = [s for s in sayings(source) if window[0] <= s.sentence <= window[1] + 1]
        named = frozenset(key for word in claim.words for key in (word.stem, spell(word.plain)))
        if any(same_speaker(saying.speaker, named) for saying in speaking):
            return ""
        speaker = next((saying.text for saying in speaking), "")
        return f"In the passage this is what {speaker} says; the sentence states it as a fact." if speaker else ""
    return ""
