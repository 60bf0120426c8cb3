"""Passages as Chroma keeps them: the metadata of a row, and what is read back from it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from chromadb.api.models.Collection import Collection

from index.articles import Article
from index.errors import StoreError
from index.passages import Passage

Vectors = npt.NDArray[np.float32]
Metadata = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IndexedArticle:
    """An article as the index lists it, without its text.

    Attributes:
        id: see `Article`, as for the next five.
        title: its headline.
        source: its outlet or None.
        url: its address or None.
        published: its ISO date or None.
        content_hash: changes when anything of the article changes.
        passages: how many it is cut into.
        origin: the folder it was added from, or an empty string.
        version: when it was stored, in microseconds; larger is newer.
        author: see `Article`, as for the next two.
        language: its ISO 639-1 code or None.
        found_in: where each of the above that is known of it was found.
    """

    id: str
    title: str
    source: str | None
    url: str | None
    published: str | None
    content_hash: str
    passages: int
    origin: str
    version: int
    author: str | None = None
    language: str | None = None
    found_in: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Embedded:
    """An article ready to be stored: `vectors` has a row for each of its `passages`."""

    article: Article
    passages: Sequence[Passage]
    vectors: Vectors
    origin: str = ""

    def __post_init__(self) -> None:
        if not self.passages or len(self.passages) != len(self.vectors):
            raise ValueError(f"{self.article.id}: {len(self.passages)} passages and {len(self.vectors)} vectors")

    def listed(self, version: int) -> IndexedArticle:
        """How the index lists it."""
        article = self.article
        return IndexedArticle(
            id=article.id,
            title=article.title,
            source=article.source,
            url=article.url,
            published=article.published,
            content_hash=article.content_hash,
            passages=len(self.passages),
            origin=self.origin,
            version=version,
            author=article.author,
            language=article.language,
            found_in=article.found_in,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """What Chroma holds of one passage; `vector` only where it is written."""

    id: str
    document: str
    metadata: Metadata
    vector: Any = None


def make_rows(embedded: Embedded, version: int) -> list[Row]:
    """One row a passage, in order; values that are unknown are left out, as Chroma has no None.

    What only the list of articles shows is on the first passage alone.
    """
    article = embedded.article
    common = {
        "article_id": article.id,
        "content_hash": article.content_hash,
        "version": version,
        "passages": len(embedded.passages),
        "origin": embedded.origin,
        "title": article.title,
    }
    optional = {"source": article.source, "url": article.url, "published": article.published}
    common |= {key: value for key, value in optional.items() if value is not None}
    first = {"author": article.author, "language": article.language}
    first["found_in"] = json.dumps(dict(article.found_in), ensure_ascii=False) if article.found_in else None
    rows = []
    for place, (passage, vector) in enumerate(zip(embedded.passages, embedded.vectors, strict=True)):
        metadata = {**common, "place": place, "start": passage.start, "end": passage.end}
        if place == 0:
            metadata |= {key: value for key, value in first.items() if value is not None}
        rows.append(Row(passage.id, passage.text, metadata, vector))
    return rows


def read_listed(metadata: Metadata) -> IndexedArticle:
    """The article whose first row this is."""
    return IndexedArticle(
        id=metadata["article_id"],
        title=metadata["title"],
        source=metadata.get("source"),
        url=metadata.get("url"),
        published=metadata.get("published"),
        content_hash=metadata["content_hash"],
        passages=metadata["passages"],
        origin=metadata["origin"],
        version=metadata["version"],
        author=metadata.get("author"),
        language=metadata.get("language"),
        found_in=json.loads(metadata.get("found_in", "{}")),
    )


def read_passage(row: Row) -> Passage:
    """The passage that a row holds."""
    metadata = row.metadata
    return Passage(
        id=row.id,
        article_id=metadata["article_id"],
        start=metadata["start"],
        end=metadata["end"],
        text=row.document,
        title=metadata["title"],
        source=metadata.get("source"),
        url=metadata.get("url"),
        published=metadata.get("published"),
    )


def stitch(listed: IndexedArticle, passages: Sequence[Passage]) -> Article:
    """An article from all its passages, in order.

    Raises:
        StoreError: one of them is missing.
    """
    ends = [0, *(passage.end for passage in passages)]
    if len(passages) != listed.passages or any(
        passage.start != end for passage, end in zip(passages, ends, strict=False)
    ):
        raise StoreError(f"{listed.id}: a part of this article is missing from the index; add the article again.")
    return Article(
        id=listed.id,
        title=listed.title,
        source=listed.source,
        url=listed.url,
        published=listed.published,
        text="".join(passage.text for passage in passages),
        content_hash=listed.content_hash,
        author=listed.author,
        language=listed.language,
        found_in=listed.found_in,
    )


def stored_articles(collection: Collection) -> Iterator[tuple[IndexedArticle, Callable[[], list[Row]]]]:
    """Every article of a collection, by id, and a function that reads its rows, in order."""
    for listed in sorted(
        newest_articles(get_rows(collection, documents=False, where={"place": 0})).values(),
        key=lambda listed: listed.id,
    ):

        def read(listed: IndexedArticle = listed) -> list[Row]:
            rows = get_rows(collection, where={"$and": [{"article_id": listed.id}, {"version": listed.version}]})
            return sorted(rows, key=lambda row: int(row.metadata["place"]))

        yield listed, read


def newest_articles(first_rows: Iterable[Row]) -> dict[str, IndexedArticle]:
    """The newest version of each article, from the rows of first passages."""
    newest: dict[str, IndexedArticle] = {}
    for row in first_rows:
        listed = read_listed(row.metadata)
        if listed.id not in newest or newest[listed.id].version < listed.version:
            newest[listed.id] = listed
    return newest


def get_rows(collection: Collection, *, documents: bool = True, **query: Any) -> list[Row]:
    """What `Collection.get` finds for `query`; without `documents`, the texts are left empty."""
    include = cast("Any", ["metadatas", "documents"] if documents else ["metadatas"])
    found = collection.get(include=include, **query)
    return zip_rows(found["ids"], found["documents"] or [""] * len(found["ids"]), found["metadatas"] or [])


def zip_rows(ids: Sequence[str], documents: Sequence[str], metadatas: Sequence[Any]) -> list[Row]:
    """Rows from the columns that Chroma answers with."""
    return [Row(*row) for row in zip(ids, documents, metadatas, strict=True)]
