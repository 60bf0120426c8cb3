"""PassageStore: the passages of all articles, in Chroma, and the word index and near copies kept beside it.

Chroma is the only store of text. Each row says which article it is part of, which version of it, its place among how
many; the passage at place 0 is written last and deleted first, so that an article is there exactly when its first
passage is. A change keeps the old version's rows among the earlier versions, writes the new one, makes it the one that
counts, and then deletes the old one. What a crash leaves behind is put right at the next opening, where the list of
articles, the number of passages, the word index and the near copies are compared.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from llama_index.core.embeddings import BaseEmbedding

from index.agreement import drop_leftovers, entry_of, follow, is_current, mend_beside
from index.articles import Article
from index.catalogue import Catalogue
from index.chroma import (
    collection_name,
    create_collection,
    create_earlier_collection,
    find_earlier_collection,
    require_room,
)
from index.copies import Copies
from index.earlier import Cited, EarlierVersions, replaced_at
from index.errors import ArticleError, StoreError
from index.following import Follower
from index.lexical import ANALYSIS_VERSION, WordIndex, words_of
from index.neighbours import near_among
from index.ownership import Ownership
from index.passages import Passage
from index.records import Embedded, IndexedArticle, Row, Vectors, make_rows, read_passage, stitch
from index.rows import Rows, batches
from index.settings import Settings

# A reading of an article meets a change of it at most so often in a row.
_READINGS = 5
_ARTICLES_A_READ = 100
_VECTORS_TRIED = 500


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
        name = embedding.model_name
        self.embedding = embedding
        self._settings = settings
        self._ownership = ownership
        self._rows = Rows(
            client, settings, collection, lambda: create_collection(client, collection_name(name), model_name=name)
        )
        earlier = find_earlier_collection(client)
        if settings.chroma and earlier is None:  # others may fill it while this process runs
            earlier = create_earlier_collection(client)
        earlier_rows = Rows(client, settings, earlier, lambda: create_earlier_collection(client))
        self._earlier = EarlierVersions(earlier_rows, keep=settings.keep_versions)
        self._words = WordIndex(words_folder(settings, name))
        self._copies = Copies(settings.home / "copies.sqlite")
        self._beside = (self._words, self._copies)
        self._catalogue = Catalogue()
        self._follower = Follower(self._rows)
        self._writing = threading.RLock()
        self.mended = 0
        """How many rows and entries the last `refresh` had to put right."""

    def announce(self, url: str) -> None:
        """Tell other processes, which find the index in use, the address where it can be asked."""
        if self._ownership is not None:
            self._ownership.announce(url)

    # --- reading --------------------------------------------------------------------------------------------------

    @property
    def catalogue(self) -> Catalogue:
        """Which articles there are, as of now."""
        self._follow_server()
        return self._catalogue

    def articles(self) -> list[IndexedArticle]:
        """Every article, sorted by id."""
        return list(self.catalogue.in_order)

    def outlets(self) -> frozenset[str]:
        """The outlets of all articles, where one is known."""
        return self._catalogue.outlets

    def find_article(self, article_id: str) -> IndexedArticle | None:
        """How the index lists an article, or None where it does not."""
        return self._catalogue.articles.get(article_id)

    def find_content(self, content_hash: str) -> str | None:
        """The id of the article with this content, or None where there is none."""
        return self._catalogue.by_content.get(content_hash)

    def copies(self) -> dict[str, str]:
        """The near copies: the id of each with that of the article it repeats, the first published of its group."""
        listed = self.catalogue.articles
        found: dict[str, str] = {}
        for group in self._copies.groups():
            there = sorted(group & listed.keys(), key=lambda one: (listed[one].published or "9999", one))
            found |= dict.fromkeys(there[1:], there[0] if there else "")
        return found

    def article(self, article_id: str) -> Article:
        """An article, stitched from its passages.

        Raises:
            ArticleError: no such article.
        """
        listed, passages = self._read_whole(article_id)
        return stitch(listed, passages)

    def article_passages(self, article_id: str) -> list[Passage]:
        """The passages of an article, in order.

        Raises:
            ArticleError: no such article.
        """
        return self._read_whole(article_id)[1]

    def _read_whole(self, article_id: str) -> tuple[IndexedArticle, list[Passage]]:
        """One version of an article, read again where a change took it away meanwhile."""
        reading = 0
        while True:
            reading += 1
            listed = self.catalogue.articles.get(article_id)
            if listed is None:
                raise ArticleError(f"No article {article_id!r} is in the index; `python -m index list` shows them.")
            rows = self._rows_of([listed])
            passages = [read_passage(row) for row in rows if row.metadata["version"] == listed.version]
            if len(passages) == listed.passages or reading == _READINGS:
                return listed, sorted(passages, key=lambda passage: passage.start)
            if self._settings.chroma:
                self._take_over(self._follower.relist)

    def _rows_of(self, articles: Sequence[IndexedArticle], *, documents: bool = True) -> list[Row]:
        """The rows of articles. The word index knows their ids, by which Chroma finds them soonest."""
        by_words = self._rows.by_ids(self._words.passages_of(one.id for one in articles), documents=documents)
        current = sum(is_current(row, self._catalogue) for row in by_words)
        if current == sum(one.passages for one in articles):
            return by_words
        return self._rows.of_articles([one.id for one in articles], documents=documents)

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
        rows = self._current(self._rows.by_ids(passage_ids))
        by_id = {row.id: read_passage(row) for row in rows}
        return [by_id[passage_id] for passage_id in passage_ids if passage_id in by_id]

    def cited(self, passage_id: str) -> Cited:
        """A passage in its article, as both were when it was cited, also where the article has changed since.

        Raises:
            ArticleError: no such passage, or of a version that is no longer kept.
        """
        for _ in range(_READINGS):
            if current := self.passages([passage_id]):
                article = self.article(current[0].article_id)
                if article.text[current[0].start : current[0].end] == current[0].text:
                    return Cited(current[0], article)
            elif earlier := self._earlier.passages([passage_id]):
                row = earlier[passage_id]
                replaced = self._replaced(row)
                article = self._earlier.article(row) if replaced else self.article(row.metadata["article_id"])
                return Cited(read_passage(row), article, replaced)
            else:
                break
        raise ArticleError(
            f"No passage {passage_id!r} is in the index; its article was removed, or changed more than "
            f"{self._settings.keep_versions} times since (BYLINE_KEEP_VERSIONS)."
        )

    def cited_passages(self, passage_ids: Sequence[str]) -> list[tuple[Passage, str | None]]:
        """Passages in the order of their ids, each with the time its version was replaced, None where it stands."""
        current = {passage.id: passage for passage in self.passages(passage_ids)}
        earlier = self._earlier.passages([id_ for id_ in passage_ids if id_ not in current])
        found: list[tuple[Passage, str | None]] = []
        for passage_id in passage_ids:
            if passage_id in current:
                found.append((current[passage_id], None))
            elif passage_id in earlier:
                row = earlier[passage_id]
                found.append((read_passage(row), self._replaced(row)))
        return found

    def _replaced(self, row: Row) -> str | None:
        """When an earlier version was replaced; None where the article says the same today, only cut otherwise."""
        now = self.find_article(row.metadata["article_id"])
        return None if now is not None and now.content_hash == row.metadata["content_hash"] else replaced_at(row)

    def nearest(
        self, vector: Sequence[float] | Vectors, limit: int, *, article_ids: Iterable[str] | None = None
    ) -> list[tuple[Passage, float]]:
        """The passages nearest to a vector with their cosine (larger is better), best first, ties by id.

        Args:
            vector: of a question, by the same embedding model.
            limit: how many at most.
            article_ids: only passages of these articles; of all where left out.
        """
        near = self.near_scores(vector, limit, article_ids=article_ids)
        scored = [(passage, near[passage.id]) for passage in self.passages(list(near))]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0].id))

    def near_scores(
        self, vector: Sequence[float] | Vectors, limit: int, *, article_ids: Iterable[str] | None = None
    ) -> dict[str, float]:
        """The ids of what `nearest` finds, with their cosines; no passage is read, which is half of its time.

        While an article is changed, ids of its version before may be among them.
        """
        catalogue = self._catalogue
        if limit < 1 or not catalogue.passages:
            return {}
        if article_ids is None:
            return dict(self._rows.near(vector, min(limit, catalogue.passages)))
        return dict(near_among(self._rows, self._words, catalogue, vector, limit, article_ids=article_ids))

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

    def all_whole(self) -> Iterator[Embedded]:
        """Every article with its passages and their vectors, by id, read a few at a time."""
        for some in batches(self.catalogue.in_order, _ARTICLES_A_READ):
            listed = {one.id: one for one in some}
            passages: dict[str, list[Passage]] = {one.id: [] for one in some}
            for row in self._rows_of(some):
                if row.metadata["version"] == listed[row.metadata["article_id"]].version:
                    passages[row.metadata["article_id"]].append(read_passage(row))
            vectors = self._rows.vectors([one.id for several in passages.values() for one in several])
            for one in some:
                ordered = sorted(passages[one.id], key=lambda passage: passage.start)
                article = stitch(one, ordered)
                missing = [passage.id for passage in ordered if passage.id not in vectors]
                if missing:
                    raise StoreError(
                        f"{one.id}: the vector of passage {missing[0]} is lost; run `python -m index rebuild`."
                    )
                matrix = np.asarray([vectors[passage.id] for passage in ordered], dtype=np.float32)
                yield Embedded(article, ordered, matrix, one.origin)

    def count_earlier(self) -> int:
        """How many passages of earlier versions there are."""
        return self._earlier.count()

    def problems(self) -> list[str]:
        """What is amiss between the list of articles, Chroma's rows, their vectors and the word index."""
        wanted, rows, words = self.catalogue.passages, self._rows.count(), self._words.count()
        held = self._copies.count()
        found = []
        if rows != wanted:
            found.append(f"{rows} passages in Chroma, where the articles have {wanted}")
        if words != wanted:
            found.append(f"{words} passages in the word index, where the articles have {wanted}")
        if held != wanted:
            found.append(f"{held} passages among the near copies, where the articles have {wanted}")
        sample = [row.id for row in self._rows.get(documents=False, limit=_VECTORS_TRIED)]
        try:
            lost = len(sample) - len(self._rows.vectors(sample))
        except StoreError as exc:
            found.append(str(exc))
        else:
            if lost:
                found.append(f"{lost} of {len(sample)} vectors that were tried are lost")
        return found

    def vectors(self, passage_ids: Sequence[str]) -> Vectors:
        """The vectors of passages, a row for each id in that order.

        Raises:
            ArticleError: no such passage.
        """
        by_id = self._rows.vectors(passage_ids)
        if missing := [passage_id for passage_id in passage_ids if passage_id not in by_id]:
            raise ArticleError(f"No passage {missing[0]!r} is in the index; its article was changed or removed.")
        return np.asarray([by_id[passage_id] for passage_id in passage_ids], dtype=np.float32)

    def count(self) -> int:
        """How many passages there are."""
        return self._catalogue.passages

    def _current(self, rows: Sequence[Row]) -> list[Row]:
        """Without the rows of a version that a change is just replacing, or that a crash left."""
        if any(not is_current(row, self._catalogue) for row in rows):
            self._follow_server()
        return [row for row in rows if is_current(row, self._catalogue)]

    # --- writing --------------------------------------------------------------------------------------------------

    def put(self, article: Article, passages: Sequence[Passage], vectors: Vectors, *, origin: str = "") -> None:
        """Store an article whole, in place of what was there under its id."""
        self.put_all([Embedded(article, passages, vectors, origin)])

    def put_all(self, articles: Sequence[Embedded]) -> None:
        """Store several articles, each whole; faster than one by one."""
        if not articles:
            return
        with self._writing:
            replaced = self._catalogue.among(one.article.id for one in articles)
            old = self._current(self._rows_of(list(replaced.values()))) if replaced else []
            listed = [one.listed(self._next_version(one.article.id)) for one in articles]
            rows = [row for one, new in zip(articles, listed, strict=True) for row in make_rows(one, new.version)]
            self._earlier.add(old)
            self._rows.upsert(sorted(rows, key=lambda row: row.metadata["place"] == 0))
            self._catalogue = self._catalogue.changed(put=listed)
            for kept in self._beside:
                kept.change(remove=[], add=zip(map(entry_of, listed), (one.passages for one in articles), strict=True))
            self._rows.delete(sorted({row.id for row in old} - {row.id for row in rows}))
            self._earlier.prune(list(replaced))

    def remove(self, article_ids: Iterable[str]) -> None:
        """Take articles out, their earlier versions too.

        Raises:
            ArticleError: one of them is not there; then nothing is removed.
        """
        wanted = list(dict.fromkeys(article_ids))
        if not wanted:
            return
        with self._writing:
            if unknown := [article_id for article_id in wanted if article_id not in self._catalogue.articles]:
                names = ", ".join(unknown)
                raise ArticleError(f"Not in the index: {names}; nothing was removed. `python -m index list` shows ids.")
            require_room(self._settings)  # before the list says that they are gone
            there = self._rows_of([self._catalogue.articles[one] for one in wanted], documents=False)
            rows = sorted(there, key=lambda row: int(row.metadata["place"]))
            self._catalogue = self._catalogue.changed(remove=wanted)
            self._rows.delete([row.id for row in rows])
            for kept in self._beside:
                kept.change(remove=wanted, add=[])
            self._earlier.forget(wanted)

    def keep_earlier(self, rows: Sequence[Row]) -> None:
        """Keep rows of versions that are, or will be, no longer there, for citations of them."""
        with self._writing:
            self._earlier.add(rows)
            self._earlier.prune(list({row.metadata["article_id"] for row in rows}))

    def earlier_rows(self) -> Iterator[Row]:
        """The rows of all earlier versions."""
        return self._earlier.all()

    def forget_earlier(self, article_ids: Iterable[str] | None = None) -> int:
        """Drop the earlier versions of some articles, or of all; returns how many passages that were."""
        with self._writing:
            return self._earlier.forget(article_ids)

    def set_origin(self, article_ids: Sequence[str], origin: str) -> None:
        """Note that unchanged articles now come from another folder."""
        with self._writing:
            rows = self._rows.of_articles(article_ids, documents=False)
            self._rows.update_metadata([replace(row, metadata={**row.metadata, "origin": origin}) for row in rows])
            self._catalogue = self._catalogue.changed(
                put=[replace(one, origin=origin) for one in self._catalogue.among(article_ids).values()]
            )

    def _next_version(self, article_id: str) -> int:
        """Microseconds, so that an article removed and added again by another process is told from the first one."""
        listed = self._catalogue.articles.get(article_id)
        return max(time.time_ns() // 1000, listed.version + 1 if listed else 0)

    # --- agreement ------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the list of articles again, drop what a crash left half done, make the word index agree.

        Costs a listing where nothing is amiss.
        """
        with self._writing:
            self._catalogue = self._follower.relist()
            self.mended = 0
            if self._rows.count() != self._catalogue.passages:
                self.mended += drop_leftovers(self._rows, self._catalogue, shared=bool(self._settings.chroma))
            self.mended += sum(mend_beside(kept, self._rows, self._catalogue) for kept in self._beside)

    def _follow_server(self) -> None:
        """Take in what other processes did to a server's collection."""
        if self._settings.chroma:
            self._take_over(lambda: self._follower.look(self._catalogue))

    def _take_over(self, look: Callable[[], Catalogue]) -> None:
        """Make what `look` finds the catalogue that counts; a writer who is at it does so himself."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            before, self._catalogue = self._catalogue, look()
            if self._catalogue is not before:
                follow(self._beside, self._rows, self._catalogue, self._catalogue.differing(before))
        finally:
            self._writing.release()


def words_folder(settings: Settings, model_name: str) -> Path:
    """Where the word index of a model's passages is."""
    return settings.home / "words" / f"{collection_name(model_name)}-{ANALYSIS_VERSION}"
