"""Is a sentence's meaning near enough to what it cites: by an embedding and by the words they share."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from llama_index.core.embeddings import BaseEmbedding

from rag.citations import Support
from rag.claims import Window, sayings
from rag.facts import TITLES, Date, Facts, Name, Number, Word, spell
from rag.thesaurus import family, stem
from rag.words import listed

# Meaning: weight of the embedding's cosine beside the share of the sentence's words found in the source. Fitted, with
# the two thresholds, on true and corrupted sentences of encyclopaedia and news texts (`python -m eval support`).
_COSINE_WEIGHT = 0.4
_SUPPORTED_FROM = 0.43
_PARTIAL_FROM = 0.36
# More is asked of a sentence that cites nothing, and of one with hardly a word that tells anything: a word that the
# source has not may be all that it claims.
_SUPPORTED_FROM_UNSURE = 0.50
_FEW_WORDS = 3
# Without an embedding the words decide alone.
_WORDS_SUPPORTED_FROM = 0.50
_WORDS_PARTIAL_FROM = 0.30
_WINDOW_SENTENCES = 3
# A name, number or date weighs less in the meaning than a word: that it is in the source is checked by itself.
_FACT_WEIGHT = 0.4

# So does a word that may go with anything; one that means the same as the source's counts nearly as its own.
_LIGHT_WEIGHT = 0.4
_KIN_WEIGHT = 0.9
_LIGHT = frozenset(
    stem(word)
    for word in listed("""roughly approximately following besides among amid including part time day week say tell
    make take get go come give put use become remain seem happen last carry hold want need still already yet later
    earlier ahead also additional further certain various several overall total altogether together unnamed named
    side party question issue matter point thing way case fact number amount level area place people person group
    official currently recently previously subsequently respectively instead alongside despite regarding concerning
    set keep let leave turn bring find show mean involve result concern relate describe note mention add express
    current present recent new major main key important significant great big large small good bad strong""")
)


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
    """The words that carry the meaning, each with its weight; titles and "said" carry none."""
    known: list[Name | Number | Date] = [*facts.names, *facts.numbers, *facts.dates]
    places = {at for fact in known for at in range(fact.first, fact.last + 1)}
    said = {saying.verb for saying in sayings(facts)}
    return [
        (word, _FACT_WEIGHT if at in places else _LIGHT_WEIGHT if word.stem in _LIGHT else 1.0)
        for at, word in enumerate(facts.words)
        if (word.content or at in places) and at not in said and word.plain not in TITLES
    ]


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
            found += _KIN_WEIGHT * weight
        elif len(word.plain) > 5 and any(other.startswith(word.plain[:5]) for other in stems):
            found += 0.7 * weight
    return found / whole if whole else 1.0


def compare_meaning(
    claim: Facts, source: Facts, window: Window, embedding: Embeds | None, *, uncited: bool
) -> tuple[Support, str]:
    """How near the claim's meaning is to the source's, and the reason where it is not near enough."""
    high, low = _SUPPORTED_FROM, _PARTIAL_FROM
    if embedding is None:
        high, low = _WORDS_SUPPORTED_FROM, _WORDS_PARTIAL_FROM
    elif uncited or sum(weight == 1.0 for _, weight in _content(claim)) < _FEW_WORDS:
        high = _SUPPORTED_FROM_UNSURE
    score = _score(claim, source, window, embedding)
    for sentence in range(source.words[-1].sentence + 1 if embedding is not None and source.words else 0):
        if score >= high:
            break
        score = max(score, _score(claim, source, (sentence, sentence), embedding))
    if score >= high:
        return "supported", ""
    if score >= low:
        return "partial", "The passage says only part of this, or says it in other words."
    return "unsupported", "The passage does not say this."


def shared_words(claim: Facts, source: Facts) -> float:
    """How much of the claim's meaning the source has in words or their kin, from 0 to 1, where it has most of it."""
    window = nearest_window(claim, source)
    return _share(_content(claim), [word for word in source.words if window[0] <= word.sentence <= window[1]])


def _score(claim: Facts, source: Facts, window: Window, embedding: Embeds | None) -> float:
    near = [word for word in source.words if window[0] <= word.sentence <= window[1]]
    share = _share(_content(claim), near)
    if embedding is None or not near:
        return share
    stretch = source.text[near[0].start : near[-1].end]
    cosine = float(np.dot(embedding.get_text_embedding(claim.text), embedding.get_text_embedding(stretch)))
    return _COSINE_WEIGHT * cosine + (1 - _COSINE_WEIGHT) * share
