"""Zip files opened with care: sizes bounded before anything is unpacked, and nothing unpacked to disk."""

from collections.abc import Iterable
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from index.errors import ArticleError

# Text packs to a tenth; what packs to less than this, and is large, was made to fill a memory.
_MAX_RATIO = 200
_LARGE_BYTES = 1_000_000
_MAX_ENTRIES = 200_000


def open_zip(stream: BinaryIO, kind: str) -> ZipFile:
    """A zip file, its list of entries read.

    Raises:
        ArticleError: it is none, or a damaged one, or holds too many entries.
    """
    try:
        opened = ZipFile(stream)
    except (BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as exc:
        raise ArticleError(f"is damaged or cut short and cannot be read as a {kind}") from exc
    if len(opened.infolist()) > _MAX_ENTRIES:
        raise ArticleError(f"holds more than {_MAX_ENTRIES:,} files")
    return opened


def is_bomb(entry: ZipInfo) -> bool:
    """Whether an entry says it unpacks to far more than texts do."""
    return entry.file_size > _LARGE_BYTES and entry.file_size > entry.compress_size * _MAX_RATIO


def check_sizes(entries: Iterable[ZipInfo], *, max_bytes: int) -> None:
    """Refuse what would unpack to too much.

    Raises:
        ArticleError: an entry is a bomb, or all together are larger than `max_bytes`.
    """
    total = 0
    for entry in entries:
        total += entry.file_size
        if is_bomb(entry) or total > max_bytes:
            raise ArticleError("unpacks to far more than its size; it was not read")
