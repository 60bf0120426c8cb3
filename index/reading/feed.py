"""RSS and Atom feeds: their items, and which of these hold a whole article."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import feedparser

from index.errors import ArticleError
from index.headlines import Stated
from index.reading.document import Document
from index.reading.page import plain_words

MAX_FEED_BYTES = 8_000_000
# A summary is a sentence or two; feeds that hold whole articles hold several paragraphs.
_WHOLE_FROM_CHARACTERS = 1200
_MAX_ITEMS = 500


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One item of a feed.

    Attributes:
        address: its page, or an empty string.
        key: changes when the item does.
        text: its whole text in lines, where the feed holds it, else an empty string.
        stated: what the feed says of its article.
    """

    address: str
    key: str
    text: str
    stated: Mapping[str, Stated]


def looks_like_feed(data: bytes) -> bool:
    """Whether bytes begin like a feed."""
    return bool(re.search(rb"<(?:rss|feed|rdf:RDF)[\s>]", data[:4000]))


def read_items(document: Document, *, address: str = "") -> list[FeedItem]:
    """The items of a feed, as it orders them.

    Raises:
        ArticleError: it is no feed or holds nothing.
    """
    data = document.data(MAX_FEED_BYTES)
    if not looks_like_feed(data):
        raise ArticleError("is no feed (neither RSS nor Atom)")
    # A document type can define entities that unfold to gigabytes; feeds have no use for one.
    if re.search(rb"<!ENTITY", data, re.IGNORECASE):
        raise ArticleError("defines its own entities, which feeds do not; it was not read")
    try:
        # Bytes, so that it neither fetches nor opens anything; our own fetcher did.
        found = feedparser.parse(data, resolve_relative_uris=False, sanitize_html=False)
    except Exception as exc:  # whatever a feed made of the worst makes it stumble over
        raise ArticleError("is damaged and cannot be read as a feed") from exc
    if not found.entries:
        reason = "is damaged and cannot be read as a feed" if found.bozo else "is a feed without items"
        raise ArticleError(reason)
    outlet = str(found.feed.get("title") or "")
    language = str(found.feed.get("language") or "")
    return [_item(entry, address, outlet, language) for entry in found.entries[:_MAX_ITEMS]]


def _item(entry: Any, address: str, outlet: str, language: str) -> FeedItem:
    source = entry.get("source") or {}
    date = str(entry.get("published") or entry.get("created") or entry.get("dc_date") or "")
    link = urljoin(address, str(entry.get("link") or ""))
    said = {
        "title": _plain(str(entry.get("title") or "")),
        "source": str(source.get("title") or outlet),
        "url": link,
        "published": date,
        "author": str(entry.get("author") or ""),
        "language": language,
    }
    content = max((str(one.get("value") or "") for one in entry.get("content") or ()), key=len, default="")
    text = plain_words(content) if content.strip() else ""
    stated = {part: Stated(value, "feed") for part, value in said.items() if value.strip()}
    changed = str(dict.get(entry, "updated") or date)  # its own `get` takes `published` for it, with a warning
    return FeedItem(
        address=link if re.match(r"https?://", link, re.IGNORECASE) else "",
        key="\n".join((link or str(entry.get("id") or ""), said["title"], changed)),
        text=text if len(text) >= _WHOLE_FROM_CHARACTERS else "",
        stated=stated,
    )


def _plain(words: str) -> str:
    return plain_words(words) if re.search(r"[<&]", words) else words
