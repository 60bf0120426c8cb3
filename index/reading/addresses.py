"""Addresses of the web: which may be asked, decided on the numbers that are really connected to.

A name is resolved once, every number is judged, and one of these very numbers is connected to, so that a name that
answers differently the second time (DNS rebinding) leads nowhere.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore

from index.errors import ArticleError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_address(address: str) -> str:
    """The address in the form it is asked in, without a fragment.

    Raises:
        ArticleError: it is none of the web's, or holds a user name or a password.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ArticleError(f"is no address that can be read ({exc})") from exc
    if parts.scheme.lower() not in {"http", "https"}:
        raise ArticleError("is no http:// or https:// address")
    if not host or port == 0 or any(ord(letter) <= 32 or ord(letter) == 127 for letter in address.strip()):
        raise ArticleError("is no address that can be read")
    if parts.username is not None or parts.password is not None:
        raise ArticleError("holds a user name or password; addresses are kept, so secrets must not be in them")
    return parts._replace(scheme=parts.scheme.lower(), fragment="").geturl()


def is_public(number: Address) -> bool:
    """Whether a number is one of the open internet's, with what may be wrapped in it."""
    if isinstance(number, ipaddress.IPv6Address):
        inner = [number.ipv4_mapped, number.sixtofour, *(number.teredo or ())]
        if number in _NAT64:
            inner.append(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF))
        if any(one is not None and not is_public(one) for one in inner):
            return False
    return number.is_global and not number.is_multicast and not number.is_reserved


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections to public addresses alone, and reads from them until a moment and no longer."""

    def __init__(self, *, allow_private: bool, until: float) -> None:
        """Connect until the moment `until` of `time.monotonic`."""
        self._allow_private = allow_private
        self._until = until
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to one of the numbers that `host` stands for."""
        numbers = [number for number in _resolve(host, port) if self._allow_private or is_public(number)]
        if not numbers:
            raise ArticleError(
                "leads to a private, local or reserved address; set BYLINE_FETCH_PRIVATE=true where that is meant"
            )
        for number in numbers[:-1]:
            try:
                return self._connect(number, port, timeout, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(numbers[-1], port, timeout, socket_options)

    def _connect(
        self, number: Address, port: int, timeout: float | None, socket_options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        left = _left(self._until, timeout)
        stream = self._inner.connect_tcp(str(number), port, timeout=left, socket_options=socket_options)
        return _TimedStream(stream, self._until)


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends at one moment: a server that sends a byte a second would never time out."""

    def __init__(self, inner: httpcore.NetworkStream, until: float) -> None:
        self._inner = inner
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, timeout=_left(self._until, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=_left(self._until, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._until, timeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, timeout=left), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(until: float, timeout: float | None) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time allowed is over")
    return left if timeout is None else min(left, timeout)


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise ArticleError(f"has no server of that name ({host})") from exc
    # A link-local number carries its interface behind a percent sign.
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
