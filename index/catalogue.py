"""Catalogue: which articles are in the index, as it stood at one moment; a change makes a new one.

It is held in memory, some hundred bytes an article, so that listing and filtering ask neither Chroma nor the disk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from index.records import IndexedArticle


@dataclass(frozen=True)
class Catalogue:
    """The articles by id; never changed, so that a reader keeps one state while others write."""

    articles: dict[str, IndexedArticle] = field(default_factory=dict)

    def changed(self, *, put: Iterable[IndexedArticle] = (), remove: Iterable[str] = ()) -> "Catalogue":
        """The catalogue after a change."""
        articles = self.articles | {one.id: one for one in put}
        for article_id in remove:
            articles.pop(article_id, None)
        return Catalogue(articles)

    def differing(self, other: "Catalogue") -> set[str]:
        """The ids of the articles that only one of the two has, or in another version."""
        mine, others = self.articles, other.articles
        return {id_ for id_ in mine.keys() | others.keys() if mine.get(id_) != others.get(id_)}

    @cached_property
    def in_order(self) -> tuple[IndexedArticle, ...]:
        """Every article, sorted by id."""
        return tuple(sorted(self.articles.values(), key=lambda listed: listed.id))

    @cached_property
    def passages(self) -> int:
        """How many passages all articles have."""
        return sum(listed.passages for listed in self.articles.values())

    @cached_property
    def outlets(self) -> frozenset[str]:
        """The outlets of all articles, where one is known."""
        return frozenset(listed.source for listed in self.articles.values() if listed.source)

    @cached_property
    def newest_version(self) -> int:
        """The largest version of any article, 0 where there is none."""
        return max((listed.version for listed in self.articles.values()), default=0)

    @cached_property
    def by_content(self) -> Mapping[str, str]:
        """An article's id by its content hash; of several with the same content, the first by id."""
        found: dict[str, str] = {}
        for listed in self.articles.values():  # asked after every write, so without sorting
            found[listed.content_hash] = min(listed.id, found.get(listed.content_hash, listed.id))
        return found

    def among(self, article_ids: Iterable[str]) -> dict[str, IndexedArticle]:
        """Those of some articles that are there."""
        found = ((article_id, self.articles.get(article_id)) for article_id in article_ids)
        return {article_id: listed for article_id, listed in found if listed is not None}
