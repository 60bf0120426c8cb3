"""EarlierVersions: the texts of articles as they were before they changed, for the citations made then.

They are in a Chroma collection of their own, so that no search finds them and every machine that sees it can open
them. A passage keeps the id it had. The last few versions of each article are kept (`BYLINE_KEEP_VERSIONS`); an
article that is removed takes its earlier versions with it.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from index.articles import Article
from index.passages import Passage
from index.records import Row, read_listed, read_passage, stitch
from index.rows import Rows

_REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage as it was when it was cited, in its article as it was then.

    Attributes:
        passage: the passage.
        article: the article whose text it points into.
        replaced: when another version took the place of this one, an ISO time in UTC; None where this one stands.
    """

    passage: Passage
    article: Article
    replaced: str | None = None


class EarlierVersions:
    """The rows of replaced versions, at most `keep` versions an article."""

    def __init__(self, rows: Rows, *, keep: int) -> None:
        """Over the collection that `rows` reads."""
        self._rows = rows
        self._keep = keep

    def add(self, rows: Sequence[Row]) -> None:
        """Keep the rows of versions that are about to be replaced; again does no harm."""
        if self._keep and rows:
            now = {_REPLACED: time.time_ns() // 1000}  # unless it is known, of rows that come from another index
            self._rows.upsert([replace(row, metadata={**now, **row.metadata}, vector=[_spot(row.id)]) for row in rows])

    def all(self) -> Iterator[Row]:
        """The rows of all earlier versions."""
        return self._rows.all()

    def count(self) -> int:
        """How many passages of earlier versions there are."""
        return self._rows.count()

    def passages(self, passage_ids: Sequence[str]) -> dict[str, Row]:
        """The rows of passages of earlier versions, by id."""
        return {row.id: row for row in self._rows.by_ids(passage_ids)}

    def article(self, row: Row) -> Article:
        """The text of the earlier version that a row belongs to.

        Raises:
            StoreError: a part of it is missing.
        """
        article_id, version = row.metadata["article_id"], row.metadata["version"]
        rows = self._rows.get(where={"$and": [{"article_id": article_id}, {"version": version}]})
        rows.sort(key=lambda row: int(row.metadata["place"]))
        return stitch(read_listed(rows[0].metadata), [read_passage(row) for row in rows])

    def prune(self, article_ids: Sequence[str]) -> None:
        """Drop what is beyond the number of versions to keep."""
        rows = self._of(article_ids)
        versions: dict[str, set[int]] = {}
        for row in rows:
            versions.setdefault(row.metadata["article_id"], set()).add(row.metadata["version"])
        too_old = {
            (article_id, version)
            for article_id, known in versions.items()
            for version in sorted(known, reverse=True)[self._keep :]
        }
        self._rows.delete([row.id for row in rows if (row.metadata["article_id"], row.metadata["version"]) in too_old])

    def forget(self, article_ids: Iterable[str] | None = None) -> int:
        """Drop the earlier versions of these articles, or of all; returns how many passages that were."""
        rows = list(self._rows.all(documents=False)) if article_ids is None else self._of(list(article_ids))
        self._rows.delete([row.id for row in rows])
        return len(rows)

    def _of(self, article_ids: Sequence[str]) -> list[Row]:
        return self._rows.of_articles(article_ids, documents=False) if self._rows.count() else []


def _spot(passage_id: str) -> float:
    """Chroma wants a vector; nobody searches by it, and a graph of equal ones would be slow to build."""
    return int(passage_id[:8], 16) / 2**32


def replaced_at(row: Row) -> str:
    """When another version took the place of a row's own, an ISO time in UTC."""
    return datetime.fromtimestamp(row.metadata[_REPLACED] / 1e6, tz=UTC).isoformat(timespec="seconds")
