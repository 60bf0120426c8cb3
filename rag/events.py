"""Events: what is told of a question while it is answered; an `Answered` is always the last."""

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
    """The whole text up to now, nothing half-formed at its end, and its citations so far.

    It grows from event to event, but for the last one, which may be another text: the answer after it was checked.
    """

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The end: the answer."""

    answer: Answer


Event = Searching | PassagesFound | TextSoFar | Answered
