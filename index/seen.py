"""Seen: what each file looked like when it was last read, so that one that looks the same is not opened again.

Only a memory: lost or out of date, it costs a second reading. What it says of an article counts only where the index
holds that article with that content.
"""

import logging
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

# Raise it where the same bytes are read otherwise than before: then every file is read once more.
_READING_VERSION = 1
# A file changed within this time before it was read may change again without a later time.
_SETTLED_NS = 2_000_000_000
_NOTES_A_COMMIT = 500


class Stamp(NamedTuple):
    """How a file looks from outside; times in nanoseconds."""

    size: int
    modified: int
    changed: int


class Met(NamedTuple):
    """An article that a file held: the id it goes by there, the id it is indexed under, and its content hash."""

    article_id: str
    indexed_as: str
    content_hash: str


def stamp_of(path: Path) -> Stamp | None:
    """How a file looks now; None where that says nothing: it cannot be seen, or it changed a moment ago."""
    try:
        found = path.stat()
    except OSError:
        return None
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _SETTLED_NS:
        return None
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Seen:
    """The memory in one file; one that fails or is damaged is begun anew, or done without."""

    def __init__(self, file: Path) -> None:
        """Open it, or begin one."""
        self._notes = 0
        try:
            self._database = _open(file)
        except sqlite3.Error:
            with suppress(OSError):
                file.unlink(missing_ok=True)
            try:
                self._database = _open(file)
            except sqlite3.Error as exc:
                logger.info("files that have not changed are read again: %s cannot be kept (%s)", file, exc)
                self._database = _open(":memory:")

    def close(self) -> None:
        """Keep what was noted."""
        with suppress(sqlite3.Error):
            self._database.commit()
        self._database.close()

    def find(self, name: str, stamp: Stamp, origin: str) -> list[Met]:
        """What a file held when it last looked like this and was part of this origin; empty where it never did."""
        with suppress(sqlite3.Error):
            rows = self._database.execute(
                "select article_id, indexed_as, content_hash from met where name = ? and origin = ? and stamp = ?",
                (name, origin, _line(stamp)),
            )
            return [Met(*row) for row in rows]
        return []

    def note(self, name: str, stamp: Stamp | None, origin: str, met: Iterable[Met]) -> None:
        """Remember what a file holds; without a stamp, it is read again next time."""
        with suppress(sqlite3.Error):
            self._database.execute("delete from met where name = ? and origin = ?", (name, origin))
            self._database.executemany(
                "insert into met values (?, ?, ?, ?, ?, ?)",
                [(name, origin, _line(stamp) if stamp else "", *one) for one in met],
            )
            self._notes += 1
            if self._notes % _NOTES_A_COMMIT == 0:
                self._database.commit()

    def holders(self, indexed_as: str) -> list[str]:
        """The origins that hold an article in a file that is still there."""
        with suppress(sqlite3.Error):
            rows = self._database.execute(
                "select name, origin from met where indexed_as = ? order by name", (indexed_as,)
            )
            return [str(origin) for name, origin in rows if Path(name).exists()]
        return []


def _open(file: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=10, check_same_thread=False)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = off")
        if database.execute("pragma user_version").fetchone()[0] != _READING_VERSION:
            database.execute("drop table if exists met")
            database.execute(f"pragma user_version = {_READING_VERSION:d}")
        database.execute(
            "create table if not exists met (name text, origin text, stamp text, article_id text, indexed_as text, "
            "content_hash text, primary key (name, origin, article_id))"
        )
        database.execute("create index if not exists met_as on met (indexed_as)")
        database.commit()
    except sqlite3.Error:
        database.close()
        raise
    return database


def _line(stamp: Stamp) -> str:
    return " ".join(map(str, stamp))
