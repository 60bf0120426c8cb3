"""The query engine: one question in, a stream of typed events and an Answer out."""

from dataclasses import dataclass

from rag.answers import Answer
from rag.citations import Citation
from rag.retrieval import ScoredPassage


@dataclass(frozen=True, slots=True)
class Searching:
    """The question as it is searched for."""

    standalone_question: str


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """What was retrieved, best first."""

    passages: tuple[ScoredPassage, ...]


@dataclass(frozen=True, slots=True)
class TextSoFar:
    """The whole text up to now, nothing half-formed at its end, and its citations so far."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The end: the answer."""

    answer: Answer


Event = Searching | PassagesFound | TextSoFar | Answered
