"""ScoredPassage; the retriever: vectors and words, fused."""

from dataclasses import dataclass

from index.passages import Passage


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage found for a question: larger scores are better, ranks start at 1."""

    passage: Passage
    score: float
    rank: int
