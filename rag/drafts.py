"""Draft: what a model wrote, bound to the sources it was shown and checked; and which of two drafts is better."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from llama_index.core.embeddings import BaseEmbedding

from rag.citations import Citation, answer_sentences, cite, markers_in
from rag.markers import CODE
from rag.retrieval import ScoredPassage
from rag.support import SentenceSupport, check_answer, claim_of

_WORTH = {"supported": 1.0, "partial": 0.5, "unsupported": 0.0}
# A better draft keeps this share of the words that were verified before: leaving out what is true is no improvement.
_KEEPS = 0.7
# Where a marker goes into a sentence: before the stop or a table row's last rule, else at the end.
_CLOSE = re.compile(r"(?:\s*\||(?<![.!?…])[.!?…]+|[。！？])$")

_OWN_MARKERS = re.compile(r"(?:[ \t]+|^)(?:\[\d{1,2}\])+", re.MULTILINE)


@dataclass(frozen=True)
class Draft:
    """A model's text, every sentence with its verdict.

    Attributes:
        text: with markers, also on sentences that had none and were matched to a passage.
        citations: one for each marker of each sentence.
        sentences: all of them, in order.
        unresolved: numbers that the model wrote and that name no source.
    """

    text: str
    citations: tuple[Citation, ...]
    sentences: tuple[SentenceSupport, ...]
    unresolved: tuple[int, ...] = ()

    @property
    def faulty(self) -> tuple[SentenceSupport, ...]:
        """The sentences that no source carries."""
        return tuple(sentence for sentence in self.sentences if sentence.support == "unsupported")

    @cached_property
    def _claims(self) -> list[tuple[float, int]]:
        """Of each sentence that claims something, what its verdict is worth and how many words it has."""
        return [
            (_WORTH[sentence.support], len(said.split()))
            for sentence in self.sentences
            if claim_of(said := self.text[sentence.start : sentence.end])
        ]

    @property
    def verified_share(self) -> float:
        """Share of its claims that are verified, a partial one half, from 0 to 1; 0 where it claims nothing."""
        return sum(worth for worth, _ in self._claims) / len(self._claims) if self._claims else 0.0

    @property
    def verified_words(self) -> float:
        """How many words those claims have, a partial one's half."""
        return sum(worth * words for worth, words in self._claims)

    def verifies_better_than(self, other: "Draft") -> bool:
        """Whether more of it is verified, and it neither invents more markers nor drops what was verified."""
        return (
            self.verified_share > other.verified_share
            and len(self.unresolved) <= len(other.unresolved)
            and self.verified_words >= _KEEPS * other.verified_words
        )


def check_draft(
    text: str,
    shown: Sequence[ScoredPassage],
    *,
    question: str = "",
    unresolved: Sequence[int] = (),
    embedding: BaseEmbedding,
) -> Draft:
    """Bind a model's normalised text to the passages it was shown and compare the two.

    A sentence without a marker that a passage carries gets that passage's marker and citation, and stays `matched`.
    """
    citations, sentences = check_answer(
        text, cite(text, shown, embedding=embedding), shown, question=question, embedding=embedding
    )
    draft = Draft(text, tuple(citations), tuple(sentences), tuple(unresolved))
    return _mark_matched(draft, shown, embedding) if any(sentence.matched for sentence in sentences) else draft


def without_own_markers(text: str) -> str:
    """Normalised text without the markers its model wrote, for matching to put others there."""
    return _OWN_MARKERS.sub("", text)


def _mark_matched(draft: Draft, shown: Sequence[ScoredPassage], embedding: BaseEmbedding) -> Draft:
    """Write the markers of matched sentences into the text; in code a number in brackets is none."""
    code = [match.span() for match in CODE.finditer(draft.text)]
    text, at = "", 0
    expected: list[tuple[int, ...]] = []
    for sentence in draft.sentences:
        marks = sentence.matched and not any(start <= sentence.start < end for start, end in code)
        said = draft.text[sentence.start : sentence.end]
        text += draft.text[at : sentence.start] + (_with_markers(said, sentence.markers) if marks else said)
        expected.append(sentence.markers if marks or not sentence.matched else ())
        at = sentence.end
    text += draft.text[at:]
    spans = answer_sentences(text)
    written = [tuple(markers_in(text[start:end])) for start, end in spans]
    if written != expected:
        return draft
    known = {(cited.answer_start, cited.marker): cited.support for cited in draft.citations}
    before = {span.start: sentence.start for span, sentence in zip(spans, draft.sentences, strict=True)}
    citations = tuple(
        replace(cited, support=known.get((before[cited.answer_start], cited.marker), "supported"))
        for cited in cite(text, shown, embedding=embedding)
    )
    sentences = tuple(
        replace(sentence, start=start, end=end) for (start, end), sentence in zip(spans, draft.sentences, strict=True)
    )
    return replace(draft, text=text, citations=citations, sentences=sentences)


def _with_markers(sentence: str, markers: Sequence[int]) -> str:
    close = _CLOSE.search(sentence)
    end = close.start() if close else len(sentence)
    return f"{sentence[:end]} {''.join(f'[{marker}]' for marker in markers)}{sentence[end:]}"
