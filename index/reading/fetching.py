"""Fetching of pages and feeds: few, slowly, with bounds on time, size and redirects, and as robots.txt allows."""

import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urljoin, urlsplit

import httpcore

from index.errors import ArticleError
from index.reading.addresses import CheckedBackend, check_address
from index.reading.robots import Rules, read_rules

_MAX_REDIRECTS = 5
_MAX_ROBOTS_BYTES = 500_000
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 15.0
_TOTAL_SECONDS = 60.0
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 10.0
_ACCEPT = "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/xml;q=0.9,*/*;q=0.8"


def user_agent() -> str:
    """What Byline says it is."""
    try:
        return f"Byline/{version('byline')} (reads the news pages that its user names)"
    except PackageNotFoundError:  # started from its folder, not installed
        return "Byline (reads the news pages that its user names)"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server answered.

    Attributes:
        address: where it was found in the end.
        data: its bytes, unpacked.
        kind: media type in lower case, or an empty string.
        encoding: the one that the server names, or an empty string.
    """

    address: str
    data: bytes
    kind: str
    encoding: str


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: dict[str, str]
    data: bytes


class Fetcher:
    """Fetches addresses for one run: keeps each server's rules, and pauses between two requests to one server."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        max_bytes: int = 50_000_000,
        total_seconds: float = _TOTAL_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is opened before the first request.

        Args:
            allow_private: whether private, local and reserved addresses may be asked too.
            max_bytes: most bytes of an answer, unpacked.
            total_seconds: longest time for one address, with its redirects.
            pause_seconds: shortest time between two requests to one server.
            ssl_context: which servers are believed; the system's own list where left out.
        """
        self._allow_private = allow_private
        self._max_bytes = max_bytes
        self._total_seconds = total_seconds
        self._pause_seconds = pause_seconds
        self._ssl = ssl_context
        self._rules: dict[str, Rules | ArticleError] = {}
        self._asked: dict[str, float] = {}

    def fetch(self, address: str) -> Fetched:
        """Fetch one address.

        Raises:
            ArticleError: it may not or cannot be fetched; the message is the reason alone, without the address.
        """
        at = check_address(address)
        until = time.monotonic() + self._total_seconds
        met = []
        while True:
            self._may_fetch(at, until)
            reply = self._get(at, until, self._max_bytes)
            if reply.status not in {301, 302, 303, 307, 308}:
                break
            met.append(at)
            at = _next(at, reply, met)
        if reply.status != HTTPStatus.OK:
            raise ArticleError(f"the server answers {_status(reply.status)}")
        kind, _, parameters = reply.headers.get("content-type", "").partition(";")
        encoding = parameters.lower().partition("charset=")[2].split(";")[0].strip(" \"'")
        return Fetched(at, reply.data, kind.strip().lower(), encoding)

    # --- robots.txt -----------------------------------------------------------------------------------------------

    def _may_fetch(self, address: str, until: float) -> None:
        parts = urlsplit(address)
        server = f"{parts.scheme}://{parts.netloc}"
        if server not in self._rules:
            try:
                self._rules[server] = self._fetch_rules(server, until)
            except ArticleError as exc:
                self._rules[server] = exc
        rules = self._rules[server]
        if isinstance(rules, ArticleError):
            raise rules
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not rules.allow(target):
            raise ArticleError("the site's robots.txt does not allow it")
        self._pause(server, rules.delay_seconds)

    def _fetch_rules(self, server: str, until: float) -> Rules:
        """A server's rules (RFC 9309): none where it has no such file, everything forbidden where it is broken."""
        at, met = f"{server}/robots.txt", []
        while (reply := self._get(at, until, _MAX_ROBOTS_BYTES, cut=True)).status in {301, 302, 303, 307, 308}:
            met.append(at)
            at = _next(at, reply, met)
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ArticleError(f"the server answers {_status(reply.status)} when asked for its robots.txt")
        return read_rules(reply.data if reply.status == HTTPStatus.OK else b"")

    def _pause(self, server: str, asked_for: float) -> None:
        pause = max(self._pause_seconds, min(asked_for, _LONGEST_PAUSE_SECONDS)) if self._pause_seconds else 0.0
        left = self._asked.get(server, 0.0) + pause - time.monotonic()
        if server in self._asked and left > 0:
            time.sleep(left)
        self._asked[server] = time.monotonic()

    # --- one request ----------------------------------------------------------------------------------------------

    def _get(self, address: str, until: float, max_bytes: int, *, cut: bool = False) -> _Reply:
        """One answer; `cut` says whether what is too long is cut instead of refused."""
        headers: Mapping[bytes | str, bytes | str] = {
            "Host": urlsplit(address).netloc.rpartition("@")[2],
            "User-Agent": user_agent(),
            "Accept": _ACCEPT,
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        timeouts = {"connect": _CONNECT_SECONDS, "read": _SILENCE_SECONDS, "write": _SILENCE_SECONDS, "pool": 5.0}
        backend = CheckedBackend(allow_private=self._allow_private, until=until)
        with (
            _as_reasons(),
            httpcore.ConnectionPool(ssl_context=self._ssl, network_backend=backend, max_connections=1) as pool,
            pool.stream("GET", address, headers=headers, extensions={"timeout": timeouts}) as response,
        ):
            found = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in response.headers}
            if response.status != HTTPStatus.OK:
                return _Reply(response.status, found, b"")
            told = found.get("content-length", "")
            if not cut and told.isdigit() and int(told) > max_bytes:
                raise _too_large(max_bytes)
            data = bytearray()
            for piece in _unpacked(response.iter_stream(), found.get("content-encoding", "")):
                data += piece
                if len(data) > max_bytes:
                    if cut:
                        break
                    raise _too_large(max_bytes)
            return _Reply(response.status, found, bytes(data[:max_bytes]))


def _too_large(max_bytes: int) -> ArticleError:
    return ArticleError(f"is larger than {max_bytes // 1_000_000} MB, too large for one article")


def _unpacked(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The bytes as they were before packing, in small pieces: a few packed bytes can hold gigabytes."""
    names = [name.strip().lower() for name in encoding.split(",") if name.strip() not in {"", "identity"}]
    if not names:
        yield from pieces
        return
    if names not in (["gzip"], ["x-gzip"], ["deflate"]):
        raise ArticleError(f"comes packed in a way that was not asked for ({encoding[:40]})")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, as its head says
    try:
        for piece in pieces:
            rest = piece
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, 1_000_000)
                rest = unpacker.unconsumed_tail
    except zlib.error as exc:
        raise ArticleError("comes damaged from its server") from exc


def _next(address: str, reply: _Reply, met: list[str]) -> str:
    """Where a redirect leads."""
    target = reply.headers.get("location", "")
    if not target:
        raise ArticleError(f"the server answers {_status(reply.status)} and does not say where to")
    following = check_address(urljoin(address, target))
    if following in met:
        raise ArticleError("leads in a circle of redirects")
    if len(met) > _MAX_REDIRECTS:
        raise ArticleError(f"leads through more than {_MAX_REDIRECTS} redirects")
    return following


def _status(code: int) -> str:
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


@contextmanager
def _as_reasons() -> Iterator[None]:
    """What goes wrong on the way, in words for the user."""
    try:
        yield
    except httpcore.TimeoutException as exc:
        raise ArticleError("the server is too slow; nothing was read") from exc
    except ssl.SSLError as exc:
        raise ArticleError(f"its server cannot be trusted ({exc.reason})") from exc
    except httpcore.ConnectError as exc:
        if "CERTIFICATE" in str(exc).upper() or "SSL" in str(exc).upper():
            raise ArticleError(f"its server cannot be trusted ({exc})") from exc
        raise ArticleError(f"no server answers ({exc})") from exc
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as exc:
        raise ArticleError(f"the connection broke ({exc})") from exc
