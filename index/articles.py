"""Article: one piece of news, made of a text and of what is said about it elsewhere.

What is read is cleaned by rules that only take away or move whole pieces: line ends and invisible characters are
made uniform, lines that are not content are dropped, a headline becomes the title, a closing credit the outlet.
What remains is `Article.text`, which passages and citations point into.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from index.errors import ArticleError
from index.headlines import Stated, find_parts
from index.languages import tell_language


@dataclass(frozen=True, slots=True)
class Article:
    """One piece of news, its text cleaned of what is not content.

    Attributes:
        id: its path under the folder it was added from, with `/`, without the ending.
        title: the headline found in the text, else its first words.
        source: the outlet, where the text states it, else None.
        url: where the original is, where known.
        published: an ISO date, or None; never invented.
        text: what passages and citations point into; offsets count its characters.
        content_hash: SHA-256 (hex) of everything above but the id, and of the author where one is known.
        author: who wrote it, in one line, where that is stated, else None.
        language: ISO 639-1 code, where the text's words or its page tell it, else None.
        found_in: where each of title, source, url, published, author and language was found, in words for readers:
            "headline", "first words", "dateline", "page metadata", ...; without those that are None.
    """

    id: str
    title: str
    source: str | None
    url: str | None
    published: str | None
    text: str
    content_hash: str
    author: str | None = None
    language: str | None = None
    found_in: Mapping[str, str] = field(default_factory=dict, hash=False)


class Skipped(NamedTuple):
    """A file or address that gave no article, and why, in words for the user."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ArticlesRead:
    """What came of reading a place.

    Attributes:
        articles: in the order of their files.
        skipped: files that should have given an article and did not.
    """

    articles: tuple[Article, ...]
    skipped: tuple[Skipped, ...]


def make_article(
    article_id: str, raw: str, *, markdown: bool = False, stated: Mapping[str, Stated] | None = None
) -> Article:
    """Make an article of a text as it came.

    Args:
        article_id: its id.
        raw: its text.
        markdown: whether the text is written in Markdown.
        stated: what is said elsewhere of its title, source, url, published, author and language.

    Raises:
        ArticleError: nothing but blank or boilerplate lines.
    """
    told = dict(stated or {})
    page_language = told.pop("language", Stated("", ""))
    found = find_parts(raw, markdown=markdown, stated=told)
    if not found.text:
        raise ArticleError("holds no article text")
    # A page's template often names another language than its article is written in.
    language = Stated(tell_language(found.text) or "", "text")
    if not language.value and (code := re.match(r"[a-z]{2}(?![a-z])", page_language.value.strip().lower())):
        language = Stated(code[0], page_language.where)
    article = Article(
        id=article_id,
        title=found.title,
        source=found.source,
        url=found.url,
        published=found.published,
        text=found.text,
        content_hash="",
        author=found.author,
        language=language.value or None,
        found_in=dict(found.found_in) | ({"language": language.where} if language.value else {}),
    )
    return replace(article, content_hash=content_hash(article))


def content_hash(article: Article) -> str:
    """SHA-256 (hex) of what `article` says: title, outlet, address, date, text, and the author where one is known."""
    said = [article.title, article.source, article.url, article.published, article.text]
    if article.author:  # without one, the hash is what it was before authors were kept
        said.append(article.author)
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
