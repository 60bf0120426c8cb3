"""Article: one piece of news; reading text files and folders of them into articles.

What is read is cleaned by rules that only take away or move whole pieces: line ends and invisible characters are
made uniform, lines that are not content are dropped, a headline becomes the title, a closing credit the outlet.
What remains is `Article.text`, which passages and citations point into.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from index.errors import ArticleError
from index.headlines import Stated, find_parts
from index.languages import tell_language

READABLE_ENDINGS = (".txt", ".md")
# An article is a few thousand characters; a novel has under two million.
MAX_BYTES = 8_000_000


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

    path: Path | str
    reason: str


class ArticleFile(NamedTuple):
    """A file to read, and the id its article gets."""

    path: Path
    article_id: str


@dataclass(frozen=True, slots=True)
class ArticlesRead:
    """What came of reading a path.

    Attributes:
        articles: in the order of their paths.
        skipped: files that should have given an article and did not.
    """

    articles: tuple[Article, ...]
    skipped: tuple[Skipped, ...]


def read_articles(path: Path) -> ArticlesRead:
    """Read a file, or every text file of a folder and of the folders in it.

    Raises:
        ArticleError: there is nothing at `path`, or nothing there is a text file.
    """
    articles: list[Article] = []
    skipped: list[Skipped] = []
    for file in find_files(path):
        try:
            articles.append(read_article(file.path, file.article_id))
        except ArticleError as exc:
            skipped.append(Skipped(file.path, str(exc)))
    return ArticlesRead(tuple(articles), tuple(skipped))


def find_files(path: Path) -> list[ArticleFile]:
    """The files under `path` that should give an article, by path; files that begin with a dot are left alone.

    Raises:
        ArticleError: there is nothing at `path`, or no file of a kind that can be read.
    """
    if not path.exists():
        raise ArticleError(f"{path}: there is no such file or folder.")
    kinds = " or ".join(READABLE_ENDINGS)
    if not path.is_dir():
        if path.suffix.lower() not in READABLE_ENDINGS:
            raise ArticleError(f"{path}: only {kinds} files are read.")
        return [ArticleFile(path, path.stem)]
    files = list(_name_articles(path, _walk(path)))
    if not files:
        raise ArticleError(f"{path}: the folder holds no {kinds} files; nothing was changed.")
    return files


def _walk(folder: Path) -> Iterator[PurePosixPath]:
    """Paths under `folder`, relative to it."""

    def refuse(error: OSError) -> None:
        raise ArticleError(f"{error.filename}: cannot be read ({error.strerror}).") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in READABLE_ENDINGS:
                yield PurePosixPath((Path(parent) / name).relative_to(folder).as_posix())


def _name_articles(folder: Path, paths: Iterable[PurePosixPath]) -> Iterator[ArticleFile]:
    """Ids are paths without the ending, which stays where two files differ in nothing else."""
    by_name: dict[str, list[PurePosixPath]] = {}
    for path in sorted(paths):
        by_name.setdefault(str(path.with_suffix("")), []).append(path)
    for name, same in by_name.items():
        for path in same:
            article_id = name if len(same) == 1 else str(path)
            # A file name need not be text; an id must be.
            yield ArticleFile(folder / path, article_id.encode("utf-8", "replace").decode("utf-8"))


def read_article(path: Path, article_id: str) -> Article:
    """Read one file.

    Raises:
        ArticleError: it cannot be read or holds no article; the message is the reason alone, without the path.
    """
    return make_article(article_id, _decode(_read_bytes(path)), markdown=path.suffix.lower() == ".md")


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


def _read_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ArticleError("is not an ordinary file")
        if path.stat().st_size > MAX_BYTES:
            raise ArticleError(f"is larger than {MAX_BYTES // 1_000_000} MB, too large for one article")
        return path.read_bytes()
    except OSError as exc:
        raise ArticleError(f"cannot be read ({exc.strerror})") from exc


_BYTE_ORDER_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
                     (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))  # fmt: skip


def _decode(data: bytes) -> str:
    if not data.strip():
        raise ArticleError("is empty")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as exc:
        if _looks_binary(data.decode("latin-1")):
            raise ArticleError("is not text but binary data") from exc
        raise ArticleError(
            f"is not {encoding.removesuffix('-sig').upper()} text (byte {exc.start + 1}); save it as UTF-8"
        ) from exc
    if _looks_binary(text):
        raise ArticleError("is not text but binary data")
    return text


def _looks_binary(text: str) -> bool:
    """A stray control character happens in a text; a zero or one in fifty does not."""
    return "\x00" in text or len(re.findall(r"[\x01-\x08\x0e-\x1f]", text)) > len(text) // 50
