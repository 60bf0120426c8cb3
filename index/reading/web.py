"""Pages, files and feeds on the web, read into articles."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from index.articles import Article, Skipped, make_article
from index.errors import ArticleError
from index.headlines import Stated
from index.reading.document import of_bytes
from index.reading.fetching import Fetched, Fetcher
from index.reading.kinds import READABLE_ENDINGS, read_document
from index.reading.naming import name_address

MAX_FEED_PAGES = 50
"""Most items of a feed that are read at a time, the first ones."""

_ENDING_OF = {
    "text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf", "text/plain": ".txt",
    "text/markdown": ".md", "application/json": ".json", "application/x-ndjson": ".jsonl", "application/zip": ".zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}  # fmt: skip


def read_address(
    address: str, fetcher: Fetcher, *, fields: Mapping[str, str], read_before: set[str] | None = None
) -> Iterator[Article | Skipped]:
    """The article of a page, or the articles of a feed or file, at an address.

    Args:
        address: where.
        fetcher: fetches it.
        fields: for dumps, our name of a part -> theirs.
        read_before: keys of the feed's items that need not be read again; those read now are added.
    """
    try:
        fetched = fetcher.fetch(address)
        if _is_feed(fetched):
            yield from _read_feed(fetched, fetcher, read_before if read_before is not None else set())
            return
        yield from _read(fetched, address, fields=fields)
    except ArticleError as exc:
        yield Skipped(address, str(exc))


def _is_feed(fetched: Fetched) -> bool:
    if fetched.kind in {"text/html", "application/pdf"}:
        return False
    from index.reading.feed import looks_like_feed

    return looks_like_feed(fetched.data)


def _read(
    fetched: Fetched, address: str, *, fields: Mapping[str, str], stated: Mapping[str, Stated] | None = None
) -> Iterator[Article | Skipped]:
    """A page or file; its id is that of the address it was asked for under, wherever that led."""
    ending = _ending(fetched)
    url = {"url": Stated(fetched.address, "address")}
    document = of_bytes(
        fetched.data,
        fetched.address if ending == ".html" else address,
        name_address(address),
        stated={**url, **(stated or {})},
        encoding=fetched.encoding,
    )
    for one in read_document(document, fields=fields, ending=ending):
        yield Skipped(address, one.reason) if isinstance(one, Skipped) and one.path == fetched.address else one


def _ending(fetched: Fetched) -> str:
    """What it is: by what its server says, else by its address, else by how it begins."""
    if fetched.data.startswith(b"%PDF-"):
        return ".pdf"
    by_name = PurePosixPath(urlsplit(fetched.address).path).suffix.lower()
    # Servers give files they do not know one of these kinds.
    if fetched.kind in {"", "application/octet-stream", "text/plain"} and by_name in READABLE_ENDINGS:
        return by_name
    if ending := _ENDING_OF.get(fetched.kind):
        return ending
    if fetched.kind in {"", "application/octet-stream"} or fetched.kind.endswith("xml"):
        if b"<html" in fetched.data[:2000].lower():
            return ".html"
        raise ArticleError("is neither a page nor a feed")
    raise ArticleError(f"is of a kind that is not read ({fetched.kind[:60]})")


def _read_feed(fetched: Fetched, fetcher: Fetcher, read_before: set[str]) -> Iterator[Article | Skipped]:
    """The articles of a feed: from the feed itself where it holds them whole, else from their pages."""
    from index.reading.feed import read_items

    document = of_bytes(fetched.data, fetched.address, name_address(fetched.address))
    for item in read_items(document, address=fetched.address)[:MAX_FEED_PAGES]:
        if item.key in read_before:
            continue
        place = item.address or fetched.address
        try:
            if item.text:
                name = name_address(item.address) if item.address else f"{document.article_id}/{item.key[:80]}"
                yield make_article(name, item.text, stated=item.stated)
            elif item.address:
                page = fetcher.fetch(item.address)
                yield from _read(page, item.address, fields={}, stated=item.stated)
            else:
                raise ArticleError("an item has neither its text nor an address")
        except ArticleError as exc:
            yield Skipped(place, str(exc))
            continue  # it may be there the next time
        read_before.add(item.key)
