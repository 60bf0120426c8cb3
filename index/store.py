"""PassageStore: the passages of all articles, in Chroma and in the word index beside it, and one owner of both.

Chroma is the only store of text. Each row says which article it is part of, which version of it, its place among how
many; the passage at place 0 is written last and deleted first, so that an article is there exactly when its first
passage is. A change writes the new version before it deletes the old one. What a crash leaves behind is put right at
the next opening, where the list of articles, the number of passages and the word index are compared.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from llama_index.core.embeddings import BaseEmbedding

from index.articles import Article
from index.chroma import (
    EMBEDDING_KEY,
    chroma_errors,
    collection_name,
    connect,
    create_collection,
    our_collections,
    place_of,
    recover_replaced,
)
from index.errors import ArticleError, EmbeddingMismatchError
from index.lexical import ANALYSIS_VERSION, Entry, WordIndex, words_of
from index.ownership import Ownership, own_index
from index.passages import Passage
from index.records import (
    Embedded,
    IndexedArticle,
    Row,
    Vectors,
    get_rows,
    make_rows,
    newest_articles,
    read_passage,
    stitch,
    zip_rows,
)
from index.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

_ROWS_A_READ = 2000


@contextmanager
def open_store(settings: Settings, embedding: BaseEmbedding, *, owner: str) -> Iterator["PassageStore"]:
    """Open the index for the embedding model, empty where there is none yet, and mend what a crash left.

    Args:
        settings: where it is.
        embedding: the model of its vectors.
        owner: who holds it, in words for other users: `the page`, `python -m index add`.

    Raises:
        IndexBusyError: another process holds it.
        EmbeddingMismatchError: it was made with another embedding model.
        StoreError: it is damaged; nothing is deleted.
        SettingsError: its folder cannot be written, or its server does not answer.
    """
    with hold(settings, owner) as ownership, connect(settings) as client:
        with chroma_errors(settings):
            recover_replaced(client, embedding.model_name)
            collection = _find_collection(client, settings, embedding.model_name)
            if settings.chroma and collection is None:  # others may fill it while this process runs
                name = embedding.model_name
                collection = create_collection(client, collection_name(name), model_name=name)
        store = PassageStore(client, collection, embedding=embedding, settings=settings, ownership=ownership)
        store.refresh()
        yield store


@contextmanager
def hold(settings: Settings, owner: str) -> Iterator[Ownership | None]:
    """The lock of an embedded index; a server's has none, since the server takes care of its clients."""
    if settings.chroma:
        yield None
        return
    with own_index(settings.home, owner=owner, wait_seconds=settings.lock_seconds) as ownership:
        yield ownership


def _find_collection(client: ClientAPI, settings: Settings, model_name: str) -> Collection | None:
    collections = our_collections(client)
    own = collections.get(collection_name(model_name))
    others = [collection for collection in collections.values() if collection is not own]
    if (own is None or not own.count()) and (others := [other for other in others if other.count()]):
        made_with = " and ".join(sorted({str(other.metadata[EMBEDDING_KEY]) for other in others}))
        raise EmbeddingMismatchError(
            f"The index {place_of(settings)} was made with the embedding model {made_with}, and {model_name} is set. "
            f"Run `python -m index rebuild` to embed its articles with {model_name}, or set BYLINE_EMBEDDING back."
        )
    return own


class PassageStore:
    """An open index. Its methods may be called from several threads."""

    def __init__(
        self,
        client: ClientAPI,
        collection: Collection | None,
        *,
        embedding: BaseEmbedding,
        settings: Settings,
        ownership: Ownership | None,
    ) -> None:
        """Use `open_store`; without a collection, the first article stored makes one."""
        self.embedding = embedding
        self._client = client
        self._collection = collection
        self._settings = settings
        self._ownership = ownership
        self._words = WordIndex(words_folder(settings, embedding.model_name))
        self._listed: dict[str, IndexedArticle] = {}
        self._outlets: tuple[dict[str, IndexedArticle], frozenset[str]] = (self._listed, frozenset())
        self._rows_seen = 0
        self._writing = threading.RLock()

    def announce(self, url: str) -> None:
        """Tell other processes, which find the index in use, the address where it can be asked."""
        if self._ownership is not None:
            self._ownership.announce(url)

    # --- reading --------------------------------------------------------------------------------------------------

    def articles(self) -> list[IndexedArticle]:
        """Every article, sorted by id."""
        if self._settings.chroma:
            self._list_articles()
        return sorted(self._listed.values(), key=lambda listed: listed.id)

    def outlets(self) -> frozenset[str]:
        """The outlets of all articles, where one is known."""
        listed = self._listed
        if self._outlets[0] is not listed:  # a change makes a new dictionary
            self._outlets = (listed, frozenset(one.source for one in listed.values() if one.source))
        return self._outlets[1]

    def find_article(self, article_id: str) -> IndexedArticle | None:
        """How the index lists an article, or None where it does not."""
        return self._listed.get(article_id)

    def article(self, article_id: str) -> Article:
        """An article, stitched from its passages.

        Raises:
            ArticleError: no such article.
        """
        passages = self.article_passages(article_id)
        return stitch(self._listed[article_id], passages)

    def article_passages(self, article_id: str) -> list[Passage]:
        """The passages of an article, in order.

        Raises:
            ArticleError: no such article.
        """
        if article_id not in self._listed:
            self._list_articles()
        if article_id not in self._listed:
            raise ArticleError(f"No article {article_id!r} is in the index; `python -m index list` shows them.")
        rows = self._get(where={"article_id": article_id})
        return sorted((read_passage(row) for row in self._current(rows)), key=lambda passage: passage.start)

    def passage(self, passage_id: str) -> Passage:
        """A passage by id.

        Raises:
            ArticleError: no such passage.
        """
        found = self.passages([passage_id])
        if not found:
            raise ArticleError(f"No passage {passage_id!r} is in the index; its article was changed or removed.")
        return found[0]

    def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Passages in the order of their ids; unknown ids are left out."""
        rows = self._current(self._get_by_ids(passage_ids))
        by_id = {row.id: read_passage(row) for row in rows}
        return [by_id[passage_id] for passage_id in passage_ids if passage_id in by_id]

    def nearest(
        self, vector: Sequence[float] | Vectors, limit: int, *, article_ids: Iterable[str] | None = None
    ) -> list[tuple[Passage, float]]:
        """The passages nearest to a vector with their cosine (larger is better), best first, ties by id.

        Args:
            vector: of a question, by the same embedding model.
            limit: how many at most.
            article_ids: only passages of these articles; of all where left out.
        """
        where, known = self._among(article_ids)
        if self._collection is None or limit < 1 or not known:
            return []
        with chroma_errors(self._settings):
            found = self._collection.query(
                query_embeddings=cast("Any", [np.asarray(vector, dtype=np.float32)]),  # declared as an invariant list
                n_results=min(limit, known),
                where=where,
                include=["metadatas", "documents", "distances"],
            )
        rows = zip_rows(found["ids"][0], (found["documents"] or [[]])[0], (found["metadatas"] or [[]])[0])
        distances = dict(zip(found["ids"][0], (found["distances"] or [[]])[0], strict=True))
        scored = [(read_passage(row), 1.0 - float(distances[row.id])) for row in self._current(rows)]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0].id))

    def near_scores(
        self, vector: Sequence[float] | Vectors, limit: int, *, article_ids: Iterable[str] | None = None
    ) -> dict[str, float]:
        """The ids of what `nearest` finds, with their cosines; no passage is read, which is half of its time.

        While an article is changed, ids of its version before may be among them.
        """
        where, known = self._among(article_ids)
        if self._collection is None or limit < 1 or not known:
            return {}
        with chroma_errors(self._settings):
            found = self._collection.query(
                query_embeddings=cast("Any", [np.asarray(vector, dtype=np.float32)]),
                n_results=min(limit, known),
                where=where,
                include=["distances"],
            )
        distances = (found["distances"] or [[]])[0]
        return {id_: 1.0 - float(distance) for id_, distance in zip(found["ids"][0], distances, strict=True)}

    def _among(self, article_ids: Iterable[str] | None) -> tuple[Any, int]:
        """Chroma's filter for some articles, and how many passages can pass it at most."""
        if article_ids is None:
            return None, self.count()
        listed = [self._listed[article_id] for article_id in set(article_ids) if article_id in self._listed]
        return {"article_id": {"$in": sorted(one.id for one in listed)}}, sum(one.passages for one in listed)

    def find_words(
        self, query: str, limit: int, *, about: str = "", article_ids: Iterable[str] | None = None
    ) -> list[tuple[Passage, float]]:
        """The passages that hold words of `query` with their BM25 scores, best first, ties by id.

        Words of `about` bring those articles forward whose titles hold them.
        """
        scores = self.word_scores(query, limit, about=about, article_ids=article_ids)
        return [(passage, scores[passage.id]) for passage in self.passages(list(scores))]

    def word_scores(
        self,
        query: str,
        limit: int,
        *,
        about: str = "",
        days: Iterable[str] = (),
        article_ids: Iterable[str] | None = None,
    ) -> dict[str, float]:
        """The ids of what `find_words` finds, with their scores, best first; no passage is read.

        Articles published on one of `days`, ISO dates, come sooner as well.
        """
        self._follow_server()
        return dict(self._words.search(query, limit, about=about, days=days, article_ids=article_ids))

    def document_frequency(self, text: str) -> dict[str, int]:
        """For each word of `text` as the word index keeps it (`index.lexical.words_of`), how many passages hold it."""
        self._follow_server()
        return self._words.document_frequency(dict.fromkeys(words_of(text)))

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """The vectors of passages, a row for each id in that order.

        Raises:
            ArticleError: no such passage.
        """
        by_id: dict[str, Any] = {}
        for ids in _batches(list(dict.fromkeys(passage_ids)), _ROWS_A_READ):
            with chroma_errors(self._settings):
                found = self._collection.get(ids=ids, include=["embeddings"]) if self._collection else None
            if found is not None and found["embeddings"] is not None:
                by_id.update(zip(found["ids"], found["embeddings"], strict=True))
        if missing := [passage_id for passage_id in passage_ids if passage_id not in by_id]:
            raise ArticleError(f"No passage {missing[0]!r} is in the index; its article was changed or removed.")
        return np.asarray([by_id[passage_id] for passage_id in passage_ids], dtype=np.float32)

    def count(self) -> int:
        """How many passages there are."""
        return sum(listed.passages for listed in list(self._listed.values()))

    def _current(self, rows: Sequence[Row]) -> list[Row]:
        """Without the rows of a version that a change is just replacing, or that a crash left."""
        if self._settings.chroma and any(not self._is_current(row) for row in rows):
            self._list_articles()
        return [row for row in rows if self._is_current(row)]

    def _is_current(self, row: Row) -> bool:
        listed = self._listed.get(row.metadata["article_id"])
        return listed is not None and listed.version == row.metadata["version"]

    def _get_by_ids(self, passage_ids: Sequence[str]) -> list[Row]:
        rows: list[Row] = []
        for ids in _batches(list(dict.fromkeys(passage_ids)), _ROWS_A_READ):
            rows += self._get(ids=ids)
        return rows

    def _get(self, *, documents: bool = True, **query: Any) -> list[Row]:
        if self._collection is None:
            return []
        with chroma_errors(self._settings):
            return get_rows(self._collection, documents=documents, **query)

    # --- writing --------------------------------------------------------------------------------------------------

    def put(self, article: Article, passages: Sequence[Passage], vectors: Vectors, *, origin: str = "") -> None:
        """Store an article whole, in place of what was there under its id."""
        self.put_all([Embedded(article, passages, vectors, origin)])

    def put_all(self, articles: Sequence[Embedded]) -> None:
        """Store several articles, each whole; faster than one by one."""
        if not articles:
            return
        with self._writing, chroma_errors(self._settings):
            replaced = [one.article.id for one in articles if one.article.id in self._listed]
            listed = [one.listed(self._next_version(one.article.id)) for one in articles]
            rows = [row for one, new in zip(articles, listed, strict=True) for row in make_rows(one, new.version)]
            old = {row.id for row in self._rows_of(replaced)} - {row.id for row in rows}
            self._upsert(rows)
            self._listed = self._listed | {new.id: new for new in listed}
            entries = [_entry(new) for new in listed]
            self._words.change(remove=[], add=zip(entries, (one.passages for one in articles), strict=True))
            self._delete(sorted(old))

    def remove(self, article_ids: Iterable[str]) -> None:
        """Take articles out.

        Raises:
            ArticleError: one of them is not there; then nothing is removed.
        """
        wanted = list(dict.fromkeys(article_ids))
        if not wanted:
            return
        with self._writing, chroma_errors(self._settings):
            if unknown := [article_id for article_id in wanted if article_id not in self._listed]:
                names = ", ".join(unknown)
                raise ArticleError(f"Not in the index: {names}; nothing was removed. `python -m index list` shows ids.")
            rows = sorted(self._rows_of(wanted), key=lambda row: int(row.metadata["place"]))
            self._listed = {key: value for key, value in self._listed.items() if key not in set(wanted)}
            self._delete([row.id for row in rows])
            self._words.change(remove=wanted, add=[])

    def set_origin(self, article_ids: Sequence[str], origin: str) -> None:
        """Note that unchanged articles now come from another folder."""
        with self._writing, chroma_errors(self._settings):
            rows = self._rows_of(article_ids)
            for batch in _batches(rows, self._batch_size()):
                self._made_collection().update(
                    ids=[row.id for row in batch], metadatas=[{**row.metadata, "origin": origin} for row in batch]
                )
            self._list_articles()

    def _made_collection(self) -> Collection:
        if self._collection is None:
            name = self.embedding.model_name
            self._collection = create_collection(self._client, collection_name(name), model_name=name)
        return self._collection

    def _next_version(self, article_id: str) -> int:
        """Microseconds, so that an article removed and added again by another process is told from the first one."""
        listed = self._listed.get(article_id)
        return max(time.time_ns() // 1000, listed.version + 1 if listed else 0)

    def _rows_of(self, article_ids: Sequence[str]) -> list[Row]:
        rows: list[Row] = []
        for ids in _batches(list(article_ids), 100):
            rows += self._get(documents=False, where={"article_id": {"$in": ids}})
        return rows

    def _upsert(self, rows: Sequence[Row]) -> None:
        """Write rows, first passages last."""
        ordered = sorted(rows, key=lambda row: row.metadata["place"] == 0)
        for batch in _batches(ordered, self._batch_size()):
            self._made_collection().upsert(
                ids=[row.id for row in batch],
                embeddings=np.asarray([row.vector for row in batch], dtype=np.float32),
                documents=[row.document for row in batch],
                metadatas=[row.metadata for row in batch],
            )

    def _delete(self, passage_ids: Sequence[str]) -> None:
        for batch in _batches(list(passage_ids), self._batch_size()):
            self._made_collection().delete(ids=batch)

    def _batch_size(self) -> int:
        return min(_ROWS_A_READ, self._client.get_max_batch_size())

    # --- agreement ------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the list of articles again, drop what a crash left half done, make the word index agree.

        Costs a listing where nothing is amiss.
        """
        with self._writing, chroma_errors(self._settings):
            self._rows_seen = self._collection.count() if self._collection else 0
            self._list_articles()
            # On a server, rows without a first passage may be what another process is just writing.
            if self._rows_seen != self.count() and not self._settings.chroma:
                self._drop_leftovers()
            self._mend_words()

    def _follow_server(self) -> None:
        """Take in what other processes did to a server's collection, as far as the number of its rows tells."""
        if self._settings.chroma and self._collection is not None:
            with chroma_errors(self._settings):
                changed = self._collection.count() != self._rows_seen
            if changed:
                self.refresh()

    def _list_articles(self) -> None:
        self._listed = newest_articles(self._get(documents=False, where={"place": 0}))

    def _drop_leftovers(self) -> None:
        """Delete the rows of replaced versions and of articles whose writing or deleting was cut short."""
        leftovers: list[str] = []
        offset = 0
        while rows := self._get(documents=False, limit=_ROWS_A_READ, offset=offset):
            leftovers += [row.id for row in rows if not self._is_current(row)]
            offset += len(rows)
        if leftovers:
            logger.warning("%d passages left by a run that was cut short are dropped", len(leftovers))
            self._delete(leftovers)

    def _mend_words(self) -> None:
        """Make the word index hold what Chroma holds, at the cost of the difference."""
        held = self._words.entries()
        wanted = {_entry(listed) for listed in self._listed.values()}
        if held == wanted and self._words.count() == self.count():
            return
        different = held ^ wanted if held != wanted else wanted
        logger.info("the word index is completed: %d entries differ", len(different))
        self._words.change(remove=sorted({entry.article_id for entry in different}), add=[])
        for batch in _batches(sorted(different & wanted), 100):
            ids = [entry.article_id for entry in batch]
            passages: dict[str, list[Passage]] = {article_id: [] for article_id in ids}
            for row in self._current(self._get(where={"article_id": {"$in": ids}})):
                passages[row.metadata["article_id"]].append(read_passage(row))
            self._words.change(remove=[], add=[(entry, passages[entry.article_id]) for entry in batch])


def words_folder(settings: Settings, model_name: str) -> Path:
    """Where the word index of a model's passages is."""
    return settings.home / "words" / f"{collection_name(model_name)}-{ANALYSIS_VERSION}"


def _entry(listed: IndexedArticle) -> Entry:
    return Entry(listed.id, listed.content_hash, listed.passages)


def _batches(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
