"""ArticleWriter: articles cut, embedded and stored, the three side by side and a bounded number at a time.

Embedding takes nearly all the time. While the model works on some passages, the ones before are stored and the next
ones cut; so the whole is nearly as fast as the model alone, and no more than a few batches are ever in memory.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from llama_index.core.embeddings import BaseEmbedding

from index.articles import Article
from index.passages import Passage, cut_passages
from index.records import Embedded, Vectors
from index.store import PassageStore

# Passages embedded and stored at a time. Each storing has a fixed cost, some milliseconds; what a crash loses is one
# batch. Smaller ones leave less that waits for the model at the start and the end, but of many writes on a full disk
# Chroma now and then answers none, not even with an error.
PASSAGES_A_WRITE = 512
# Batches on their way, in whatever stage: the model always finds the next one cut.
_IN_FLIGHT = 4


class _Cut(NamedTuple):
    article: Article
    passages: list[Passage]
    origin: str


def embedded_text(passage: Passage) -> str:
    """What is embedded of a passage: its words behind the title, which says what they are about."""
    return f"{passage.title}\n{passage.text}"


def embed_passages(passages: Sequence[Passage], embedding: BaseEmbedding) -> Vectors:
    """The vectors of passages, a row each.

    They go to the model by length, the longest first: those of one run are then alike, as models that pad them want
    it, and the threads end together.
    """
    texts = [embedded_text(passage) for passage in passages]
    order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
    found = np.asarray(embedding.get_text_embedding_batch([texts[place] for place in order]), dtype=np.float32)
    vectors = np.empty_like(found)
    vectors[order] = found
    return vectors


class ArticleWriter:
    """Takes articles one by one; what goes wrong with a batch is raised by a later call."""

    def __init__(self, store: PassageStore, max_tokens: int) -> None:
        """Write to `store`, in passages of `max_tokens` tokens at most."""
        self._store = store
        self._max_tokens = max_tokens
        self._waiting: list[_Cut] = []
        self._passages = 0
        self._embedding = ThreadPoolExecutor(1, thread_name_prefix="embedding-batches")
        self._storing = ThreadPoolExecutor(1, thread_name_prefix="storing")
        self._under_way: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Store what was taken, or, after an error, only what is under way."""
        try:
            if error is None:
                self.flush()
        finally:
            self._embedding.shutdown(cancel_futures=True)
            self._storing.shutdown(cancel_futures=True)

    def add(self, article: Article, origin: str) -> list[Passage]:
        """Take an article, to be stored when enough have come together; returns what it is cut into."""
        passages = cut_passages(article, max_tokens=self._max_tokens)
        self._waiting.append(_Cut(article, passages, origin))
        self._passages += len(passages)
        if self._passages >= PASSAGES_A_WRITE:
            self._send()
        return passages

    def flush(self) -> None:
        """Store what has been taken, and wait for it."""
        self._send()
        while self._under_way:
            self._under_way.pop(0).result()

    def _send(self) -> None:
        batch, self._waiting, self._passages = self._waiting, [], 0
        if not batch:
            return
        while len(self._under_way) >= _IN_FLIGHT:
            self._under_way.pop(0).result()
        embedded = self._embedding.submit(self._embed, batch)
        self._under_way.append(self._storing.submit(lambda: self._store.put_all(embedded.result())))

    def _embed(self, batch: Sequence[_Cut]) -> list[Embedded]:
        vectors = embed_passages([passage for one in batch for passage in one.passages], self._store.embedding)
        articles = []
        for article, passages, origin in batch:
            articles.append(Embedded(article, passages, vectors[: len(passages)], origin))
            vectors = vectors[len(passages) :]
        return articles
