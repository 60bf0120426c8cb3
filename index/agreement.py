"""Agreement: what a run that was cut short left is dropped, and what is kept beside Chroma follows it."""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from index.catalogue import Catalogue
from index.lexical import Entry
from index.passages import Passage
from index.records import IndexedArticle, Row, read_passage
from index.rows import Rows, batches

logger = logging.getLogger(__name__)

_ARTICLES_A_WRITE = 500
# On a server, rows of no listed version may be what another process is just writing; after this long they are not.
_WRITTEN_WITHIN = 3600 * 1_000_000  # in microseconds, as versions are


class Beside(Protocol):
    """What is kept of the articles beside Chroma: their words, their near copies."""

    def entries(self) -> set[Entry]:
        """What it holds, an entry an article."""

    def count(self) -> int:
        """How many passages it holds."""

    def change(self, *, remove: Iterable[str], add: Iterable[tuple[Entry, Sequence[Passage]]]) -> None:
        """Take articles out by id and put articles in, in place of what was there."""


def is_current(row: Row, catalogue: Catalogue) -> bool:
    """Whether a row belongs to the version that the catalogue lists."""
    listed = catalogue.articles.get(row.metadata["article_id"])
    return listed is not None and listed.version == row.metadata["version"]


def drop_leftovers(rows: Rows, catalogue: Catalogue, *, shared: bool) -> int:
    """Delete the rows of replaced versions and of articles whose writing or deleting was cut short; returns how many.

    Args:
        rows: all there are.
        catalogue: the versions that count.
        shared: other processes may be writing.
    """
    before = time.time_ns() // 1000 - _WRITTEN_WITHIN if shared else None
    leftovers = [
        row.id
        for row in rows.all(documents=False)
        if not is_current(row, catalogue) and (before is None or row.metadata["version"] < before)
    ]
    if leftovers:
        logger.warning("%d passages left by a run that was cut short are dropped", len(leftovers))
        rows.delete(leftovers)
    return len(leftovers)


def mend_beside(beside: Beside, rows: Rows, catalogue: Catalogue) -> int:
    """Make one of them hold what Chroma holds, at the cost of the difference; returns how many entries differed."""
    held = beside.entries()
    wanted = {entry_of(listed) for listed in catalogue.articles.values()}
    if held == wanted and beside.count() == catalogue.passages:
        return 0
    different = held ^ wanted if held != wanted else wanted
    logger.info("%s: %d entries differ and are put right", type(beside).__name__, len(different))
    follow([beside], rows, catalogue, {entry.article_id for entry in different})
    return len(different)


def follow(beside: Sequence[Beside], rows: Rows, catalogue: Catalogue, article_ids: Iterable[str]) -> None:
    """Make them hold of some articles what Chroma holds of them."""
    changed = sorted(set(article_ids))
    there = catalogue.among(changed)
    if gone := [article_id for article_id in changed if article_id not in there]:
        for one in beside:
            one.change(remove=gone, add=[])
    for batch in batches(list(there), _ARTICLES_A_WRITE):
        passages: dict[str, list[Passage]] = {article_id: [] for article_id in batch}
        for row in rows.of_articles(batch):
            if is_current(row, catalogue):
                passages[row.metadata["article_id"]].append(read_passage(row))
        add = [(entry_of(there[article_id]), found) for article_id, found in passages.items() if found]
        for one in beside:
            one.change(remove=[], add=add)


def entry_of(listed: IndexedArticle) -> Entry:
    """What they hold of an article."""
    return Entry(listed.id, listed.content_hash, listed.passages)
