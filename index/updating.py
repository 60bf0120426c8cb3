"""Updating: one run that brings the index in line with places: what is new, changed, unchanged, the same, or gone.

Two gates keep work away: a file that looks as it did is not opened (`index/seen.py`), and an article whose content hash
is the one stored is neither cut nor embedded. A changed article is replaced whole. An article whose content is indexed
under another id is the same article found in two places: it is indexed once, and stays as long as one of the
places has it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from index.articles import Article, Skipped
from index.errors import ArticleError
from index.reading.kinds import READABLE_ENDINGS
from index.records import IndexedArticle
from index.seen import Met, Seen, Stamp
from index.store import PassageStore
from index.writing import ArticleWriter


@dataclass(slots=True)
class BuildReport:
    """What a run did: ids of articles, in the order they were met, and the files it skipped.

    `same` are pairs: the id an article would have had, and the id that its content is indexed under.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    same: list[tuple[str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def done(self) -> int:
        """How many articles were met, whatever came of them."""
        return len(self.added) + len(self.changed) + len(self.unchanged) + len(self.same) + len(self.skipped)

    def to_json(self) -> dict[str, Any]:
        """It as a JSON object."""
        return {**asdict(self), "skipped": [one._asdict() for one in self.skipped]}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "BuildReport":
        """What `to_json` wrote."""
        ids = {what: list(written[what]) for what in ("added", "changed", "unchanged", "removed")}
        same = [(str(one), str(other)) for one, other in written["same"]]
        return cls(**ids, same=same, skipped=[Skipped(**one) for one in written["skipped"]])


class Updating:
    """A run over places, one after the other: `begin`, then its files and articles, then `end`."""

    def __init__(self, store: PassageStore, writer: ArticleWriter, seen: Seen) -> None:
        """Bring `store` in line, through `writer`."""
        self.report = BuildReport()
        self._store = store
        self._writer = writer
        self._seen = seen
        self._origin = ""
        self._named: frozenset[str] = frozenset()
        self._there: set[str] = set()
        self._unread: set[str] = set()  # how the ids of what could not be read begin
        self._taken: dict[str, str] = {}
        self._met: list[Met] = []

    def begin(self, origin: str, named: Iterable[str] = ()) -> None:
        """Start with a place.

        Args:
            origin: the folder or address that its articles come from.
            named: the ids that its files give their articles, as far as they are known before reading.
        """
        self._origin, self._named = origin, frozenset(named)
        self._there, self._unread, self._taken = set(), set(), {}

    def looks_unchanged(self, name: str, stamp: Stamp | None) -> bool:
        """First gate: whether a file looks as it did and all it held is indexed; then it is done with."""
        met = self._seen.find(name, stamp, self._origin) if stamp else []
        if not met or not all(map(self._still_holds, met)):
            return False
        for one in met:
            self._there.add(one.indexed_as)
            if one.article_id == one.indexed_as:
                self.report.unchanged.append(one.article_id)
            else:
                self.report.same.append((one.article_id, one.indexed_as))
        return True

    def take(self, article: Article) -> None:
        """Second gate: store an article where it is new or changed.

        Raises:
            ArticleError: its id belongs to an article of another place.
        """
        known = self._store.find_article(article.id)
        if known and known.content_hash != article.content_hash and self._is_anothers(known):
            article = replace(article, id=f"{Path(self._origin).name}/{article.id}")
            known = self._store.find_article(article.id)
            if known and self._is_anothers(known):
                raise ArticleError(f"its id {article.id} is taken by an article of {known.origin}; rename the file")
        indexed_as = article.id
        if known is None and (same := self._find_same(article)):
            self.report.same.append((article.id, same))
            indexed_as = same
        elif known is None:
            self.report.added.append(article.id)
            self._write(article)
        elif known.content_hash != article.content_hash:
            self.report.changed.append(article.id)
            self._write(article)
        else:
            self.report.unchanged.append(article.id)
            if not self._is_ours(known) and not self._is_anothers(known):
                self._store.set_origin([article.id], self._origin)
        self._there.add(indexed_as)
        self._met.append(Met(article.id, indexed_as, article.content_hash))

    def read(self, name: str, stamp: Stamp | None) -> None:
        """Say that a file has been read to its end: what was taken since the last one is what it holds."""
        self._seen.note(name, stamp, self._origin, self._met)
        self._met = []

    def skip(self, skipped: Skipped, ids: Iterable[str] = ()) -> None:
        """Note what gave no article; what is indexed under the ids it would have had stays."""
        self.report.skipped.append(skipped)
        ids = [name for one in ids for name in (one, f"{Path(self._origin).name}/{one}")]
        self._there |= set(ids)
        self._unread |= {f"{one}/" for one in ids}

    def end(self, *, whole: bool) -> None:
        """Store what is under way; where `whole`, drop what came from this place before and is gone."""
        self._writer.flush()
        if not whole:
            return
        gone = [one.id for one in self._store.articles() if one.origin == self._origin and not self._is_there(one.id)]
        for article_id in gone:
            if elsewhere := [one for one in self._seen.holders(article_id) if one != self._origin]:
                self._store.set_origin([article_id], elsewhere[0])
            else:
                self.report.removed.append(article_id)
        self._store.remove([article_id for article_id in gone if article_id in set(self.report.removed)])

    def _is_there(self, article_id: str) -> bool:
        return article_id in self._there or any(article_id.startswith(beginning) for beginning in self._unread)

    def _write(self, article: Article) -> None:
        self._taken[article.content_hash] = article.id
        self._writer.add(article, self._origin)

    def _find_same(self, article: Article) -> str | None:
        """The id that an article's content is indexed under, unless that one's file has just gone from this place."""
        same = self._taken.get(article.content_hash) or self._store.find_content(article.content_hash)
        known = self._store.find_article(same) if same else None
        if known is None or not self._is_ours(known) or known.id in self._named:
            return same
        return same if self._seen.holders(known.id) else None  # else its file has another name now

    def _still_holds(self, met: Met) -> bool:
        """Whether the index says of an article what it said when its file was read."""
        known = self._store.find_article(met.indexed_as)
        if known is None or known.content_hash != met.content_hash:
            return False
        return met.article_id != met.indexed_as or self._is_ours(known)

    def _is_ours(self, known: IndexedArticle) -> bool:
        return known.origin == self._origin

    def _is_anothers(self, known: IndexedArticle) -> bool:
        """Whether an article belongs to a file of another folder, which is still there."""
        folder, path = Path(known.origin), PurePosixPath(known.id)
        if known.origin in {"", self._origin}:
            return False
        if any(origin != self._origin for origin in self._seen.holders(known.id)):
            return True
        places = (
            [folder / path, folder / path.relative_to(folder.name)] if path.parts[0] == folder.name else [folder / path]
        )
        return any(Path(f"{place}{ending}").exists() for place in places for ending in ("", *READABLE_ENDINGS))
