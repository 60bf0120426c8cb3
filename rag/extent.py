"""How much of it: whether a sentence says all, most or none where its source says many, some or a share."""

from collections.abc import Sequence

from rag.claims import Window
from rag.facts import Facts, Word, spell
from rag.thesaurus import family
from rag.words import listed

# Rising shares; a sentence may claim less than its source, never more.
_SHARES = {
    **dict.fromkeys(listed("few little hardly rarely seldom minority"), 1),
    **dict.fromkeys(listed("some several part parts partly partially certain various sometimes"), 2),
    **dict.fromkeys(listed("many much half numerous often"), 3),
    **dict.fromkeys(listed("most mostly majority mainly largely usually"), 4),
    **dict.fromkeys(
        listed(
            """all every entire entirely whole wholly fully completely totally always everyone everything everybody
            unanimous unanimously none neither nobody"""
        ),
        6,
    ),
}
_MANY, _MOST, _NEARLY_ALL, _ALL = 3, 4, 5, 6
_NEARLY = frozenset(listed("nearly almost virtually practically"))
# `in all`, `after all`, `at all`, `above all`: no share of anything; `the whole time`, `all three` count otherwise.
_NO_SHARE_BEFORE = frozenset({"in", "at", "after", "above", "not", "of"})
_UNIVERSAL = frozenset(word for word, share in _SHARES.items() if share == _ALL) | frozenset(
    listed(
        """each both throughout total full complete any no none never indefinitely permanently only without across
        altogether not nothing nobody"""
    )
)
_REACH_WORDS = 4
_PART_WORDS = 6


def says_too_much(claim: Facts, source: Facts, window: Window) -> str:
    """The fault where the sentence says more of something than the source does, or all of what it gives no share of."""
    for at, word in enumerate(claim.words):
        share = _share_at(claim, at)
        if share < _MOST:
            continue
        nouns = _quantified(claim, at)
        theirs = _shares_of(source, window, nouns)
        if theirs and max(theirs.values()) < min(share, _NEARLY_ALL):
            return f"The passage says “{max(theirs, key=lambda text: theirs[text])}” of this, not “{word.text}”."
    return ""


def adds_all(claim: Facts, source: Facts, window: Window) -> str:
    """The doubt where the sentence says all of something and the source nowhere near does."""
    near = {w.plain for w in source.words if window[0] - 1 <= w.sentence <= window[1] + 1}
    for at, word in enumerate(claim.words):
        if _share_at(claim, at) == _ALL and _quantified(claim, at) and near.isdisjoint(_UNIVERSAL):
            return f"The passage does not say “{word.text}”."
    return ""


def _share_at(facts: Facts, place: int) -> int:
    word = facts.words[place]
    share = _SHARES.get(word.plain, 0)
    before = facts.words[place - 1].plain if place else ""
    if not share or (
        before in _NO_SHARE_BEFORE and not (place + 1 < len(facts.words) and facts.words[place + 1].plain == "of")
    ):
        return 0
    if share == _ALL and any(number.first == place + 1 for number in facts.numbers):
        return 0
    if word.plain == "most" and place + 1 < len(facts.words) and _is_superlative(facts, place):
        return 0
    return _NEARLY_ALL if share == _ALL and before in _NEARLY else share


def _is_superlative(facts: Facts, place: int) -> bool:
    """`the most realistic option`, `most sensitive`: no share."""
    before = facts.words[place - 1].plain if place else ""
    return before in {"the", "its", "their", "his", "her", "a", "and"} and facts.words[place + 1].plain != "of"


def _quantified(facts: Facts, place: int) -> frozenset[str]:
    """Stems of what a share is said of: the next words of content; `all of which` points back to what stands before."""
    after: list[Word] = []
    for word in facts.words[place + 1 : place + 1 + _REACH_WORDS]:
        if word.sentence != facts.words[place].sentence:
            break
        if word.plain in {"which", "whom", "it", "them"}:
            back = [w for w in facts.words[max(0, place - 6) : place] if w.content]
            return _keys(back[-3:])
        if word.content:
            after.append(word)
        elif after and word.plain not in {"of", "the"}:
            break
    return _keys(after)


def _keys(words: Sequence[Word]) -> frozenset[str]:
    return frozenset(
        key for word in words for key in ((word.stem, spell(word.plain)) if word.capital else (word.stem,))
    )


def _shares_of(source: Facts, window: Window, nouns: frozenset[str]) -> dict[str, int]:
    """Text of each share the source gives of one of the nouns -> how much it is."""
    wanted = frozenset().union(*(family(noun) for noun in nouns))
    found: dict[str, int] = {}
    for at, word in enumerate(source.words):
        if not window[0] <= word.sentence <= window[1]:
            continue
        share = _share_at(source, at)
        if share and _quantified(source, at) & wanted:
            found[word.text] = share
    for number in source.numbers:
        # `two of the town's five ploughs`
        of = source.words[number.last + 1 : number.last + 2 + _PART_WORDS]
        if of and of[0].plain == "of" and number.low == number.high and {word.stem for word in of[1:]} & wanted:
            whole = next((n for n in source.numbers if number.last < n.first <= number.last + _PART_WORDS), None)
            if whole is not None and number.high < whole.low:
                found[number.text] = _MANY
        if number.unit == "percent" and window[0] <= source.words[number.first].sentence <= window[1]:
            after = source.words[number.last + 1 : number.last + 1 + _REACH_WORDS]
            if {word.stem for word in after} & wanted:
                found[number.text] = _MANY if number.high < 100 else _ALL
    return found
