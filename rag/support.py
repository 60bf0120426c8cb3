"""Does the cited passage say what the sentence says? Decided by code, with no language model."""

from dataclasses import dataclass

from rag.citations import Support


@dataclass(frozen=True, slots=True)
class SentenceSupport:
    """One sentence of the answer and how well what it cites carries it.

    Attributes:
        start: first character, in the answer's text.
        end: one past the last, markers included.
        markers: the markers it carries, in order, without repeats.
        support: the verdict over everything it cites together.
        reason: the verdict's reason in words; empty where supported.
        matched: True where it had no marker of its own and Byline found the passage.
    """

    start: int
    end: int
    markers: tuple[int, ...]
    support: Support
    reason: str = ""
    matched: bool = False
