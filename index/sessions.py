"""Sessions: a signed word that says who somebody is and until when; the server keeps nothing but the key.

The key lies in BYLINE_HOME and is read by its owner only. Who can read it may ask as this machine: a command line
beside the server needs no password.
"""

import hashlib
import hmac
import os
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import Final

from index.errors import SettingsError

FILE: Final = "session.key"
THIS_MACHINE: Final = "this machine"
"""Who holds the key: a command line beside the server."""
SESSION_SECONDS: Final = 30 * 24 * 3600
"""How long a browser stays logged in."""
LOCAL_SECONDS: Final = 300
"""How long a command line's word is good, from its making to the request that carries it."""

_KEY_BYTES: Final = 32
_LONGEST: Final = 400


def session_key(home: Path) -> bytes:
    """The key of `home`, made where there is none.

    Raises:
        SettingsError: it cannot be read or made.
    """
    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    except OSError as exc:
        raise SettingsError(f"{path} cannot be read and written: {exc.strerror or exc}.") from exc
    if len(key) != _KEY_BYTES:
        raise SettingsError(f"{path} is damaged; remove it, and everybody logs in again.")
    return key


def make_session(name: str, *, key: bytes, stored: str = "", seconds: int, now: float | None = None) -> str:
    """A word that says `name` for some seconds, as long as what is `stored` of the password stays the same."""
    expires = int((time.time() if now is None else now) + seconds)
    plain = urlsafe_b64encode(name.encode()).decode().rstrip("=")
    return f"{plain}.{expires}.{_sign(key, name, expires, stored)}"


def name_in(session: str) -> str:
    """The name that a word claims to say, before anything is checked; empty where it has no such form."""
    plain = session.partition(".")[0]
    if not plain or len(session) > _LONGEST:
        return ""
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4)).decode()
    except ValueError:
        return ""


def is_session(session: str, name: str, *, key: bytes, stored: str = "", now: float | None = None) -> bool:
    """Whether a word says `name`, was signed with `key`, and is still good."""
    _, _, rest = session.partition(".")
    expires, _, signature = rest.partition(".")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and signature.isascii()):
        return False
    good = hmac.compare_digest(signature, _sign(key, name, int(expires), stored))
    return good and (time.time() if now is None else now) < int(expires)


def local_session(home: Path) -> str:
    """The word with which a command line asks a server that shares its home; empty where the key is not there."""
    try:
        key = (home / FILE).read_bytes()
    except OSError:
        return ""
    return make_session(THIS_MACHINE, key=key, seconds=LOCAL_SECONDS)


def _sign(key: bytes, name: str, expires: int, stored: str) -> str:
    said = f"{name}\0{expires}\0{stored}".encode()
    return urlsafe_b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode().rstrip("=")
