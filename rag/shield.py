"""What stands around every HTTP exchange: who may send, how much, and what a page may load.

Pure ASGI: streams pass through untouched; only HTML is held back, to give its scripts the nonce of the policy.
"""

import ipaddress
import json
import re
import secrets
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.proxies import Proxies, inner_path

MAX_BODY_BYTES: Final = 1024 * 1024
"""Largest request body; a whole conversation of the page is far below it."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_SCRIPT: Final = re.compile(rb"<script(?=[\s>])", re.IGNORECASE)
# Parts of Gradio that the page does not use: it takes no files through Gradio and fetches nothing for anybody.
_CLOSED: Final = re.compile(
    r"/gradio_api/(?:upload|proxy=|stream/|component_server|process_recording|run-history|vibe|undo-vibe|deep_link|mcp|openapi)"
    r"|/(?:monitoring|runs|docs|redoc|openapi\.json)(?:/|$)"
)
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    # Without any referrer a browser does not say either which page a form is sent from, and the login would be refused.
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class Shield:
    """Middleware that refuses foreign pages and answers HTML with a content security policy.

    A request that changes or asks something is refused when a page of another origin sends it. On a loopback address
    the host it names has to be this machine's too: a name that merely points here belongs to somebody else's page.
    What a trusted proxy says of the client holds for everything inside.
    """

    def __init__(
        self, app: ASGIApp, *, local_only: bool, hosts: Collection[str] = (), proxies: Proxies | None = None
    ) -> None:
        """Wrap `app`.

        Args:
            app: what answers.
            local_only: the server listens on a loopback address.
            hosts: more names that the server is addressed by; where any are given, no others.
            proxies: those in front.
        """
        self._app = app
        self._names_matter = local_only or bool(hosts)
        self._hosts = {host.lower() for host in hosts}
        self._proxies = proxies or Proxies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse an exchange, or pass it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # The name as it came, whatever a proxy says: a foreign page could say it too.
        if not self._is_ours(_host(headers.get("host", ""))):
            await _refuse(
                send, 421, "This server does not answer under this name: open 127.0.0.1, or add it to BYLINE_HOSTS."
            )
            return
        own = {headers.get("host", "").lower(), self._proxies.public_host(scope).lower()} - {""}
        scope = self._proxies.look_through(scope)
        if scope["method"] not in {"GET", "HEAD", "OPTIONS"} and _from_elsewhere(headers, own):
            await _refuse(send, 403, "Requests from another site are refused.")
        elif _CLOSED.match(inner_path(scope)):
            await _refuse(send, 403, "This is not open here.")
        elif _announced_bytes(headers) > MAX_BODY_BYTES:
            await _refuse(send, 413, f"The request is larger than {MAX_BODY_BYTES} bytes.")
        else:
            body = _Body(receive, send)
            try:
                await self._app(scope, body.receive, _Page(body.send).send)
            except ClientDisconnect:
                if not body.refused:
                    raise

    def _is_ours(self, host: str) -> bool:
        return not self._names_matter or host in self._hosts or is_loopback(host)


class _Body:
    """Counts what arrives and cuts off a body that turns out larger than it may be.

    Attributes:
        refused: True once it was too large and the client has been told.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._bytes = 0
        self._answered = False
        self.refused = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            if self._bytes > MAX_BODY_BYTES:
                if not self._answered and not self.refused:
                    self.refused = True
                    await _refuse(self._send, 413, f"The request is larger than {MAX_BODY_BYTES} bytes.")
                return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if not self.refused:
            self._answered = True
            await self._send(message)


class _Page:
    """Adds the headers; holds HTML back until it is whole and puts the nonce on its scripts."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            # A page that brings a policy of its own is not one of ours: its scripts get no nonce.
            own_policy = "content-security-policy" in headers
            if headers.get("content-type", "").startswith("text/html") and not own_policy:
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body", False):
                return
            await self._send_html(self._start)
            return
        await self._send(message)

    async def _send_html(self, start: Message) -> None:
        nonce = secrets.token_urlsafe(16)
        headers = MutableHeaders(scope=start)
        headers["content-security-policy"] = _POLICY.format(nonce=nonce)
        headers["cache-control"] = "no-store"
        body = _SCRIPT.sub(b'<script nonce="' + nonce.encode() + b'"', self._body)
        if "content-length" in headers and body:
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _host(value: str) -> str:
    """The host of a Host header, without its port."""
    try:
        return urlsplit(f"//{value}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a name or address of a host means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _from_elsewhere(headers: Headers, own: Collection[str]) -> bool:
    """Whether a browser says that a page of another origin than our `own` sends this; programs say nothing and may."""
    if headers.get("sec-fetch-site", "same-origin") in {"cross-site", "same-site"}:
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() not in own
    except ValueError:
        return True


def _announced_bytes(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


async def _refuse(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
