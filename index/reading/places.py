"""Places: what `add` is given (a file, a folder, an address) and the items in it, each read into articles.

Nothing of the web is asked, and no file opened, before an item is read. What cannot be read is skipped with its reason;
only a place that is wrong at a glance is an error.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from index.articles import Article, ArticlesRead, Skipped
from index.errors import ArticleError
from index.reading.document import Document
from index.reading.kinds import READABLE_ENDINGS, read_document
from index.reading.naming import name_address, name_articles
from index.settings import Settings


@dataclass(frozen=True, slots=True)
class Item:
    """One file or address of a place.

    Attributes:
        name: its path or address, for messages.
        article_id: id of its article; where it holds several, their ids begin with it and `/`. A feed's do not.
        path: its file, or None on the web.
        read: its articles, one by one, and what gave none; nothing is raised.
    """

    name: str
    article_id: str
    path: Path | None
    read: Callable[[], Iterator[Article | Skipped]]


@dataclass(frozen=True, slots=True)
class Place:
    """What `add` is given.

    Attributes:
        name: as it was given.
        origin: the folder or address that its articles come from.
        whole: whether an article of this origin that is no longer in it is gone; so it is with a folder.
        items: in the order of their names.
    """

    name: str
    origin: str
    whole: bool
    items: tuple[Item, ...]


def is_address(given: str | Path) -> bool:
    """Whether it is an address and not a path."""
    return isinstance(given, str) and bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", given))


def find_place(
    given: str | Path,
    *,
    settings: Settings | None = None,
    fields: Mapping[str, str] | None = None,
    read_before: set[str] | None = None,
) -> Place:
    """Find what is to be read.

    Args:
        given: the path of a file or folder, or an address.
        settings: whether private addresses may be fetched; not where left out.
        fields: for dumps, our name of a part -> theirs (`--map`).
        read_before: keys of a feed's items that need not be fetched again; those that are read are added.

    Raises:
        ArticleError: there is nothing, nothing that can be read, or the address is none.
    """
    if is_address(given):
        return _on_the_web(str(given), settings, fields or {}, read_before)
    path = Path(given)
    if not path.exists():
        raise ArticleError(f"{path}: there is no such file or folder.")
    kinds = ", ".join(READABLE_ENDINGS)
    if not path.is_dir():
        if path.suffix.lower() not in READABLE_ENDINGS:
            raise ArticleError(f"{path}: only {kinds} files are read.")
        return Place(str(path), str(path.resolve().parent), False, (_file(path, _text_id(path.stem), fields or {}),))
    named = name_articles(_walk(path))
    items = tuple(_file(path / inner, article_id, fields or {}) for inner, article_id in named)
    if not items:
        raise ArticleError(f"{path}: the folder holds no {kinds} files; nothing was changed.")
    return Place(str(path), str(path.resolve()), True, items)


def read_articles(path: Path) -> ArticlesRead:
    """Read a file, or every file of a folder and of the folders in it that can be read.

    Raises:
        ArticleError: there is nothing at `path`, or nothing there can be read.
    """
    read = [one for item in find_place(path).items for one in item.read()]
    articles = tuple(one for one in read if isinstance(one, Article))
    return ArticlesRead(articles, tuple(one for one in read if isinstance(one, Skipped)))


def read_ahead(place: Place, on_item: Callable[[int, int], None] | None = None) -> Place:
    """The place with its items read already, so that reading them later takes no time.

    Args:
        place: what to read.
        on_item: told how many items are read, of how many.
    """
    items = []
    for number, item in enumerate(place.items, start=1):
        read = tuple(item.read())
        items.append(replace(item, read=partial(iter, read)))
        if on_item:
            on_item(number, len(place.items))
    return replace(place, items=tuple(items))


def _on_the_web(
    address: str, settings: Settings | None, fields: Mapping[str, str], read_before: set[str] | None
) -> Place:
    from index.reading.addresses import check_address  # loaded late, as most runs read files
    from index.reading.fetching import Fetcher
    from index.reading.web import read_address

    try:
        address = check_address(address)
    except ArticleError as exc:
        raise ArticleError(f"{re.sub(r'//[^/@]*@', '//…@', address)}: {exc}.") from exc
    fetcher = Fetcher(allow_private=settings.fetch_private if settings else False)

    def read() -> Iterator[Article | Skipped]:
        return read_address(address, fetcher, fields=fields, read_before=read_before)

    return Place(address, address, False, (Item(address, name_address(address), None, read),))


def _file(path: Path, article_id: str, fields: Mapping[str, str]) -> Item:
    # A file name need not be text; a message must be.
    name = _text_id(str(path))

    def read() -> Iterator[Article | Skipped]:
        try:
            # Opening a pipe would wait for its other end.
            if not path.is_file():
                yield Skipped(name, "is not an ordinary file")
                return
            size = path.stat().st_size
        except OSError as exc:
            yield Skipped(name, f"cannot be read ({exc.strerror})")
            return
        yield from read_document(Document(name, article_id, size, lambda: path.open("rb")), fields=fields)

    return Item(name, article_id, path, read)


def _text_id(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")


def _walk(folder: Path) -> Iterator[PurePosixPath]:
    """Paths of files that can be read under `folder`, relative to it; what begins with a dot is left alone."""

    def refuse(error: OSError) -> None:
        raise ArticleError(f"{error.filename}: cannot be read ({error.strerror}).") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        # Beside a saved page lies a folder of its frames, scripts and pictures.
        pages = {PurePosixPath(name).stem for name in names if name.lower().endswith((".html", ".htm"))}
        folders[:] = [name for name in folders if not name.startswith(".") and not _is_of_page(name, pages)]
        for name in names:
            if not name.startswith(".") and PurePosixPath(name).suffix.lower() in READABLE_ENDINGS:
                yield PurePosixPath((Path(parent) / name).relative_to(folder).as_posix())


def _is_of_page(folder: str, pages: set[str]) -> bool:
    return folder.endswith("_files") and folder.removesuffix("_files") in pages
