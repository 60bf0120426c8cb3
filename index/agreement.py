"""Agreement: what a run that was cut short left is dropped, and the word index made to hold what Chroma holds."""

import logging
import time
from collections.abc import Iterable

from index.catalogue import Catalogue
from index.lexical import Entry, WordIndex
from index.passages import Passage
from index.records import IndexedArticle, Row, read_passage
from index.rows import Rows, batches

logger = logging.getLogger(__name__)

_ARTICLES_A_WRITE = 500
# On a server, rows of no listed version may be what another process is just writing; after this long they are not.
_WRITTEN_WITHIN = 3600 * 1_000_000  # in microseconds, as versions are


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


def mend_words(words: WordIndex, rows: Rows, catalogue: Catalogue) -> int:
    """Make the word index hold what Chroma holds, at the cost of the difference; returns how many entries differed."""
    held = words.entries()
    wanted = {entry_of(listed) for listed in catalogue.articles.values()}
    if held == wanted and words.count() == catalogue.passages:
        return 0
    different = held ^ wanted if held != wanted else wanted
    logger.info("the word index is completed: %d entries differ", len(different))
    follow_words(words, rows, catalogue, {entry.article_id for entry in different})
    return len(different)


def follow_words(words: WordIndex, rows: Rows, catalogue: Catalogue, article_ids: Iterable[str]) -> None:
    """Make the word index hold of some articles what Chroma holds of them."""
    changed = sorted(set(article_ids))
    there = catalogue.among(changed)
    if gone := [article_id for article_id in changed if article_id not in there]:
        words.change(remove=gone, add=[])
    for batch in batches(list(there), _ARTICLES_A_WRITE):
        passages: dict[str, list[Passage]] = {article_id: [] for article_id in batch}
        for row in rows.of_articles(batch):
            if is_current(row, catalogue):
                passages[row.metadata["article_id"]].append(read_passage(row))
        words.change(remove=[], add=[(entry_of(there[one]), found) for one, found in passages.items() if found])


def entry_of(listed: IndexedArticle) -> Entry:
    """What the word index holds of an article."""
    return Entry(listed.id, listed.content_hash, listed.passages)
