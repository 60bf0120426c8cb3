"""Text and Markdown files: one article each."""

from collections.abc import Iterator

from index.articles import Article, make_article
from index.reading.decoding import decode
from index.reading.document import MAX_TEXT_BYTES, Document


def read_text(document: Document) -> Iterator[Article]:
    """The article of a text file."""
    raw = decode(document.data(MAX_TEXT_BYTES), said=document.encoding)
    yield make_article(document.article_id, raw, stated=document.stated)


def read_markdown(document: Document) -> Iterator[Article]:
    """The article of a Markdown file."""
    raw = decode(document.data(MAX_TEXT_BYTES), said=document.encoding)
    yield make_article(document.article_id, raw, markdown=True, stated=document.stated)
