"""PDF files: the text of their pages as one article, its lines joined to paragraphs again."""

import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise

import pypdf
from pypdf.errors import DependencyError, FileNotDecryptedError

from index.articles import Article, make_article
from index.errors import ArticleError
from index.headlines import Stated
from index.reading.document import MAX_DOCUMENT_BYTES, Document

logger = logging.getLogger(__name__)
logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every small flaw

_MAX_PAGES = 2000
_MAX_SECONDS = 60.0
_MAX_CHARACTERS = 8_000_000
# A line on so many pages is their head or foot.
_REPEATED_ON_PAGES = 2


def read_pdf(document: Document) -> Iterator[Article]:
    """The article of a PDF."""
    data = document.data(MAX_DOCUMENT_BYTES)
    if b"%PDF-" not in data[:1024]:
        raise ArticleError("is not a PDF, whatever its ending says")
    pages, properties = _read(data)
    text = "\n".join(_paragraphs(_without_heads(pages)))
    if not text.strip():
        raise ArticleError("holds no text (pictures of pages? run text recognition on it first)")
    stated = {part: one for part, one in properties.items() if _is_said(one.value, text)}
    yield make_article(document.article_id, text, stated={**stated, **document.stated})


def _read(data: bytes) -> tuple[list[list[str]], dict[str, Stated]]:
    """The lines of each page, and what the document's properties say."""
    until = time.monotonic() + _MAX_SECONDS
    try:
        reader = pypdf.PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleError("is encrypted with a password; save it without one")
        if len(reader.pages) > _MAX_PAGES:
            raise ArticleError(f"has more than {_MAX_PAGES} pages, too many for one article")
        pages: list[list[str]] = []
        characters = 0
        for page in reader.pages:
            lines = _lines(page)
            characters += sum(map(len, lines))
            if time.monotonic() > until or characters > _MAX_CHARACTERS:
                raise ArticleError("takes too long to read or is too long for one article")
            pages.append(lines)
        known = reader.metadata
        said = {"title": known.title or "", "author": known.author or ""} if known else {}
    except (DependencyError, FileNotDecryptedError) as exc:
        raise ArticleError("is encrypted; save it without encryption") from exc
    except ArticleError:
        raise
    # What a damaged or hostile file makes it raise is anything.
    except Exception as exc:
        logger.info("pypdf failed", exc_info=exc)
        raise ArticleError("is damaged or cut short and cannot be read as a PDF") from exc
    return pages, {part: Stated(str(value), "document properties") for part, value in said.items() if value}


def _lines(page: pypdf.PageObject) -> list[str]:
    """The lines of a page, with an empty one where the space between two is wider than it usually is."""
    pieces: list[tuple[str, float]] = []

    def take(text: str, outer: list[float], inner: list[float], *_font: object) -> None:
        pieces.append((text, inner[5] * outer[3] + outer[5]))

    page.extract_text(visitor_text=take)
    lines: list[tuple[str, float]] = [("", 0.0)]
    for text, height in pieces:
        first, *rest = text.split("\n")
        words, at = lines[-1]
        lines[-1] = (words + first, at if words.strip() else height)
        lines += [(line, height) for line in rest]
    full = [(" ".join(words.split()), height) for words, height in lines if words.strip()]
    steps = [before[1] - after[1] for before, after in pairwise(full)]
    down = sorted(step for step in steps if step > 1)
    usual = down[len(down) // 4] if down else 0.0
    spaced = [words for words, _ in full[:1]]
    for step, (words, _) in zip(steps, full[1:], strict=True):
        spaced += ["", words] if step > usual * 1.4 else [words]
    return spaced


def _is_said(value: str, text: str) -> bool:
    """Whether the text says so too: properties often name a template, a file or the owner of a computer."""
    words = re.findall(r"\w{3,}", value.casefold())
    known = set(re.findall(r"\w{3,}", text.casefold()))
    return len(words) > 1 and all(word in known for word in words)


def _without_heads(pages: Sequence[list[str]]) -> list[list[str]]:
    """Without page numbers, and without the lines that stand at the top or foot of several pages."""

    def shape(line: str) -> str:
        return re.sub(r"\d+", "0", line).casefold()

    edges = Counter(shape(line) for page in pages for line in {*_full(page)[:2], *_full(page)[-2:]})
    kept = []
    for page in pages:
        full = _full(page)
        heads = {line for line in (*full[:2], *full[-2:]) if edges[shape(line)] >= _REPEATED_ON_PAGES}
        numbers = {
            line
            for line in (*full[:1], *full[-1:])
            if re.fullmatch(r"(?:page )?\W*\d{1,4}(?: ?(?:/|of) ?\d{1,4})?\W*", line.casefold())
        }
        kept.append([line for line in page if line not in heads | numbers])
    return kept


def _full(page: Sequence[str]) -> list[str]:
    return [line for line in page if line]


def _paragraphs(pages: Sequence[list[str]]) -> Iterator[str]:
    """Lines joined where a sentence goes on; a blank line, or a short line that ends a sentence, ends a paragraph."""
    lines = [line for page in pages for line in page]
    widths = sorted(len(line) for line in lines if line)
    usual = widths[len(widths) * 3 // 4] if widths else 0
    paragraph = ""
    for line in lines:
        if not line:
            # Pages and some writers leave blank lines in the middle of a sentence.
            if re.search(r"[.!?:”\"’»)]$", paragraph) or len(paragraph) < usual:
                yield from _ended(paragraph)
                paragraph = ""
            continue
        if re.search(r"[a-zß-ÿ]-$", paragraph) and re.match(r"[a-zß-ÿ]", line):
            paragraph = paragraph[:-1] + line
        else:
            paragraph = f"{paragraph} {line}".strip()
        ends = re.search(r"[.!?][”\"’»)]*$", line)
        if (ends and len(line) < usual * 0.85) or (len(paragraph) == len(line) < usual * 0.7 and not ends):
            yield from _ended(paragraph)
            paragraph = ""
    yield from _ended(paragraph)


def _ended(paragraph: str) -> Iterator[str]:
    if paragraph:
        yield paragraph
