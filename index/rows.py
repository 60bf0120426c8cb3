"""Rows: what one Chroma collection holds, read and written in batches that Chroma takes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection

from index.chroma import chroma_errors, require_room
from index.records import Row, Vectors, get_rows
from index.settings import Settings

T = TypeVar("T")

ROWS_A_READ = 2000
_ARTICLES_A_READ = 100


class Rows:
    """The rows of a collection; where there is none yet, the first row written makes it."""

    def __init__(
        self, client: ClientAPI, settings: Settings, collection: Collection | None, make: Callable[[], Collection]
    ) -> None:
        """Read and write `collection`; `make` makes it where it is not there."""
        self._client = client
        self._settings = settings
        self._collection = collection
        self._make = make

    # --- reading --------------------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many there are."""
        if self._collection is None:
            return 0
        with chroma_errors(self._settings):
            return self._collection.count()

    def get(self, *, documents: bool = True, **query: Any) -> list[Row]:
        """The rows that `Collection.get` finds; without `documents`, their texts are left empty."""
        if self._collection is None:
            return []
        with chroma_errors(self._settings):
            return get_rows(self._collection, documents=documents, **query)

    def by_ids(self, ids: Sequence[str], *, documents: bool = True) -> list[Row]:
        """The rows of these ids, in no order; unknown ids are left out."""
        return [
            row
            for batch in batches(list(dict.fromkeys(ids)), ROWS_A_READ)
            for row in self.get(documents=documents, ids=batch)
        ]

    def of_articles(self, article_ids: Sequence[str], *, documents: bool = True) -> list[Row]:
        """The rows of these articles, whatever their version, in no order."""
        return [
            row
            for batch in batches(list(article_ids), _ARTICLES_A_READ)
            for row in self.get(documents=documents, where=of_articles(batch))
        ]

    def all(self, *, documents: bool = True) -> Iterator[Row]:
        """Every row, a few at a time."""
        offset = 0
        while rows := self.get(documents=documents, limit=ROWS_A_READ, offset=offset):
            yield from rows
            offset += len(rows)

    def vectors(self, ids: Sequence[str]) -> dict[str, Any]:
        """The vectors of these ids; unknown ids are left out."""
        found: dict[str, Any] = {}
        for batch in batches(list(dict.fromkeys(ids)), ROWS_A_READ):
            if self._collection is None:
                break
            with chroma_errors(self._settings):
                read = self._collection.get(ids=list(batch), include=["embeddings"])
            if read["embeddings"] is not None:
                found.update(zip(read["ids"], read["embeddings"], strict=True))
        return found

    def near(
        self, vector: Sequence[float] | Vectors, limit: int, *, ids: list[str] | None = None
    ) -> list[tuple[str, float]]:
        """The ids of the rows nearest to a vector with their cosine, nearest first.

        Args:
            vector: its length does not matter.
            limit: how many at most.
            ids: only among these.
        """
        if self._collection is None or limit < 1:
            return []
        with chroma_errors(self._settings):
            found = self._collection.query(
                query_embeddings=cast("Any", [np.asarray(vector, dtype=np.float32)]),  # declared as an invariant list
                n_results=limit,
                ids=ids,
                include=["distances"],
            )
        distances = (found["distances"] or [[]])[0]
        return [(id_, 1.0 - float(distance)) for id_, distance in zip(found["ids"][0], distances, strict=True)]

    # --- writing --------------------------------------------------------------------------------------------------

    def upsert(self, rows: Sequence[Row]) -> None:
        """Write rows, in their order; each batch is there whole or not at all."""
        for batch in batches(rows, self.batch_size()):
            require_room(self._settings, sum(len(row.document) + 4 * len(row.vector) for row in batch))
            with chroma_errors(self._settings):
                self._made().upsert(
                    ids=[row.id for row in batch],
                    embeddings=np.asarray([row.vector for row in batch], dtype=np.float32),
                    documents=[row.document for row in batch],
                    metadatas=[row.metadata for row in batch],
                )

    def update_metadata(self, rows: Sequence[Row]) -> None:
        """Write the metadata of rows anew."""
        for batch in batches(rows, self.batch_size()):
            require_room(self._settings)
            with chroma_errors(self._settings):
                self._made().update(ids=[row.id for row in batch], metadatas=[row.metadata for row in batch])

    def delete(self, ids: Sequence[str]) -> None:
        """Take rows out, in the order of `ids`; unknown ids do no harm."""
        for batch in batches(ids, self.batch_size()):
            require_room(self._settings)
            with chroma_errors(self._settings):
                self._made().delete(ids=list(batch))

    def batch_size(self) -> int:
        """How many rows are written at a time."""
        return min(ROWS_A_READ, self._client.get_max_batch_size())

    def _made(self) -> Collection:
        if self._collection is None:
            self._collection = self._make()
        return self._collection


def of_articles(article_ids: Sequence[str]) -> dict[str, Any]:
    """Chroma's filter for the rows of some articles."""
    return {"article_id": {"$in": list(article_ids)}}


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """`items` in runs of `size`, the last one shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
