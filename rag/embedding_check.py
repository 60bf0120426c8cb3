"""Can the embedding model be trusted: is it reachable, how fast, does it bring together what belongs together?"""

import time
from dataclasses import dataclass

import numpy as np
from llama_index.core.embeddings import BaseEmbedding

from index.embeddings import load_embedding
from index.errors import BylineError, EmbeddingMismatchError, IndexBusyError
from index.opening import open_store
from index.settings import Settings
from rag.doctor import Check, Verdict
from rag.probes import load_pairs

RIGHT_FROM = 8
"""Of the ten questions, so many must have their own sentence nearest of all ten."""


@dataclass(frozen=True, slots=True)
class EmbeddingReport:
    """What was found about an embedding model.

    Attributes:
        model: its name, as the index keeps it.
        checks: what was looked at, in order.
        verdict: whether it is good enough.
        reason: the verdict's reason in words, "" where it is good.
        embedding: the model itself, where it can be used.
    """

    model: str
    checks: tuple[Check, ...]
    verdict: Verdict
    reason: str = ""
    embedding: BaseEmbedding | None = None

    @property
    def in_words(self) -> str:
        """The verdict as a sentence's end."""
        return f"{self.verdict}: {self.reason}" if self.reason else self.verdict


def examine_embedding(settings: Settings) -> EmbeddingReport:
    """Find out what the embedding model that the settings name is good for."""
    try:
        embedding = load_embedding(settings)
        embedding.get_query_embedding("The first text waits for the model to be loaded.")
        began = time.perf_counter()
        right, dimensions = _rank_pairs(embedding)
        seconds = time.perf_counter() - began
    except BylineError as exc:
        return EmbeddingReport(settings.embedding, (Check("answers", str(exc), False),), "not good enough", str(exc))
    texts = 2 * len(load_pairs())
    checks = [
        Check("answers", "yes", True),
        Check("dimensions", str(dimensions)),
        Check("speed", f"{texts / seconds:.0f} short texts a second"),
        Check("ranks the right sentence first", f"{right} of {len(load_pairs())}", right >= RIGHT_FROM),
    ]
    index = _index_check(settings, embedding)
    checks.append(index)
    if right < RIGHT_FROM:
        reason = f"it finds the right sentence for {right} of {len(load_pairs())} questions"
        return EmbeddingReport(embedding.model_name, tuple(checks), "not good enough", reason, embedding)
    if index.passed is False:
        return EmbeddingReport(embedding.model_name, tuple(checks), "not good enough", index.found, embedding)
    return EmbeddingReport(embedding.model_name, tuple(checks), "good", "", embedding)


def _rank_pairs(embedding: BaseEmbedding) -> tuple[int, int]:
    """How many questions have their own sentence nearest; and the length of a vector."""
    questions, sentences = zip(*load_pairs(), strict=True)
    passages = np.array(embedding.get_text_embedding_batch(list(sentences)))
    asked = np.array([embedding.get_query_embedding(question) for question in questions])
    nearest = (asked @ passages.T).argmax(axis=1)
    return int((nearest == np.arange(len(questions))).sum()), passages.shape[1]


def _index_check(settings: Settings, embedding: BaseEmbedding) -> Check:
    """Whether the index, where there is one, was made with it."""
    try:
        at_once = settings.model_copy(update={"lock_seconds": 0.0})
        with open_store(at_once, embedding, owner="python -m rag doctor") as store:
            count = store.count()
    except IndexBusyError:
        return Check("index", "in use by another process, which could open it")
    except EmbeddingMismatchError as exc:
        return Check("index", str(exc), False)
    except BylineError as exc:
        return Check("index", str(exc), False)
    return Check("index", f"{count} passages made with it" if count else "empty; the first start fills it", True)
