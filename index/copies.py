"""Copies: which articles are near copies of others, kept in one file beside the index as articles come and go.

Each article leaves its MinHash (`index/duplicates.py`) and, of every two numbers of it, a band. Articles that resemble
each other share a band (P. Indyk and R. Motwani, "Approximate nearest neighbors", 1998: of two at the limit .93 do, at
.25 .98, at .3 .998), so a new one is compared with those few alone. What is kept is worked out from the articles'
texts: what is lost or differs from the list of articles, as after a crash or in an index of before, is read again.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from index.duplicates import NEAR_COPY_FROM, SIGNATURE_VERSION, Signature, resemblances, signature_of
from index.errors import StoreError
from index.lexical import Entry, words_of_passage
from index.passages import Passage

_BAND_ROWS = 2
# Where hundreds of articles repeat a text, a new one is held against those that share most: they are one group anyway.
_MOST_COMPARED = 200
_TABLES = """
create table if not exists article
    (number integer primary key, id text unique, content_hash text, passages integer, signature blob);
create table if not exists band (hash integer, number integer, primary key (hash, number)) without rowid;
create table if not exists pair (one integer, other integer, primary key (one, other)) without rowid;
create index if not exists pair_other on pair (other);
"""


class Copies:
    """The near copies in one file; one that is damaged is made anew, empty."""

    def __init__(self, file: Path) -> None:
        """Open the file, or begin it."""
        self._file = file
        self._lock = Lock()
        self._known: Sequence[frozenset[str]] | None = None
        with self._errors():
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.DatabaseError:
                file.unlink(missing_ok=True)
                self._open()

    def _open(self) -> None:
        with closing(self._connect()) as database:
            if database.execute("pragma user_version").fetchone()[0] != SIGNATURE_VERSION:
                for table in ("article", "band", "pair"):
                    database.execute(f"drop table if exists {table}")
            database.executescript(_TABLES)
            database.execute(f"pragma user_version = {SIGNATURE_VERSION:d}")

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=30)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            raise StoreError(
                f"{self._file} cannot be written ({exc}); is the disk full? Once there is room, the next "
                "start completes it."
            ) from exc

    def entries(self) -> set[Entry]:
        """What it holds, an entry an article."""
        with self._errors(), closing(self._connect()) as database:
            return {Entry(*row) for row in database.execute("select id, content_hash, passages from article")}

    def count(self) -> int:
        """How many passages the articles have that it holds."""
        with self._errors(), closing(self._connect()) as database:
            return int(database.execute("select coalesce(sum(passages), 0) from article").fetchone()[0])

    def change(self, *, remove: Iterable[str], add: Iterable[tuple[Entry, Sequence[Passage]]]) -> None:
        """Take articles out by id and put articles in, all at once or, after a crash, not at all."""
        new = [(entry, signature_of(_words_of(passages))) for entry, passages in add]
        with self._lock, self._errors(), closing(self._connect()) as database, database:
            database.execute("begin immediate")
            for article_id in [*remove, *(entry.article_id for entry, _ in new)]:
                _take_out(database, article_id)
            for entry, its_signature in new:
                _put_in(database, entry, its_signature)
            self._known = None

    def groups(self) -> Sequence[frozenset[str]]:
        """The ids of articles that are near copies of each other; a copy of a copy is in the same group."""
        known = self._known
        if known is None:
            with self._lock, self._errors(), closing(self._connect()) as database:
                pairs = database.execute(
                    "select a.id, b.id from pair join article a on a.number = one join article b on b.number = other"
                )
                self._known = known = _join(pairs)
        return known


def _words_of(passages: Sequence[Passage]) -> list[str]:
    ordered = sorted(passages, key=lambda passage: passage.start)
    return [word for passage in ordered for word in words_of_passage(passage.text)]


def _bands(its_signature: Signature) -> list[int]:
    """A number for each band: of two signatures with equal numbers at its place, the same."""
    return [
        (at << 32) | zlib.crc32(its_signature[at : at + _BAND_ROWS].tobytes())
        for at in range(0, len(its_signature), _BAND_ROWS)
    ]


def _take_out(database: sqlite3.Connection, article_id: str) -> None:
    row = database.execute("select number, signature from article where id = ?", (article_id,)).fetchone()
    if row is None:
        return
    number, its_signature = row[0], np.frombuffer(row[1], dtype=np.uint64)
    database.executemany(
        "delete from band where hash = ? and number = ?", [(band, number) for band in _bands(its_signature)]
    )
    database.execute("delete from pair where one = ?", (number,))
    database.execute("delete from pair where other = ?", (number,))
    database.execute("delete from article where number = ?", (number,))


def _put_in(database: sqlite3.Connection, entry: Entry, its_signature: Signature) -> None:
    bands = _bands(its_signature)
    near = database.execute(
        f"select number, signature from (select number, count(*) as shared from band where hash in ({_marks(bands)}) "  # noqa: S608 no text in it
        f"group by number order by shared desc, number limit {_MOST_COMPARED}) join article using (number)",
        bands,
    ).fetchall()
    others = np.frombuffer(b"".join(other for _, other in near), dtype=np.uint64).reshape(-1, len(its_signature))
    alike = [near[place][0] for place in np.flatnonzero(resemblances(its_signature, others) >= NEAR_COPY_FROM)]
    number = database.execute(
        "insert into article (id, content_hash, passages, signature) values (?, ?, ?, ?)",
        (*entry, its_signature.tobytes()),
    ).lastrowid
    database.executemany("insert into band values (?, ?)", [(band, number) for band in bands])
    database.executemany("insert into pair values (?, ?)", [(other, number) for other in alike])


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))


def _join(pairs: Iterable[tuple[str, str]]) -> list[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for one, other in pairs:
        first, second = groups.setdefault(one, {one}), groups.setdefault(other, {other})
        if first is not second:  # the smaller goes into the larger, so that nothing moves often
            small, large = sorted((first, second), key=len)
            large |= small
            groups |= dict.fromkeys(small, large)
    return list({id(group): frozenset(group) for group in groups.values()}.values())
