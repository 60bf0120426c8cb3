"""Access: a name and a password before anything else, where BYLINE_AUTH asks for them; for pages and programs alike.

A browser logs in on a page and keeps a cookie; a program sends Basic authentication, or a bearer token NAME:PASSWORD.
A command line beside the server shows that it can read the server's home instead.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import parse_qs, quote, urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import RateError
from index.sessions import SESSION_SECONDS, THIS_MACHINE, is_session, make_session, name_in
from rag.api.openai_protocol import openai_error
from rag.limits import Rate, client_of
from rag.passwords import PasswordHash
from rag.proxies import inner_path

GUESSES_PER_MINUTE: Final = 10
"""Most wrong passwords of one client."""

_OPEN: Final = frozenset({"/healthz", "/login"})
_TEMPLATE: Final = Path(__file__).parent / "login.html"
_NEXT: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_LONGEST: Final = 1000  # of a name and password
_MOST_KNOWN: Final = 1000


class Access:
    """Middleware that lets in who can show who it is; the name is then in the request's state as `byline_user`."""

    def __init__(self, app: ASGIApp, *, users: Mapping[str, PasswordHash], key: bytes) -> None:
        """Guard `app`; without `users` everybody may come in."""
        self._app = app
        self._users = users
        self._key = key
        self._cookie = f"byline_{hashlib.sha256(key).hexdigest()[:8]}"  # two servers of one machine share its cookies
        self._guesses = Rate(GUESSES_PER_MINUTE, what="wrong passwords")
        self._known: OrderedDict[bytes, str] = OrderedDict()
        # An unknown name takes as long as a known one, and no password fits it.
        self._nobody = [replace(one, key=secrets.token_bytes(32)) for one in users.values()][:1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say how to get in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            user = await self._user_of(scope)
        except RateError as exc:
            await _refusal(scope, 429, str(exc), {"Retry-After": str(exc.retry_seconds)})(scope, receive, send)
            return
        if user:
            scope.setdefault("state", {})["byline_user"] = user
        path = inner_path(scope)
        if self._users and path in {"/login", "/logout"}:
            response = await self._log(path, Request(scope, receive), user)
            await response(scope, receive, send)
        elif user or not self._users or path in _OPEN:
            await self._app(scope, receive, send)
        else:
            await _ask_who(scope)(scope, receive, send)

    async def _user_of(self, scope: Scope) -> str:
        """Who sends a request; empty where it does not show it.

        Raises:
            RateError: its client tried too many wrong passwords.
        """
        headers = Headers(scope=scope)
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and is_session(value.strip(), THIS_MACHINE, key=self._key):
            return THIS_MACHINE
        if not self._users:
            return ""
        if credentials := _credentials(kind, value.strip()):
            return await self._check(*credentials, client=client_of(scope))
        session = _cookie(headers, self._cookie)
        name = name_in(session)
        stored = self._users.get(name)
        good = stored is not None and is_session(session, name, key=self._key, stored=str(stored))
        return name if good else ""

    async def _check(self, name: str, password: str, *, client: str) -> str:
        """The name, where the password is its own; each wrong one counts."""
        stored = self._users.get(name)
        # A program sends its password with every request: what fitted once is known again by its digest.
        digest = hmac.new(self._key, f"{name}\0{password}\0{stored}".encode(errors="replace"), hashlib.sha256).digest()
        if digest in self._known:
            return name
        self._guesses.check(client)
        fits = await asyncio.to_thread((stored or self._nobody[0]).fits, password)
        if stored is None or not fits:
            self._guesses.take(client)
            return ""
        self._known[digest] = name
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return name

    async def _log(self, path: str, request: Request, user: str) -> Response:
        """Log somebody in or out."""
        root = request.scope.get("root_path", "")
        place = root or "/"
        if path == "/logout":
            response: Response = RedirectResponse(f"{root}/login", 303)
            if request.method == "POST":
                response.delete_cookie(self._cookie, path=place)
            return response
        if request.method != "POST":
            return _page(root, user, _safe_next(request.query_params.get("next", "/")))
        try:
            form = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=10)
        except ValueError:  # more fields than the page has
            form = {}
        name, password, following = (form.get(field, [""])[0][:_LONGEST] for field in ("name", "password", "next"))
        following = _safe_next(following)
        try:
            known = await self._check(name, password, client=client_of(request.scope))
        except RateError as exc:
            return _page(root, user, following, wrong=str(exc), status=429)
        if not known:
            return _page(root, user, following, wrong="Name or password is wrong.", status=401)
        session = make_session(name, key=self._key, stored=str(self._users[name]), seconds=SESSION_SECONDS)
        response = RedirectResponse(root + quote(following, safe="/?&=%#:+,;@!$'()*~.-_"), 303)
        secure = request.scope["scheme"] == "https"
        response.set_cookie(
            self._cookie, session, max_age=SESSION_SECONDS, path=place, httponly=True, samesite="lax", secure=secure
        )
        return response


def _credentials(kind: str, value: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header."""
    if not value or len(value) > 2 * _LONGEST:
        return None
    if kind.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            return None
    elif kind.lower() != "bearer":
        return None
    name, colon, password = value.partition(":")
    return (name, password) if colon else None


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")[:10_000]).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _safe_next(path: str) -> str:
    """Where to go after logging in: a place of this server, never another's."""
    return path if _NEXT.fullmatch(path) else "/"


def _ask_who(scope: Scope) -> Response:
    """What somebody unknown gets: a browser the page to log in, a program an error."""
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    if scope["method"] == "GET" and wants_page:
        query = scope.get("query_string", b"").decode("latin-1")
        asked = inner_path(scope) + (f"?{query}" if query else "")
        return RedirectResponse(f"{scope.get('root_path', '')}/login?{urlencode({'next': asked})}", 303)
    message = "Say who you are: Basic authentication, or a bearer token NAME:PASSWORD; a browser opens the page first."
    # `Basic` would have a browser put up a window of its own for a script's request.
    return _refusal(scope, 401, message, {"WWW-Authenticate": 'Bearer realm="Byline"'})


def _refusal(scope: Scope, status: int, message: str, headers: Mapping[str, str]) -> Response:
    """An error in the form of the door that was knocked at."""
    body = openai_error(status, message) if inner_path(scope).startswith("/v1/") else {"error": message}
    return JSONResponse(body, status, dict(headers))


def _page(root: str, user: str, following: str, *, wrong: str = "", status: int = 200) -> Response:
    told = f'<p role="alert" class="wrong">{escape(wrong)}</p>' if wrong else ""
    known = ""
    if user:
        known = (
            f'<form method="post" action="{escape(root)}/logout"><p>You are {escape(user)}. '
            '<button class="quiet">Log out</button></p></form>'
        )
    page = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        action=escape(f"{root}/login"), following=escape(following), told=told, known=known
    )
    return HTMLResponse(page, status)
