"""Zip files of articles: each file in it is read as if it lay in a folder; nothing is unpacked to disk."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812

from index.articles import Article, Skipped
from index.errors import ArticleError
from index.reading.document import Document, Reader, of_bytes
from index.reading.naming import name_articles
from index.reading.zipped import is_bomb, open_zip

_MAX_DEPTH = 2
_MAX_ENTRY_BYTES = 100_000_000
_MAX_TOTAL_BYTES = 4_000_000_000


def read_archive(document: Document, read: Reader, endings: tuple[str, ...]) -> Iterator[Article | Skipped]:
    """The articles of a zip file.

    Args:
        document: the zip file.
        read: reads each file in it.
        endings: which files in it are read.
    """
    yield from _Archive(read, endings).articles(document, depth=1)


class _Archive:
    """Reads a zip file and the zip files in it, and counts what is unpacked over all of them."""

    def __init__(self, read: Reader, endings: tuple[str, ...]) -> None:
        self._read = read
        self._endings = endings
        self._unpacked = 0

    def articles(self, document: Document, *, depth: int) -> Iterator[Article | Skipped]:
        try:
            stream = document.open()
        except OSError as exc:
            raise ArticleError(f"cannot be read ({exc.strerror or exc})") from exc
        with stream, open_zip(stream, "zip file") as opened:
            entries: dict[PurePosixPath, ZipInfo] = {}
            for entry in opened.infolist():
                place = f"{document.name}/{entry.filename}"
                if entry.is_dir() or not entry.filename.lower().endswith(self._endings) or _is_hidden(entry.filename):
                    continue
                if reason := _refused(entry):
                    yield Skipped(place, reason)
                elif (path := PurePosixPath(entry.filename)) in entries:
                    yield Skipped(place, "is there twice in the zip file; the first one was read")
                else:
                    entries[path] = entry
            if not entries and not any(_refused(entry) for entry in opened.infolist()):
                raise ArticleError("is a zip file without a file that can be read")
            for path, article_id in name_articles(entries):
                inner = replace(
                    document, name=f"{document.name}/{path}", article_id=f"{document.article_id}/{article_id}"
                )
                yield from self._entry(opened, entries[path], inner, depth=depth)

    def _entry(self, opened: ZipFile, entry: ZipInfo, inner: Document, *, depth: int) -> Iterator[Article | Skipped]:
        if self._unpacked + entry.file_size > _MAX_TOTAL_BYTES:
            yield Skipped(inner.name, f"the zip file unpacks to more than {_MAX_TOTAL_BYTES // 10**9} GB")
            return
        try:
            with opened.open(entry) as stream:
                data = stream.read(_MAX_ENTRY_BYTES + 1)
        # An unknown packing, a wrong checksum, a name that differs from the list's.
        except (BadZipFile, ZlibError, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
            yield Skipped(inner.name, "is damaged in the zip file")
            return
        self._unpacked += len(data)
        within = of_bytes(data, inner.name, inner.article_id)
        if not entry.filename.lower().endswith(".zip"):
            yield from self._read(within)
        elif depth >= _MAX_DEPTH:
            yield Skipped(inner.name, "is a zip file within a zip file within a zip file; unpack it first")
        else:
            try:
                yield from self.articles(within, depth=depth + 1)
            except ArticleError as exc:
                yield Skipped(inner.name, str(exc))


def _refused(entry: ZipInfo) -> str:
    """Why an entry is not read; nothing would be written where its name leads, but such a name is no accident."""
    name = entry.orig_filename or entry.filename
    if re.match(r"[/\\]|[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name) or "\x00" in name or "\\" in name:
        return "its path leads out of the zip file; it was not read"
    if (entry.external_attr >> 16) & 0o170000 == 0o120000:
        return "is a link, not a file"
    if entry.flag_bits & 1:
        return "is encrypted with a password"
    if is_bomb(entry):
        return "unpacks to far more than its size; it was not read"
    if entry.file_size > _MAX_ENTRY_BYTES:
        return f"is larger than {_MAX_ENTRY_BYTES // 1_000_000} MB unpacked"
    return ""


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part not in {".", ".."} for part in re.split(r"[/\\]", name))
