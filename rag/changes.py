"""Changes: articles added and removed in the page, one change at a time, while the page owns the index.

A file arrives in pieces, so that no request is large, and is kept in BYLINE_HOME/added under its own name. An address
is read as `python -m index add` reads it: public ones alone, unless the settings say otherwise.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from index.build import OnProgress, add_articles, remove_articles
from index.errors import BylineError, StoreError, UserError
from index.reading.places import Place, find_place, is_address, read_ahead
from index.settings import Settings
from index.store import PassageStore
from index.updating import BuildReport

MAX_UPLOAD_BYTES: Final = 20 * 1024 * 1024
"""Largest file that is taken."""
MAX_OPEN_UPLOADS: Final = 8

_UPLOAD: Final = re.compile(r"[0-9a-f]{32}")
_NAME: Final = re.compile(r"[^\w.() -]+")
_LONGEST_NAME: Final = 120


class Changes:
    """Adds to and removes from one open index."""

    def __init__(self, store: PassageStore, settings: Settings, *, here_only: bool = True) -> None:
        """Change `store`; `here_only` says that requests which came through a proxy may not."""
        self.here_only = here_only
        self._store = store
        self._settings = settings
        self._changing = asyncio.Lock()
        self._working: set[asyncio.Task[BuildReport]] = set()
        self._added = settings.home / "added"
        self._arriving = settings.home / "arriving"
        shutil.rmtree(self._arriving, ignore_errors=True)  # what an earlier process left half sent

    def take_piece(self, upload: str, offset: int, piece: bytes) -> int:
        """Write a piece of a file; returns how many bytes there are now.

        Raises:
            UserError: it does not follow what came before, or the file is too large.
            StoreError: it cannot be written.
        """
        path = self._upload(upload)
        try:
            there = path.stat().st_size if path.exists() else 0
            if offset != there:
                raise UserError(f"The file is here up to byte {there}, and a piece from {offset} came; send it again.")
            if there + len(piece) > MAX_UPLOAD_BYTES:
                path.unlink(missing_ok=True)
                raise UserError(f"The file is larger than {MAX_UPLOAD_BYTES // 2**20} MB.")
            self._arriving.mkdir(parents=True, exist_ok=True)
            if not there and len(list(self._arriving.iterdir())) >= MAX_OPEN_UPLOADS:
                raise UserError("Too many files are arriving at the moment; try again when they are done.")
            with path.open("ab") as file:
                file.write(piece)
        except OSError as exc:
            raise StoreError(f"{path} cannot be written: {exc.strerror or exc}.") from exc
        return there + len(piece)

    async def add_upload(self, upload: str, name: str) -> AsyncGenerator[dict[str, Any], None]:
        """Index a file that has arrived, telling how far it is; the last is the report, or an error.

        Args:
            upload: the id under which its pieces came.
            name: its name; only the last part counts.
        """
        arrived = self._upload(upload)
        if not arrived.exists():
            yield {"error": "Nothing of this file has arrived; send it again."}
            return
        place = self._added / _safe_name(name)
        previous = place.read_bytes() if place.exists() else None

        def add(on_progress: OnProgress) -> BuildReport:
            self._added.mkdir(parents=True, exist_ok=True)
            arrived.replace(place)
            try:
                report = add_articles(self._store, [place], settings=self._settings, on_progress=on_progress)
            except BylineError:
                _put_back(place, previous)
                raise
            if report.skipped:
                _put_back(place, previous)
            return report

        async for told in self._tell(add, _for_readers):
            yield told

    async def add_places(
        self, find: Callable[[], Sequence[Place]], fields: Mapping[str, str]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Index what `find` finds, telling how far it is; the last is the report, or an error and its exit code."""

        def add(on_progress: OnProgress) -> BuildReport:
            return add_articles(self._store, find(), settings=self._settings, fields=fields, on_progress=on_progress)

        async for told in self._tell(add, lambda report: {"report": report.to_json()}):
            yield told

    async def add_address(self, address: str) -> AsyncGenerator[dict[str, Any], None]:
        """Index a page, a feed or a file of the web, telling how far it is; the last is the report, or an error.

        Args:
            address: where it is; https:// may be left out.
        """
        address = address.strip()
        address = address if is_address(address) else f"https://{address}"

        def add(on_progress: OnProgress) -> BuildReport:
            # Fetched first: the index is not held while a distant server takes its time.
            place = read_ahead(find_place(address, settings=self._settings))
            return add_articles(self._store, [place], settings=self._settings, on_progress=on_progress)

        async for told in self._tell(add, _for_readers):
            yield told

    async def remove(self, article_ids: Sequence[str]) -> BuildReport:
        """Take articles out, and our copies of files that were added here.

        Raises:
            ArticleError: one of them is not there; then nothing is removed.
        """
        async with self._changing:
            kept = [one for one in map(self._store.find_article, article_ids) if one is not None]
            report = await asyncio.to_thread(remove_articles, self._store, article_ids)
            for one in kept:
                if one.origin == str(self._added.resolve()):
                    for path in self._added.glob("*"):
                        if one.id in {path.name, path.stem}:
                            path.unlink(missing_ok=True)
            return report

    async def _tell(
        self, work: Callable[[OnProgress], BuildReport], say: Callable[[BuildReport], dict[str, Any]]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Do work in a thread, one at a time, and tell its progress as it comes; it ends even where nobody listens."""
        told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(progress: dict[str, Any] | None) -> None:
            loop.call_soon_threadsafe(told.put_nowait, progress)

        async def run() -> BuildReport:
            try:
                async with self._changing:
                    return await asyncio.to_thread(work, lambda done, total: tell({"done": done, "total": total}))
            finally:
                tell(None)

        working = asyncio.create_task(run())
        self._working.add(working)  # else nothing would hold it once the listener is gone
        working.add_done_callback(self._working.discard)
        while (progress := await told.get()) is not None:
            yield progress
        try:
            yield say(await working)
        except BylineError as exc:
            yield {"error": str(exc), "code": exc.exit_code}

    def _upload(self, upload: str) -> Path:
        if not _UPLOAD.fullmatch(upload):
            raise UserError("An upload's id is 32 hexadecimal digits.")
        return self._arriving / upload


def _for_readers(report: BuildReport) -> dict[str, Any]:
    """A report for the page, which shows no folder of this machine."""
    return {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "skipped": [{"name": _shown(one.path), "reason": one.reason} for one in report.skipped],
    }


def _shown(name: str) -> str:
    """What was skipped, as the reader knows it: a file's name, or a whole address."""
    return name if is_address(name) else Path(name).name


def _put_back(place: Path, previous: bytes | None) -> None:
    """Leave on disk what the index holds: the file as it was before, or none."""
    if previous is None:
        place.unlink(missing_ok=True)
    else:
        place.write_bytes(previous)


def _safe_name(name: str) -> str:
    """The last part of a file's name, with nothing in it that a file system could take for more than a name."""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = _NAME.sub("-", last).strip(" .-")
    if len(cleaned) > _LONGEST_NAME:
        stem, dot, ending = cleaned.rpartition(".")
        cleaned = f"{stem[: _LONGEST_NAME - len(ending) - 1]}{dot}{ending}" if dot else cleaned[:_LONGEST_NAME]
    if not cleaned:
        raise UserError("A file needs a name.")
    return cleaned
