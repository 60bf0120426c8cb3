"""JSON and JSONL dumps of news: an object an article, its parts found by their usual names or by those given.

JSONL is read a line at a time, so that a dump of any size stays small in memory. Names may lead into objects:
`fields.body`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from index.articles import Article, Skipped, make_article
from index.errors import ArticleError
from index.headlines import Stated
from index.reading.decoding import decode
from index.reading.document import Document
from index.reading.naming import PARTS, name_row

_USUAL = {
    "title": ("title", "headline", "name", "heading", "webTitle"),
    "text": ("text", "body", "content", "article", "full_text", "fulltext", "maintext", "main_text", "articleBody",
             "article_text", "article_body", "body_text", "bodyText", "contents", "story", "plain_text",
             "fields.bodyText", "fields.body", "content_text", "content_html", "description"),
    "url": ("url", "link", "web_url", "webUrl", "article_url", "source_url", "canonical_url", "permalink", "uri"),
    "date": ("date", "published", "publish_date", "date_publish", "date_published", "published_date", "published_at",
             "publishedAt", "datePublished", "publication_date", "pubDate", "pub_date", "webPublicationDate",
             "datetime", "timestamp", "time", "created_at"),
    "source": ("source", "outlet", "publisher", "publication", "source_name", "source_domain", "site", "site_name",
               "newspaper", "media", "domain"),
    "author": ("author", "authors", "byline", "creator", "by"),
    "language": ("language", "lang"),
    "id": ("id", "_id", "uid", "uuid", "guid", "doc_id", "article_id"),
}  # fmt: skip
_MAX_LINE_BYTES = 10_000_000
_MAX_JSON_BYTES = 200_000_000
_MAX_ROWS_TOLD = 100


def read_lines(document: Document, fields: Mapping[str, str]) -> Iterator[Article | Skipped]:
    """The articles of a JSONL file."""
    yield from _Rows(document, fields).articles(_lines(document))


def read_json(document: Document, fields: Mapping[str, str]) -> Iterator[Article | Skipped]:
    """The articles of a JSON file: a list of objects, one that an object holds, or a single object."""
    text = decode(document.data(_MAX_JSON_BYTES))
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        if exc.msg == "Extra data" and text[exc.pos : exc.pos + 1] in "{[":  # JSONL under the ending of JSON
            yield from read_lines(document, fields)
            return
        raise ArticleError(f"is no JSON (line {exc.lineno}: {exc.msg})") from exc
    except RecursionError as exc:
        raise ArticleError("holds lists within lists too deep to read") from exc
    rows = _rows_in(value)
    if not rows:
        raise ArticleError("holds no list of articles")
    yield from _Rows(document, fields).articles((f"row {number}", row) for number, row in enumerate(rows, start=1))


def _rows_in(value: Any) -> list[Any]:
    """The longest list of objects at the top or directly under it."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return []
    lists = [one for one in value.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
    nested = [one for inner in value.values() if isinstance(inner, dict) for one in inner.values()]
    lists += [one for one in nested if isinstance(one, list) and one and isinstance(one[0], dict)]
    if any(isinstance(value.get(name), str) for name in _USUAL["text"]):
        return [value]
    return max(lists, key=len, default=[value])


def _lines(document: Document) -> Iterator[tuple[str, Any]]:
    """Each line's place and value; a value that is an `ArticleError` says why there is none."""
    try:
        with document.open() as stream:
            number = 0
            while line := stream.readline(_MAX_LINE_BYTES + 1):
                number += 1
                yield f"line {number}", _value(line, first=number == 1)
                while len(line) > _MAX_LINE_BYTES and not line.endswith(b"\n"):
                    line = stream.readline(_MAX_LINE_BYTES + 1)
    except OSError as exc:
        raise ArticleError(f"cannot be read ({exc.strerror or exc})") from exc


def _value(line: bytes, *, first: bool) -> Any:
    if len(line) > _MAX_LINE_BYTES:
        return ArticleError(f"is longer than {_MAX_LINE_BYTES // 1_000_000} MB")
    line = line.removeprefix(b"\xef\xbb\xbf") if first else line
    if not line.strip():
        return None
    try:
        return json.loads(decode(line))
    except json.JSONDecodeError as exc:
        return ArticleError(f"is no JSON ({exc.msg}, character {exc.colno})")
    except RecursionError:
        return ArticleError("holds lists within lists too deep to read")
    except ArticleError as exc:
        return exc


class _Rows:
    """Makes articles of rows, and tells of the first bad ones one by one."""

    def __init__(self, document: Document, fields: Mapping[str, str]) -> None:
        self._document = document
        self._fields = fields
        self._ids: set[str] = set()

    def articles(self, rows: Iterator[tuple[str, Any]]) -> Iterator[Article | Skipped]:
        bad = seen = 0
        for place, row in rows:
            if row is None:
                continue
            seen += 1
            try:
                if isinstance(row, ArticleError):
                    raise row
                yield self._article(row)
            except ArticleError as exc:
                bad += 1
                if bad <= _MAX_ROWS_TOLD:
                    yield Skipped(f"{self._document.name}, {place}", str(exc))
        if bad > _MAX_ROWS_TOLD:
            yield Skipped(self._document.name, f"{bad - _MAX_ROWS_TOLD} more rows gave no article")
        if not seen:
            raise ArticleError("is empty")

    def _article(self, row: Any) -> Article:
        if not isinstance(row, dict):
            raise ArticleError("is no object with a title and a text")
        found = {part: self._find(row, part) for part in PARTS}
        where = {part: name for part, (name, _) in found.items()}
        said = {part: value for part, (_, value) in found.items()}
        text = said["text"]
        if not text.strip():
            names = self._fields.get("text") or "text, body, content or another usual name"
            raise ArticleError(f"has no text under {names}; --map text=NAME says where it is")
        if re.search(r"</?(?:p|div|br|h\d|li|span|a|strong|em)\b[^<>]{0,2000}>", text[:20_000], re.IGNORECASE):
            from index.reading.page import plain_words  # loaded late: few dumps hold markup

            text = plain_words(text)
        article_id = f"{self._document.article_id}/{name_row(said['id'], said['url'], said['title'], text)}"
        if article_id in self._ids:
            raise ArticleError(f"has the id of an earlier row ({article_id})")
        self._ids.add(article_id)
        stated = {
            "published" if part == "date" else part: Stated(said[part], f"field {where[part]}")
            for part in ("title", "source", "url", "date", "author", "language")
            if said[part]
        }
        return make_article(article_id, text, stated=stated)

    def _find(self, row: Mapping[str, Any], part: str) -> tuple[str, str]:
        """The name under which a part stands, and its value, empty where there is none."""
        if part in self._fields:
            name = self._fields[part]
            return name, _said(part, _reach(row, name))
        for name in _USUAL[part]:
            if value := _said(part, _reach(row, name)):
                return name, value
        return "", ""


def _reach(row: Mapping[str, Any], name: str) -> Any:
    if name in row:
        return row[name]
    value: Any = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _said(part: str, value: Any) -> str:
    """A value in words: of a list its members, of an object its name."""
    if isinstance(value, dict):
        value = next((value[name] for name in ("name", "title", "$date", "$oid", "text") if name in value), None)
    if isinstance(value, list):
        joint = "\n" if part == "text" else ", "
        return joint.join(filter(None, (_said(part, one) for one in value[:1000] if not isinstance(one, list))))
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return _day(value) if part == "date" else str(value)
    if part == "date" and isinstance(value, str):
        compact = re.fullmatch(r"(\d{4})[./]?(\d\d)[./]?(\d\d)(?:[T ].*)?", value.strip())
        return "-".join(compact.groups()[:3]) if compact else value
    return value if isinstance(value, str) else ""


def _day(moment: float) -> str:
    """The day of a time in seconds or milliseconds since 1970."""
    try:
        seconds = moment / 1000 if moment > 1e11 else moment
        return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds > 1e8 else ""
    except (OverflowError, ValueError, OSError):
        return ""
