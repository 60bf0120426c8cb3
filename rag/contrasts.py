"""Words that turn a sentence round: `before the vote` where its source says `after the vote`."""

from collections.abc import Iterator

from rag.claims import Window
from rag.facts import Facts
from rag.words import listed

# Of each group one at most is true before the same words; `even_if` is two words.
_GROUPS = [
    frozenset(tuple(phrase.split("_")) for phrase in group.split("/"))
    for group in listed("""before/after since/until few/most fewer/more less/more half/twice both/one/neither
    every/no all/only only/all_but most/least best/worst everyone/nobody everything/nothing at_least/at_most
    up_to/more_than less_than/more_than nearly/over over/under above/below inside/outside ahead_of/behind with/without
    for/against unless/even_if despite/because_of/thanks_to except/including instead_of/as_well_as
    still/no_longer not_yet/already never/always/often rarely/often earlier/later early/late soon/later
    first/last/second/third first/final higher/lower upper/lower larger/smaller bigger/smaller longer/shorter
    older/younger old/new faster/slower better/worse partly/wholly/fully likely/unlikely possible/impossible
    minimum/maximum majority/minority public/private urban/rural north/south/east/west
    northern/southern/eastern/western his/her men/women male/female boys/girls sons/daughters son/daughter
    brother/sister father/mother husband/wife
    start/stop started/stopped starts/stops signed/vetoed sign/veto dropped/kept killed/wounded/injured/hurt
    damaged/destroyed delayed/cancelled delay/cancel postponed/cancelled suspended/dismissed/reinstated
    arrested/charged/convicted/acquitted/cleared proposed/approved/rejected/adopted ordered/banned/allowed gained/lost
    raised/cut/trimmed/lowered/kept leave/stay left/stayed leaves/stays backed/opposed eastbound/westbound
    northbound/southbound highest/lowest largest/smallest longest/shortest oldest/youngest autumn/spring/summer/winter
    morning/afternoon/evening/night hours/days/weeks/months/years/decades minutes/hours grandfather/grandmother
    sister/brother/cousin uncle/aunt/nephew/niece deputy/former""")
]
_KNOWN = frozenset[tuple[str, ...]]().union(*_GROUPS)
# Within so many words those that it belongs to stand behind it.
_REACH_WORDS = 4

Phrase = tuple[str, ...]


def wrong_contrast(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the source has another word of a group before the same words, and nowhere the sentence's."""
    ours = list(_turning_words(claim, (0, claim.words[-1].sentence)))
    theirs = list(_turning_words(source, (window[0] - 1, window[1] + 1)))
    for phrase, follows in ours:
        if any(other == phrase and its[0] == follows[0] for other, its in theirs):
            continue
        for other, its in theirs:
            turned = any(phrase in group and other in group for group in _GROUPS)
            if turned and its == follows and (other, its) not in ours:
                return f"The passage says “{' '.join(other)}” here, not “{' '.join(phrase)}”."
    return ""


def _turning_words(facts: Facts, window: Window) -> Iterator[tuple[Phrase, Phrase]]:
    """Each word of a group in the window, not denied, with the stems of the one or two words of content behind it."""
    for at, word in enumerate(facts.words):
        if not window[0] <= word.sentence <= window[1] or (at and facts.words[at - 1].plain in {"no", "not"}):
            continue
        phrases = (tuple(other.plain for other in facts.words[at : at + length]) for length in (3, 2, 1))
        if phrase := next((one for one in phrases if one in _KNOWN), None):
            behind = facts.words[at + len(phrase) : at + len(phrase) + _REACH_WORDS]
            if behind and behind[0].plain in {"no", "not"}:
                continue
            follows = [w.stem for w in behind if w.sentence == word.sentence and (w.content or w.plain[0].isdigit())]
            if follows:
                yield phrase, tuple(follows[:2])
