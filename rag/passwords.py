"""Passwords: who may log in, as `NAME:HASH`, hashed with scrypt; nothing here shows one or compares in haste.

A hash is `scrypt.LOG2_N.R.P.SALT.KEY`, salt and key in URL-safe base64: no sign in it means anything to a shell.
"""

import hashlib
import hmac
import re
import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.errors import SettingsError

_LOG2_N, _R, _P = 14, 8, 5  # 16 MiB, about a quarter of a second
_HASH: Final = re.compile(r"scrypt\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.([\w-]{16,100})\.([\w-]{43})")
_NAME: Final = re.compile(r"[^\s:,]{1,64}")
_HOW: Final = "`python -m rag password NAME` prints one"

# One at a time: many guesses at once must not take the memory of the machine.
_hashing = threading.Lock()


@dataclass(frozen=True, slots=True, repr=False)
class PasswordHash:
    """What is kept of a password."""

    log2_n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    def fits(self, password: str) -> bool:
        """Whether it is this password, found out in a time that does not tell how near it came."""
        return hmac.compare_digest(_derive(password, self.salt, self.log2_n, self.r, self.p), self.key)

    def __str__(self) -> str:
        salt, key = (urlsafe_b64encode(one).decode().rstrip("=") for one in (self.salt, self.key))
        return f"scrypt.{self.log2_n}.{self.r}.{self.p}.{salt}.{key}"


def hash_password(password: str) -> PasswordHash:
    """Hash a new password with a salt of its own."""
    salt = secrets.token_bytes(16)
    return PasswordHash(_LOG2_N, _R, _P, salt, _derive(password, salt, _LOG2_N, _R, _P))


def check_name(name: str) -> str:
    """A name as it may be used.

    Raises:
        SettingsError: it holds a space, a colon or a comma, or is too long.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError("A name has 1 to 64 characters and no space, colon or comma.")
    return name


def read_users(value: str) -> Mapping[str, PasswordHash]:
    """Who may log in: `NAME:HASH` pairs, or the file that holds them, one a line.

    Raises:
        SettingsError: a pair or the file cannot be read, or nobody is in it; no pair is shown.
    """
    where, text = "BYLINE_AUTH", value
    if ":scrypt." not in value and value.strip():
        where = f"BYLINE_AUTH: {value}"
        try:
            text = Path(value).read_text(encoding="utf-8")
        except (OSError, ValueError) as exc:
            raise SettingsError(
                f"BYLINE_AUTH is neither a NAME:HASH pair ({_HOW}) nor a file of them that can be read."
            ) from exc
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    users: dict[str, PasswordHash] = {}
    for number, pair in enumerate(re.split(r"[\s,]+", "\n".join(lines).strip()), 1):
        name, _, stored = pair.partition(":")
        match = _HASH.fullmatch(stored)
        if not match or not _NAME.fullmatch(name) or not _bearable(*map(int, match.groups()[:3])):
            raise SettingsError(f"{where}: pair {number} is not NAME:HASH; {_HOW}.")
        log2_n, r, p = map(int, match.groups()[:3])
        users[name] = PasswordHash(log2_n, r, p, _decode(match[4]), _decode(match[5]))
    return users


def _bearable(log2_n: int, r: int, p: int) -> bool:
    """Whether hashing takes a memory and a time that a server can spare."""
    return 10 <= log2_n <= 18 and 1 <= r <= 16 and 1 <= p <= 16


def _derive(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    n = 2**log2_n
    with _hashing:
        return hashlib.scrypt(
            password.encode(errors="replace"), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r + 1024 * 1024, dklen=32
        )


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
