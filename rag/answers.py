"""Answer: what one question came to, and its JSON."""

from dataclasses import dataclass, field
from typing import Literal

from rag.citations import Citation
from rag.coverage import Coverage
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport

Mode = Literal["llm", "extractive"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question came to.

    Attributes:
        question: as it was asked.
        standalone_question: as it was searched for.
        text: the answer; markers `[1]`, `[2]` stand at the end of the sentence they belong to.
        refused: the articles do not answer it; then there are no citations.
        mode: `llm` when a language model wrote it, `extractive` when Byline quoted.
        model: `provider/model`, or `none`.
        citations: one for each marker of each sentence, in the order of the text.
        sentences: every sentence of the text with its verdict.
        coverage: who else reports it and who differs.
        passages: what was retrieved, best first; marker n is rank n.
        unresolved_markers: numbers the model wrote that name no source, in order, with repeats.
        timings_ms: `condense`, `retrieve`, `first_token` and `total`, in milliseconds.
        usage: `prompt_tokens` and `completion_tokens`; zero without a model.
        notice: what the reader must know of how the answer came to be (the model failed, the stream broke), or "".
    """

    question: str
    standalone_question: str
    text: str
    refused: bool
    mode: Mode
    model: str
    citations: tuple[Citation, ...] = ()
    sentences: tuple[SentenceSupport, ...] = ()
    coverage: Coverage = field(default_factory=lambda: Coverage(0, (), ()))
    passages: tuple[ScoredPassage, ...] = ()
    unresolved_markers: tuple[int, ...] = ()
    timings_ms: dict[str, int] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    notice: str = ""
