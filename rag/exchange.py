"""Do two halves of a sentence have each other's things? `He fell and she drowned`, where it was the other way."""

from rag.claims import SAYING
from rag.facts import Facts, sentence_places
from rag.words import listed

# Between two halves of equal rank.
_BETWEEN = frozenset(listed("and but while whereas although though compared against"))
# How many words the halves must share with the source's halves, one word at least for each two of them.
_FEWEST_SHARED = 8


def exchanged_halves(claim: Facts, source: Facts) -> str:
    """The fault where each half of the sentence has words of both halves of one sentence of the source.

    Only where each can be halved in one way: `A and B met, and C left` says nothing.
    """
    ours = _halves(claim, range(len(claim.words)))
    for places in sentence_places(source):
        theirs = _halves(source, places)
        shared = [len(mine & its) for mine in ours for its in theirs]
        if shared and all(shared) and sum(shared) >= _FEWEST_SHARED:
            return "The passage has what is said of the one said of the other."
    return ""


def _halves(facts: Facts, places: range) -> tuple[frozenset[str], ...]:
    """The stems that only one of a sentence's two halves has; none where it has no halves, or may have others."""
    cuts = [
        at
        for at in places[1:]
        if facts.words[at].plain in _BETWEEN or ";" in facts.text[facts.words[at - 1].end : facts.words[at].start]
    ]
    if len(cuts) != 1:
        return ()
    one, two = _stems(facts, range(places.start, cuts[0])), _stems(facts, range(cuts[0], places.stop))
    return one - two, two - one


def _stems(facts: Facts, places: range) -> frozenset[str]:
    words = (facts.words[at] for at in places)
    return frozenset(word.stem for word in words if word.content and word.plain not in SAYING)
