"""Web pages: the article in a page's HTML, without its menus, teasers, comments and notices.

trafilatura finds the body; what the page says of title, outlet, date and author is read by `page_facts`. A page comes
from anyone: its size, the number of its elements and their depth are bounded before anything walks through it, and
nothing of it is loaded from elsewhere.
"""

import logging
import re
from collections.abc import Iterator
from typing import cast

import trafilatura
from lxml import etree, html
from lxml.html import HtmlElement

from index.articles import Article, make_article
from index.errors import ArticleError
from index.headlines import Stated
from index.reading.decoding import decode
from index.reading.document import Document
from index.reading.page_facts import page_facts

logger = logging.getLogger(__name__)
# It tells of every page it gives up; the reason that a user sees is ours.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

MAX_PAGE_BYTES = 8_000_000
# The longest front pages have some ten thousand elements and are thirty deep.
_MAX_ELEMENTS = 30_000
_MAX_DEPTH = 200
# A page of less than two sentences is a list, a notice or a login.
_FEWEST_SENTENCES = 2
_NO_ARTICLE = "holds no article (a list of links, a notice or a page built by scripts?)"


def read_page(document: Document) -> Iterator[Article]:
    """The article of an HTML page; its address is `document.name` where that is one."""
    data = document.data(MAX_PAGE_BYTES)
    address = document.name if re.match(r"https?://", document.name) else None
    yield page_article(decode(data, said=document.encoding or _said_in(data)), document, address=address)


def page_article(markup: str, document: Document, *, address: str | None) -> Article:
    """The article in `markup`.

    Args:
        markup: the page.
        document: its id, and what is known of it from elsewhere, which counts where the page is silent.
        address: where it was fetched from.
    """
    tree = _parse(markup)
    facts = page_facts(tree, address)
    stated = {**document.stated, **facts}
    for part in ("source", "published", "author"):  # a feed knows better than the host's name or what stands near
        if part in document.stated and facts.get(part, Stated("", "")).where in {"page", "address"}:
            stated[part] = document.stated[part]
    return make_article(document.article_id, _body(tree), stated=stated)


def plain_words(markup: str) -> str:
    """The words of a piece of HTML, such as a feed's or a dump's field, a line for each block."""
    tree = _parse(f"<html><body>{markup}</body></html>")
    return _blocks(tree)


def looks_like_markup(text: str) -> bool:
    """Whether a text is written in HTML."""
    return bool(
        re.search(
            r"</?(?:p|div|br|a|strong|em|ul|li|h\d|span|img|figure)\b[^<>]{0,2000}>", text[:20_000], re.IGNORECASE
        )
    )


def _said_in(data: bytes) -> str:
    """The encoding that the page names in its head."""
    match = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,40})", data[:4096], re.IGNORECASE)
    match = match or re.match(rb"<\?xml[^>]{0,200}encoding\s*=\s*[\"']([\w-]{2,40})", data[:400])
    return match[1].decode("ascii") if match else ""


def _parse(markup: str) -> HtmlElement:
    # Bytes, since a text that names its own encoding is refused.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = html.document_fromstring(markup.replace("\x00", "").encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as exc:
        raise ArticleError(_NO_ARTICLE) from exc
    depth = count = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > _MAX_DEPTH or count > _MAX_ELEMENTS:
            raise ArticleError("has more parts within each other than a page of news; it was not read")
    return cast("HtmlElement", tree)


def _unfold_layout(tree: HtmlElement) -> None:
    """Make divisions of tables that hold headings or paragraphs: old pages lay themselves out with them."""
    laid_out = set()
    for block in tree.iter("p", "h1", "h2", "h3", "div", "table"):
        above = next((one for one in block.iterancestors() if one.tag == "table"), None)
        if above is not None:
            laid_out.add(above)
    for table in laid_out:
        table.tag = "div"
    for part in tree.iter("tbody", "tr", "td", "th"):
        if not any(one.tag == "table" for one in part.iterancestors()):
            part.tag = "div"


def _body(tree: HtmlElement) -> str:
    _unfold_layout(tree)
    try:
        found = trafilatura.bare_extraction(tree, include_comments=False, include_tables=True, with_metadata=False)
    except Exception as exc:  # whatever a page made of the worst makes it stumble over
        logger.info("trafilatura failed", exc_info=exc)
        raise ArticleError(_NO_ARTICLE) from exc
    text = (getattr(found, "text", None) or "") if found is not None else ""
    if len(re.findall(r"[.!?。！？][”\"’»)]*(?:\s|$)", text)) < _FEWEST_SENTENCES:
        raise ArticleError(_NO_ARTICLE)
    return text


_BLOCKS = {"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "tr", "table",
           "section", "article", "figure", "figcaption", "pre", "hr", "dt", "dd"}  # fmt: skip
_SILENT = {"script", "style", "noscript", "template", "figure", "iframe", "svg", "head"}


def _blocks(tree: HtmlElement) -> str:
    parts: list[str] = []
    silent = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        silent += (1 if event == "start" else -1) * (element.tag in _SILENT)
        if element.tag in _BLOCKS:
            parts.append("\n")
        words = element.text if event == "start" else element.tail
        if words and not silent:
            parts.append(re.sub(r"\s+", " ", words))
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)
