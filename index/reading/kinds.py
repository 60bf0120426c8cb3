"""Which reader reads which kind of file; the one door through which bytes become articles."""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath

from index.articles import Article, Skipped, make_article
from index.errors import ArticleError
from index.reading.document import Document, Reader
from index.reading.naming import name_address

logger = logging.getLogger(__name__)

READABLE_ENDINGS = (
    ".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf", ".docx", ".jsonl", ".ndjson", ".json", ".rss",
    ".atom", ".xml", ".zip",
)  # fmt: skip
"""Endings of the files that are read, in lower case."""

SEVERAL_ENDINGS = (".jsonl", ".ndjson", ".json", ".rss", ".atom", ".xml", ".zip")
"""Endings of the files that hold several articles."""


def read_document(document: Document, *, fields: Mapping[str, str], ending: str = "") -> Iterator[Article | Skipped]:
    """Read a document by its ending into articles; what cannot be read is skipped with the reason, never raised.

    Args:
        document: what to read.
        fields: for dumps, our name of a part -> theirs (`--map`).
        ending: what to read it as, where its name does not say so.
    """
    try:
        yield from _reader(ending or PurePosixPath(document.name).suffix.lower(), fields)(document)
    except ArticleError as exc:
        yield Skipped(document.name, str(exc))
    except (MemoryError, RecursionError) as exc:
        logger.info("%s: %s", document.name, type(exc).__name__)
        yield Skipped(document.name, "is too large or too deep to read")


def _reader(ending: str, fields: Mapping[str, str]) -> Reader:
    """Readers and their libraries are loaded when first needed: most folders hold one kind of file."""
    match ending:
        case ".txt":
            from index.reading.plain import read_text

            return read_text
        case ".md" | ".markdown":
            from index.reading.plain import read_markdown

            return read_markdown
        case ".html" | ".htm" | ".xhtml":
            from index.reading.page import read_page

            return read_page
        case ".pdf":
            from index.reading.pdf import read_pdf

            return read_pdf
        case ".docx":
            from index.reading.docx import read_docx

            return read_docx
        case ".jsonl" | ".ndjson":
            from index.reading.dump import read_lines

            return partial(read_lines, fields=fields)
        case ".json":
            from index.reading.dump import read_json

            return partial(read_json, fields=fields)
        case ".rss" | ".atom" | ".xml":
            return _read_feed
        case ".zip":
            from index.reading.archive import read_archive

            return partial(read_archive, read=partial(read_document, fields=fields), endings=READABLE_ENDINGS)
    raise ArticleError(f"only {', '.join(READABLE_ENDINGS)} files are read")


def _read_feed(document: Document) -> Iterator[Article | Skipped]:
    """The articles that a saved feed holds whole; the pages that its other items name are not fetched."""
    from index.reading.feed import read_items

    for number, item in enumerate(read_items(document), start=1):
        place = item.address or f"{document.name}, item {number}"
        if not item.text:
            yield Skipped(place, "its text is not in the feed; add the feed's or the page's address to have it fetched")
            continue
        try:
            article_id = f"{document.article_id}/{name_address(item.address) if item.address else number}"
            yield make_article(article_id, item.text, stated=item.stated)
        except ArticleError as exc:
            yield Skipped(place, str(exc))
