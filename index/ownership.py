"""Who owns the index: one process at a time for an embedded Chroma, since two silently destroy each other's vectors.

The lock is the operating system's, on `index.lock` in the home folder, so it ends with its process however that
ends. Beside it `index.owner.json` says who holds it; left behind by a process that died, it does no harm.
"""

import ipaddress
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from index.errors import IndexBusyError, SettingsError
from index.settings import Settings

_OWNER_FILE = "index.owner.json"


class Ownership:
    """The lock, held: says to others who holds it."""

    def __init__(self, file: Path, owner: str) -> None:
        """Write the owner file."""
        self._file = file
        self._owner = owner
        self.announce(None)

    def announce(self, url: str | None) -> None:
        """Tell other processes the address where the index can be asked."""
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(json.dumps({"pid": os.getpid(), "owner": self._owner, "url": url}), encoding="utf-8")
        temporary.replace(self._file)


@contextmanager
def own_index(home: Path, *, owner: str, wait_seconds: float) -> Iterator[Ownership]:
    """Hold the index in `home`.

    Args:
        home: the folder of the index; made where it is not there.
        owner: who holds it, in words for other users: `the page`, `python -m index add`.
        wait_seconds: how long to wait for another process to end.

    Raises:
        IndexBusyError: another process holds it; the message says which, and what to do.
        SettingsError: `home` cannot be written.
    """
    lock = FileLock(home / "index.lock", thread_local=False)
    file = home / _OWNER_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_seconds)
    except Timeout as exc:
        raise IndexBusyError(_who(home, file)) from exc
    except OSError as exc:
        raise SettingsError(
            f"BYLINE_HOME: {home} cannot be written ({exc.strerror}); set it to another folder."
        ) from exc
    try:
        try:
            ownership = Ownership(file, owner)
        except OSError as exc:
            raise SettingsError(
                f"BYLINE_HOME: {home} cannot be written ({exc.strerror}); make room or set it to another folder."
            ) from exc
        yield ownership
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
        lock.release()


def announced_url(home: Path) -> str | None:
    """The address that the owner of the index in `home` announced; a process that died leaves its own behind."""
    try:
        known = json.loads((home / _OWNER_FILE).read_text(encoding="utf-8"))
        url = known["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) else None


def page_here(settings: Settings) -> str | None:
    """The address that the owner of an embedded index announced, where it is one of this machine."""
    url = announced_url(settings.home)
    return url if settings.chroma is None and url is not None and is_loopback(url) else None


def is_loopback(url: str) -> bool:
    """Whether an address is one of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_owned(home: Path) -> bool:
    """Whether a process that lives holds the index in `home`."""
    lock = FileLock(home / "index.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def _who(home: Path, file: Path) -> str:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        who = f"{known['owner']} (process {known['pid']})"
        ask = f"Ask at {known['url']}, stop it" if known["url"] else "Wait until it is done, stop it"
    except (OSError, ValueError, KeyError, TypeError):
        who, ask = "another process", "Wait until it is done, stop it"
    return f"The index in {home} is in use by {who}. {ask}, or set BYLINE_HOME to another folder."
