"""Asking through the page that runs and owns the index, since two processes on one embedded Chroma destroy it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from index.errors import InternalError, ModelUnreachableError, UserError
from index.ownership import page_here
from index.sessions import local_session
from index.settings import Settings
from rag.answers import Answer, from_json
from rag.conversation import Turn
from rag.filters import Filter

_PROBE_SECONDS = 2.0
_ANSWER_SECONDS = 600.0


class RunningPage:
    """A page on this machine that answers questions."""

    def __init__(self, url: str, *, home: Path | None = None) -> None:
        """Ask at `url`; the page's `home`, where it can be read, shows that we are of this machine."""
        self.url = url
        # The machine's proxy settings are for other hosts.
        timeout = httpx.Timeout(_PROBE_SECONDS, read=_ANSWER_SECONDS)
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._home = home

    def is_alive(self) -> bool:
        """Whether a page answers at the address; a process that died leaves its address behind."""
        try:
            return self._client.get("/healthz", timeout=_PROBE_SECONDS).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def ask(self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None) -> Answer:
        """The answer, as far as its JSON holds it.

        Raises:
            BylineError: the page does not answer, or says why it cannot.
        """
        turns = [
            {"role": turn.role, "content": turn.content, **({"usage": dict(turn.usage)} if turn.usage else {})}
            for turn in history
        ]
        asked = {"question": question, "history": turns, **({"among": asdict(among)} if among else {})}
        return from_json(self._send("POST", "/api/ask", json=asked))

    def search(self, question: str, among: Filter) -> dict[str, Any]:
        """The passages found for a question, as JSON.

        Raises:
            BylineError: the page does not answer, or says why it cannot.
        """
        days = {"from": among.since, "to": among.until}
        wanted = {"q": question, "outlet": list(among.outlets), **{name: day for name, day in days.items() if day}}
        return self._send("GET", "/api/search", params=wanted)

    def article(self, article_id: str) -> dict[str, Any]:
        """An article, as JSON.

        Raises:
            BylineError: the page does not answer, or has no such article.
        """
        return self._send("GET", f"/api/articles/{quote(article_id)}")

    def _send(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            reply = self._client.request(method, path, headers=self._headers(), **request)
            body = reply.json()
        except httpx.HTTPError as exc:
            raise ModelUnreachableError(
                f"The page at {self.url} does not answer ({exc}); is it still running?"
            ) from exc
        except json.JSONDecodeError as exc:
            raise InternalError(f"What answers at {self.url} is not Byline's page; stop it and try again.") from exc
        if reply.is_error or not isinstance(body, dict):
            reason = body.get("error") if isinstance(body, dict) else None
            raise UserError(f"The page at {self.url} says: {reason or f'HTTP {reply.status_code}'}")
        return body

    def _headers(self) -> dict[str, str]:
        session = local_session(self._home) if self._home else ""
        return {"Authorization": f"Bearer {session}"} if session else {}

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


def find_running_page(settings: Settings) -> RunningPage | None:
    """The page that owns the index of `settings`, where one is running on this machine."""
    url = page_here(settings)
    if url is None:
        return None
    page = RunningPage(url, home=settings.home)
    if page.is_alive():
        return page
    page.close()
    return None
