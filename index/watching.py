"""Following: which folders and feeds are to be read again, looked at from time to time.

A folder is due when it looks other than when it was last read and has looked so for two looks, so that a file that is
still being written is left in peace. A feed is read as often as the user says. Looking and fetching need no index; the
caller opens it only for what is due.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from index.errors import ArticleError
from index.reading.places import Place, find_place, is_address, read_ahead
from index.settings import Settings

LOOK_SECONDS = 2.0
"""Time between two looks at folders; longer where a look takes long."""

# A look may take this share of the time.
_LOOKING_SHARE = 0.05
_Look = Mapping[str, tuple[int, int]]


class Following:
    """What is followed, and how each looked when it was last read."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        settings: Settings,
        fields: Mapping[str, str],
        watch: bool,
        every_seconds: float | None,
    ) -> None:
        """Follow folders by looking at them (`watch`), and anything by reading it again after each `every_seconds`.

        Raises:
            ArticleError: a path does not exist, or an address is to be watched.
        """
        self._settings = settings
        self._fields = fields
        self._every_seconds = every_seconds
        self._watched = [path for path in paths if watch and not is_address(path)]
        self._timed = [path for path in paths if path not in self._watched]
        if self._timed and every_seconds is None:
            raise ArticleError(f"{self._timed[0]}: --watch follows folders and files; --every 15m follows a feed.")
        for path in paths:  # a wrong path is told before the following begins; a folder may still be empty
            if not Path(path).is_dir():
                find_place(path, settings=settings)
        self.pause_seconds = LOOK_SECONDS
        self._due_at = dict.fromkeys(self._timed, 0.0)
        self._items_read: dict[str, set[str]] = {path: set() for path in self._timed}
        self._last_look: dict[str, _Look | None] = dict.fromkeys(self._watched)
        self._read_look: dict[str, _Look | None] = dict.fromkeys(self._watched)
        self._waiting: dict[str, Place] = {}

    def due(self) -> tuple[list[Place], list[str]]:
        """The places to be read now, those of the web fetched already, and what went wrong in looking, a line each."""
        problems: list[str] = []
        began = time.monotonic()
        for path in self._watched:
            try:
                self._look(path)
            except ArticleError as exc:
                problems.append(str(exc))
        self.pause_seconds = max(LOOK_SECONDS, (time.monotonic() - began) / _LOOKING_SHARE)
        for path in self._timed:
            if time.monotonic() < self._due_at[path]:
                continue
            self._due_at[path] = time.monotonic() + (self._every_seconds or 0.0)
            try:
                before = self._items_read[path]
                place = find_place(path, settings=self._settings, fields=self._fields, read_before=before)
                found = read_ahead(place) if is_address(path) else place
            except ArticleError as exc:
                problems.append(str(exc))
                continue
            self._waiting[path] = _after(self._waiting.get(path), found)
        return list(self._waiting.values()), problems

    def done(self, places: Sequence[Place]) -> None:
        """Say that places that were due have been read."""
        for path in [path for path, place in self._waiting.items() if place in places]:
            del self._waiting[path]
            if path in self._read_look:
                self._read_look[path] = self._last_look[path]

    def _look(self, path: str) -> None:
        place = find_place(path, settings=self._settings, fields=self._fields)
        look = {}
        for item in place.items:
            try:
                found = item.path.stat() if item.path else None
            except OSError:
                continue
            if found:
                look[item.name] = (found.st_size, found.st_mtime_ns)
        settled = look == self._last_look[path]
        self._last_look[path] = look
        if settled and look != self._read_look[path]:
            self._waiting[path] = place
        elif not settled:
            self._waiting.pop(path, None)


def _after(earlier: Place | None, later: Place) -> Place:
    """A place with what was fetched of it before and could not be stored yet: its feed does not give it again."""
    if earlier is None or not is_address(later.name):
        return later
    return Place(later.name, later.origin, later.whole, (*earlier.items, *later.items))
