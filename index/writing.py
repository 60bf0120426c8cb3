"""ArticleWriter: articles cut, embedded and stored, the three side by side and a bounded number at a time.

Embedding takes nearly all the time. While the model works on some passages, the ones before are stored and the next
ones cut; so the whole is nearly as fast as the model alone, and no more than a few batches are ever in memory.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import numpy as np

from index.articles import Article
from index.bulk import BulkEmbedding
from index.passages import Passage, cut_passages
from index.records import Embedded, Vectors
from index.store import PassageStore

# Passages embedded and stored at a time. Each storing has a fixed cost, some milliseconds; what a crash loses is one
# batch. Of many small writes on a full disk Chroma now and then answers none, not even with an error.
PASSAGES_A_WRITE = 512
# At the end the model has nothing to do while the last ones are stored: they are few.
_PASSAGES_LAST = 64
# Batches on their way, in whatever stage: the model always finds the next one cut.
_IN_FLIGHT = 4


class _Cut(NamedTuple):
    article: Article
    passages: list[Passage]
    origin: str


def embedded_text(passage: Passage) -> str:
    """What is embedded of a passage: its words behind the title, which says what they are about."""
    return f"{passage.title}\n{passage.text}"


class Embeds(Protocol):
    """What embeds texts: a LlamaIndex embedding, or `BulkEmbedding`."""

    def get_text_embedding_batch(self, texts: list[str]) -> Sequence[Sequence[float]] | Vectors:
        """A vector for each text."""
        ...


def embed_passages(passages: Sequence[Passage], embedding: Embeds) -> Vectors:
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
        self._waiting: deque[_Cut] = deque()
        self._passages = 0
        self._model = BulkEmbedding(store.embedding)
        self._embedding = ThreadPoolExecutor(self._model.batches_at_once, thread_name_prefix="embedding-batches")
        self._storing = ThreadPoolExecutor(1, thread_name_prefix="storing")
        self._under_way: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Store what was taken, or, after an error, only what is embedded."""
        try:
            if error is None:
                self.flush()
        finally:
            self._model.close()
            self._embedding.shutdown(cancel_futures=True)
            self._storing.shutdown(cancel_futures=True)

    def add(self, article: Article, origin: str) -> list[Passage]:
        """Take an article, to be stored when enough have come together; returns what it is cut into."""
        passages = cut_passages(article, max_tokens=self._max_tokens)
        self._waiting.append(_Cut(article, passages, origin))
        self._passages += len(passages)
        if self._passages >= PASSAGES_A_WRITE:
            self._send(self._passages)
        return passages

    def flush(self) -> None:
        """Store what has been taken, and wait for it."""
        while self._waiting:
            self._send(max(_PASSAGES_LAST, self._passages // 2))
        while self._under_way:
            self._under_way.pop(0).result()

    def _send(self, passages: int) -> None:
        """Have the first articles that wait embedded and stored: so many that they have `passages`, or all."""
        batch: list[_Cut] = []
        while self._waiting and sum(len(one.passages) for one in batch) < passages:
            batch.append(self._waiting.popleft())
        self._passages -= sum(len(one.passages) for one in batch)
        while len(self._under_way) >= _IN_FLIGHT:
            self._under_way.pop(0).result()
        embedded = self._embedding.submit(self._embed, batch)
        self._under_way.append(self._storing.submit(lambda: self._store.put_all(embedded.result())))

    def _embed(self, batch: Sequence[_Cut]) -> list[Embedded]:
        vectors = embed_passages([passage for one in batch for passage in one.passages], self._model)
        articles = []
        for article, passages, origin in batch:
            articles.append(Embedded(article, passages, vectors[: len(passages)], origin))
            vectors = vectors[len(passages) :]
        return articles
