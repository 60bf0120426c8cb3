"""Is a sentence's meaning near enough to what it cites: by its alignment, or by the words they share alone."""

from collections.abc import Sequence
from typing import Protocol

from llama_index.core.embeddings import BaseEmbedding

from rag.alignment import KIN, align, weigh_words
from rag.citations import Support
from rag.claims import Window
from rag.facts import Facts, Word, spell
from rag.thesaurus import family

# How near the passage must be to saying a sentence (`rag/alignment.py`). Fitted on two thirds of 300 sentences over
# invented articles, true and false, and on sentences of encyclopaedia and news texts (`python -m eval support`).
_SUPPORTED_FROM = 0.38
_PARTIAL_FROM = 0.25
# More is asked of a sentence that cites nothing.
_SUPPORTED_FROM_UNCITED = 0.45
# From which contrast the missing part is what is told.
_ONE_PART_MISSING = 0.2
# Without an embedding the share of the sentence's words found in the source decides alone.
_WORDS_SUPPORTED_FROM = 0.50
_WORDS_PARTIAL_FROM = 0.30
_WINDOW_SENTENCES = 3


class Embeds(Protocol):
    """What embeds a text: a LlamaIndex embedding, or one that remembers."""

    def get_text_embedding(self, text: str) -> list[float]:
        """The text's vector, of length 1."""
        ...


class Remembering:
    """An embedding model that embeds each text once; for one answer, since it forgets nothing."""

    def __init__(self, model: BaseEmbedding) -> None:
        self._model = model
        self._known: dict[str, list[float]] = {}

    def get_text_embedding(self, text: str) -> list[float]:
        """The text's vector."""
        if text not in self._known:
            self._known[text] = self._model.get_text_embedding(text)
        return self._known[text]

    def get_text_embedding_batch(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._model.get_text_embedding_batch(new) if new else [], strict=True))
        return [self._known[text] for text in texts]


def nearest_window(claim: Facts, source: Facts) -> tuple[int, int]:
    """First and last sentence of the stretch of the source that shares most with the claim."""
    wanted = _content(claim)
    count = source.words[-1].sentence + 1 if source.words else 1
    per_sentence: list[list[Word]] = [[] for _ in range(count)]
    for word in source.words:
        per_sentence[word.sentence].append(word)
    best, window = -1.0, (0, 0)
    for size in range(1, _WINDOW_SENTENCES + 1):
        for first in range(count - size + 1):
            there = [word for words in per_sentence[first : first + size] for word in words]
            score = _share(wanted, there) - 0.12 * (size - 1)
            if score > best + 1e-9:
                best, window = score, (first, first + size - 1)
    return window


def _content(facts: Facts) -> list[tuple[Word, float]]:
    return [(facts.words[at], weight) for at, weight in weigh_words(facts).items()]


def _share(wanted: Sequence[tuple[Word, float]], there: Sequence[Word]) -> float:
    """Share of the wanted words that are there: by stem, spelling of a name, meaning, or a long common beginning."""
    stems = {word.stem for word in there}
    spelled = {spell(word.plain) for word in there}
    whole = sum(weight for _, weight in wanted)
    found = 0.0
    for word, weight in wanted:
        if word.stem in stems or spell(word.plain) in spelled or word.plain[:1].isdigit():
            found += weight
        elif not family(word.stem).isdisjoint(stems):
            found += KIN * weight
        elif len(word.plain) > 5 and any(other.startswith(word.plain[:5]) for other in stems):
            found += 0.7 * weight
    return found / whole if whole else 1.0


def compare_meaning(
    claim: Facts, source: Facts, window: Window, embedding: Embeds | None, *, uncited: bool
) -> tuple[Support, str]:
    """How near the claim's meaning is to the source's, and the reason where it is not near enough.

    With an embedding, whichever it is, the bundled encoder compares: it alone gives each word a vector.
    """
    if embedding is None or not source.words:
        near = [word for word in source.words if window[0] <= word.sentence <= window[1]]
        return _verdict(_share(_content(claim), near), _WORDS_SUPPORTED_FROM, _WORDS_PARTIAL_FROM)
    found = align(claim, source)
    support, reason = _verdict(found.nearness, _SUPPORTED_FROM_UNCITED if uncited else _SUPPORTED_FROM, _PARTIAL_FROM)
    if support != "supported" and found.contrast >= _ONE_PART_MISSING and found.part != claim.text:
        return support, f"The passage does not say “{found.part}”."
    return support, reason


def _verdict(nearness: float, supported_from: float, partial_from: float) -> tuple[Support, str]:
    if nearness >= supported_from:
        return "supported", ""
    if nearness >= partial_from:
        return "partial", "The passage says only part of this, or says it in other words."
    return "unsupported", "The passage does not say this."


def shared_words(claim: Facts, source: Facts) -> float:
    """How much of the claim's meaning the source has in words or their kin, from 0 to 1, where it has most of it."""
    window = nearest_window(claim, source)
    return _share(_content(claim), [word for word in source.words if window[0] <= word.sentence <= window[1]])
