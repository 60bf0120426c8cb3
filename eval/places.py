"""Place: a stretch of an article; where evidence stands, and which passages and citations meet it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Characters `start` to `end` (exclusive) of one article's text."""

    article_id: str
    start: int
    end: int

    @property
    def length(self) -> int:
        """How many characters it holds."""
        return self.end - self.start


def find_quote(quote: str, article_id: str, text: str) -> list[Place]:
    """Every place in an article's text at which `quote` stands; overlapping ones too, in order."""
    places: list[Place] = []
    start = text.find(quote) if quote else -1
    while start >= 0:
        places.append(Place(article_id, start, start + len(quote)))
        start = text.find(quote, start + 1)
    return places


def shared_characters(one: Place, other: Place) -> int:
    """How many characters two places have in common; none where the articles differ."""
    if one.article_id != other.article_id:
        return 0
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def meets(one: Place, other: Place) -> bool:
    """Whether two places share at least half of the shorter one.

    Half of the shorter, because a citation of one sentence may point into evidence of three, and a citation of three
    sentences may hold evidence of four words: both open on the right words.
    """
    shared = shared_characters(one, other)
    return shared > 0 and 2 * shared >= min(one.length, other.length)


def passages_holding(evidence: Sequence[Place], passages: Iterable[tuple[str, Place]]) -> list[str]:
    """Ids of the passages that hold a piece of evidence, which may stand at several places.

    A passage holds it when it has at least half of its characters. Where a quote is so cut that no passage has half,
    the one with most of it does (of equals the first).

    Args:
        evidence: every place of one quote.
        passages: id and place of each passage of the articles concerned, in their order.
    """
    shares = [
        (shared_characters(place, spot) / place.length, identity) for identity, spot in passages for place in evidence
    ]
    holding = [identity for share, identity in shares if share >= 0.5]
    if not holding:
        best = max((share for share, _ in shares), default=0.0)
        holding = [identity for share, identity in shares if share == best and best > 0][:1]
    return list(dict.fromkeys(holding))
