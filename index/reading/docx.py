"""DOCX files: paragraphs and tables as one article."""

import logging
from collections.abc import Iterator
from io import BytesIO

import docx
from docx.table import Table

from index.articles import Article, make_article
from index.errors import ArticleError
from index.headlines import Stated
from index.reading.document import MAX_DOCUMENT_BYTES, Document
from index.reading.zipped import check_sizes, open_zip

logger = logging.getLogger(__name__)

_MAX_UNPACKED_BYTES = 200_000_000


def read_docx(document: Document) -> Iterator[Article]:
    """The article of a DOCX file; a line in the style `Title` or a first heading is its title."""
    data = document.data(MAX_DOCUMENT_BYTES)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise ArticleError("is encrypted with a password or an old Office file; save it as DOCX without a password")
    with open_zip(BytesIO(data), "DOCX file") as parts:
        check_sizes(parts.infolist(), max_bytes=_MAX_UNPACKED_BYTES)
    title, lines, author = _read(data)
    stated = {}
    if title:
        stated["title"] = Stated(title, "heading")
    if len(author.split()) > 1:
        stated["author"] = Stated(author, "document properties")
    yield make_article(document.article_id, "\n".join(lines), stated={**stated, **document.stated})


def _read(data: bytes) -> tuple[str, list[str], str]:
    """The title or an empty string, the lines, and the author that the properties name."""
    title = ""
    lines: list[str] = []
    try:
        opened = docx.Document(BytesIO(data))
        for block in opened.iter_inner_content():
            if isinstance(block, Table):
                lines += [" | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells)) for row in block.rows]
                continue
            style = (block.style.name or "") if block.style else ""
            words = " ".join(block.text.split())
            if not title and words and (style == "Title" or (style == "Heading 1" and not any(lines))):
                title = words
            else:
                lines.append(words)
        author = opened.core_properties.author or ""
    # What a damaged or hostile file makes it raise is anything.
    except Exception as exc:
        logger.info("python-docx failed", exc_info=exc)
        raise ArticleError("is damaged and cannot be read as a DOCX file") from exc
    # What python-docx's own template says of itself.
    return title, lines, "" if author == "python-docx" else author
