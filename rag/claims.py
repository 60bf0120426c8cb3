"""Who says and who does what in a sentence, and whether a source has somebody else say or do it.

The checks read word order, not grammar, and give the fault in words, or "": where the order is not plain they say
nothing.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.facts import FUNCTION_WORDS, TITLES, Facts, Name, Word, same_spelling, spell
from rag.names import nation_of
from rag.roles import Role, holders, offices_in, roles_of

# First and last sentence of the stretch of a source that is compared.
Window = tuple[int, int]
"""First and last sentence of a stretch of a text."""
EVERYWHERE: Window = (0, 10**6)


def clear_between(facts: Facts, left: Word, right: Word) -> bool:
    """Whether no sign parts two words."""
    return not re.search(r"[,;:“”\"()]|\s[–—-]\s", facts.text[left.end : right.start])


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


SAYING = _listed(
    """said says say saying told tells telling added adds adding stated stating stressed stresses stressing warned warns
    warning claimed claims argued argues arguing announced announces wrote writes posted acknowledged acknowledges
    described describes called calling insisted insists insisting noted noting denied denies explained explains
    emphasised emphasized emphasises emphasizes emphasising emphasizing indicated indicates signalled signaled suggested
    suggests reiterated reiterates confirmed confirms declared declares conceded concedes admitted admits tweeted
    promised urged urges predicted believes believed believe thinks estimated estimates estimate
    informed informs reported reports cautioned vowed asserted asserts
    confessed revealed reveals testified joked jokes remarked commented quipped recalled shouted pledged vowed"""
)
# Who judges says so, though no word of saying tells it.
_JUDGING = _listed(
    """rejected rejects dismissed dismisses criticised criticized condemned praised welcomed blamed accused backed
    demanded demands asked asks hailed defended questioned quoted chairs wants expects hopes"""
)
_INVERTED = _listed("said says wrote writes added adds explained noted stressed warned")
_BEFORE_INFINITIVE = _listed("to will would may might can could shall should must do does did not cannot")
_PRONOUNS = frozenset({"he", "she", "they", "it", "who", "we", "i"})
# What may stand between somebody and the verb.
SKIPPED = _listed(
    """has have had also then later again already recently previously repeatedly strongly earlier now once still so far
    ever never often always only additionally today yesterday is was were are will would could"""
)
_AUXILIARIES = _listed("has have had is was are were will would could")
_ARTICLES = frozenset({"the", "a", "an", "one"})
# Share of the most words that any sentence has in common with what is said.
_AS_MUCH = 0.8
# `Russia's Defense Ministry` speaks for Russia; `Russia's Lavrov` is told by his own name.
_HOUSES = _listed(
    """ministry army military government police court parliament force forces navy agency office bank authority
    authorities council commission department embassy"""
)
_NP_WORDS = frozenset({"the", "a", "an", "of", "and", "its", "his", "her", "their"})


@dataclass(frozen=True, slots=True)
class Saying:
    """Someone says something: `speaker` holds normalised words; a pronoun's is empty."""

    speaker: frozenset[str]
    named: bool
    text: str
    verb: int
    sentence: int
    phrase: tuple[Word, ...] = ()


def _noun_phrase(facts: Facts, places: Iterable[int], anchor: int) -> list[int]:
    """Places of the words that make the phrase next to `anchor`, walked outwards until the order breaks."""
    words, found, before = facts.words, list[int](), anchor
    for place in places:
        left, right = sorted((place, before))
        if words[left].sentence != words[right].sentence:
            break
        if not clear_between(facts, words[left], words[right]):
            # `the UN's agency, UNICEF`
            apposed = place > anchor and found and words[place].capital
            if not apposed or facts.text[words[left].end : words[right].start].strip() != ",":
                break
        plain = words[place].plain
        if found and plain in ({"from"} if place > anchor else {"in", "on", "at", "for", "from"}):
            before = place
            continue
        if plain in _PRONOUNS and not found:
            return [place]
        if found and place > anchor and plain in _AUXILIARIES:
            break
        if plain in FUNCTION_WORDS - _NP_WORDS and not words[place].text.isupper():
            if plain in SKIPPED and not found:
                before = place
                continue
            break
        if plain in SKIPPED or (plain.endswith("ly") and not found):
            before = place
            continue
        if plain in SAYING and found:
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
        house = any(words[later].plain in _HOUSES for later in kept[at + 1 :])
        if word.plain in TITLES or (owner and followed_by_name and not house):
            continue
        keys.add(spell(word.plain) if place in named else word.stem)
    text = facts.text[words[places[0]].start : words[places[-1]].end] if places else ""
    return frozenset(keys), any(place in named for place in kept), text


def sayings(facts: Facts, verbs: frozenset[str] = SAYING) -> list[Saying]:
    """Who says something in this text, in order; a pronoun takes the speaker or first name of the text before it."""
    words, found = facts.words, list[Saying]()
    for place, word in enumerate(words):
        if word.plain == "according" and place + 2 < len(words):
            start = place + 2 if words[place + 1].plain == "to" else place + 1
            phrase = _noun_phrase(facts, range(start, len(words)), place + 1)
        elif word.plain in verbs and _is_passive(words, place):
            # `he was told by Merz`
            by = place + 1 < len(words) and words[place + 1].plain == "by"
            phrase = _noun_phrase(facts, range(place + 2, len(words)), place + 1) if by else []
        elif word.plain in verbs and not word.capital and not (word.plain == "say" and _is_infinitive(words, place)):
            if word.plain == "warning" and place and clear_between(facts, words[place - 1], word):
                continue  # `a single warning`: no verb
            if place and words[place - 1].plain == "and":
                continue  # `… has offered two years and says`: whoever began the sentence
            phrase = _noun_phrase(facts, range(place - 1, -1, -1), place)
            if not phrase and _is_inverted(facts, place):
                phrase = _noun_phrase(facts, range(place + 1, len(words)), place)
            if not phrase:
                phrase = _first_name(facts, word)
        else:
            continue
        if not phrase:
            continue
        if words[phrase[-1]].plain == "who":
            phrase = _last_name(facts, phrase[-1]) or phrase
        if words[phrase[-1]].plain in _PRONOUNS:
            earlier = found[-1] if found else None
            speaker, named, text = (
                (earlier.speaker, earlier.named, earlier.text) if earlier else (frozenset(), False, "")
            )
        else:
            speaker, named, text = _speaker(facts, phrase)
        found.append(Saying(speaker, named, text, place, word.sentence, tuple(words[at] for at in phrase)))
    return found


def _is_infinitive(words: Sequence[Word], place: int) -> bool:
    """`to say`, `would not say`."""
    return any(word.plain in _BEFORE_INFINITIVE for word in words[max(0, place - 2) : place])


def _is_passive(words: Sequence[Word], place: int) -> bool:
    """`They were told`, `it is said`: whoever stands before it does not speak."""
    return place > 0 and words[place - 1].plain in {"is", "are", "was", "were", "be", "been", "being"}


def _is_inverted(facts: Facts, place: int) -> bool:
    """Whether the speaker comes after the verb: `“…,” said Merz`, `…, said the Kremlin on Monday`.

    Not so in `Kaplan, his lawyer, said Kevin is well`: without a quotation before it the speaker must end the clause.
    """
    words = facts.words
    if words[place].plain not in _INVERTED or place + 1 >= len(words):
        return False
    if not clear_between(facts, words[place], words[place + 1]):
        return False
    # `said roboticist Daniel Huber`
    if words[place + 1].plain not in _ARTICLES and not any(word.capital for word in words[place + 1 : place + 4]):
        return False
    if re.search(r"[”\"]\W*$", facts.text[: words[place].start]):
        return True
    phrase = _noun_phrase(facts, range(place + 1, len(words)), place)
    last = phrase[-1] if phrase else place
    if last + 1 >= len(words) or not clear_between(facts, words[last], words[last + 1]):
        return True
    return words[last + 1].sentence != words[last].sentence or words[last + 1].plain in {"on", "in", "at", "after"}


def _first_name(facts: Facts, verb: Word) -> list[int]:
    """The sentence's first name before the verb, and one set off by a comma: `the head, Howard Fonda, signalled`."""
    before = [
        name
        for name in facts.names
        if facts.words[name.first].sentence == verb.sentence
        and facts.words[name.last].end <= verb.start
        and name.certain
    ]
    if not before:
        return []
    while len(before) > 1 and _goes_on(facts, before[0], before[1]):
        before = before[1:]
    apposed = facts.text[facts.words[before[-1].last].end : verb.start].strip() == ","
    kept = [before[0], before[-1]] if apposed else before[:1]
    return sorted({place for name in kept for place in range(name.first, name.last + 1)})


def _goes_on(facts: Facts, name: Name, after: Name) -> bool:
    """Whether two names are one phrase: `German Chancellor Friedrich Merz` is Merz and not Germany."""
    between = range(name.last, after.first)  # each place and the one behind it
    return len(between) > 1 and all(
        clear_between(facts, facts.words[at], facts.words[at + 1])
        and (at == name.last or facts.words[at].plain in TITLES)
        for at in between
    )


def _last_name(facts: Facts, place: int) -> list[int]:
    """The name before `who`, with or without a comma."""
    names = [name for name in facts.names if name.last < place and name.certain]
    if not names or facts.words[names[-1].last].sentence != facts.words[place].sentence:
        return []
    return list(range(names[-1].first, names[-1].last + 1)) if place - names[-1].last == 1 else []


def same_speaker(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether two speakers share a word that names them."""
    return any(a == b or same_spelling(a, b) for a in left for b in right)


def wrong_speaker(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the sentence has somebody say what in the source somebody else says."""
    known = frozenset(part for name in source.names if name.certain for part in name.parts)
    roles = roles_of(source)
    said = [
        s for s in _with_holders(sayings(claim), roles) if s.speaker and (s.named or same_speaker(s.speaker, known))
    ]
    said = [s for s in said if not _judges(source, window, s) and not _only_office(s, roles)]
    if not said:
        return ""
    theirs = _with_holders(sayings(source), roles)
    several = len(sayings(claim)) > 1
    if not several:
        if _says_as_much(claim, said[0], source, theirs):
            return ""
        window = _where_said(claim, said[0], source, window)
    first, last = window
    for reach in (0, 1):
        near = [saying for saying in theirs if first - reach <= saying.sentence <= last + reach]
        if any(not saying.speaker for saying in near):
            return ""
        for saying in said:
            # Who is told of within what another says speaks in too many ways: there it is enough to be mentioned.
            told_of = several and any(
                _speaks_there(other, near) for other in sayings(claim) if other.verb != saying.verb
            )
            if told_of and mentions(source, window, saying.speaker):
                continue
            if not near or any(same_speaker(saying.speaker, other.speaker) for other in near):
                continue
            if all(_only_office(other, roles) for other in near) and mentions(source, EVERYWHERE, saying.speaker):
                continue
            if reach == 0 or not mentions(source, window, saying.speaker):
                return f"The passage has {_name_them(near)} say this, not {saying.text}."
        if near:
            return ""
    everywhere = frozenset(word for saying in theirs for word in saying.speaker)
    for saying in said:
        if not same_speaker(saying.speaker, everywhere) and not mentions(source, window, saying.speaker):
            return f"The passage does not have {saying.text} say this."
    return ""


def _only_office(saying: Saying, roles: Sequence[Role]) -> bool:
    """Whether the speaker is an office without a name, `the Ukrainian president`, that the source gives to nobody."""
    if not offices_in(saying.phrase) or holders(saying.phrase, roles):
        return False
    return not any(word.capital and not word.initial and not nation_of(word.plain) for word in saying.phrase)


def _speaks_there(saying: Saying, near: Sequence[Saying]) -> bool:
    """Whether the source has this speaker, named or not, say something there: `an unnamed official`."""
    return any(same_speaker(saying.speaker, other.speaker) for other in near)


def _told(claim: Facts, saying: Saying) -> frozenset[str]:
    """Stems of what is said, whoever says it."""
    verb, phrase = claim.words[saying.verb], saying.phrase
    told = claim.words
    if verb.plain != "according":
        told = claim.words[saying.verb + 1 :] if phrase[0].start < verb.start else claim.words[: saying.verb]
    apart = {word.start for word in phrase}
    return frozenset(w.stem for w in told if w.content and w.start not in apart and w.plain not in SAYING | TITLES)


def _says_as_much(claim: Facts, saying: Saying, source: Facts, theirs: Sequence[Saying]) -> bool:
    """Whether what the source has this speaker say, quotations that follow it too, shares about as much as any."""
    wanted = _told(claim, saying)
    shared = [set[str]() for _ in range(source.words[-1].sentence + 1)]
    opens = set[int]()
    seen = set[int]()
    for word in source.words:
        if word.stem in wanted:
            shared[word.sentence].add(word.stem)
        if word.sentence not in seen:
            seen.add(word.sentence)
            if source.text[: word.start].rstrip(" ").endswith(("“", '"')):
                opens.add(word.sentence)
    best = max(map(len, shared), default=0)
    spoken = {other.sentence for other in theirs}
    for other in theirs:
        if not same_speaker(saying.speaker, other.speaker):
            continue
        words = set(shared[other.sentence])
        after = other.sentence + 1
        while after in opens and after not in spoken:
            words |= shared[after]
            after += 1
        if best >= 2 and len(words) >= _AS_MUCH * best:
            return True
    return False


def _with_holders(found: Sequence[Saying], roles: Sequence[Role]) -> list[Saying]:
    """The sayings, those of an office with the words that name whoever holds it."""
    named = [role.name.parts[-1] for role in roles]
    return [
        replace(saying, speaker=saying.speaker | holders(saying.phrase, roles))
        if not any(spell(word.plain) in named for word in saying.phrase)
        else saying
        for saying in found
    ]


def _where_said(claim: Facts, saying: Saying, source: Facts, window: Window) -> Window:
    """The one sentence of the source that clearly shares most of what is said, whoever says it; else the window."""
    wanted = _told(claim, saying)
    shared = [set[str]() for _ in range(source.words[-1].sentence + 1)]
    for word in source.words:
        if word.stem in wanted:
            shared[word.sentence].add(word.stem)
    counts = sorted(map(len, shared))
    if counts[-1] < 2 or (len(counts) > 1 and counts[-2] == counts[-1]):
        return window
    best = max(range(len(shared)), key=lambda at: len(shared[at]))
    return best, best


def _judges(source: Facts, window: Window, saying: Saying) -> bool:
    """Whether in the source the speaker rejects, praises or asks for something there."""
    return any(
        window[0] <= judging.sentence <= window[1] and same_speaker(saying.speaker, judging.speaker)
        for judging in sayings(source, _JUDGING)
    )


def _name_them(near: Sequence[Saying]) -> str:
    return " and ".join(dict.fromkeys(saying.text for saying in near))


def mentions(source: Facts, window: Window, speaker: frozenset[str]) -> bool:
    """Whether the source names somebody there."""
    there = {
        key
        for word in source.words
        if window[0] <= word.sentence <= window[1]
        for key in (spell(word.plain), word.stem)
    }
    return same_speaker(speaker, frozenset(there))
