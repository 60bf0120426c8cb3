"""Handing over: what a command would do to the index, the page that owns it does, and says how far it is.

Two processes on one embedded Chroma destroy it, so a command asks the page's door on this machine; it shows that it can
read the page's home. Files and folders are read by the page; what was fetched from the web goes to it in a file.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from index.articles import Article, Skipped
from index.errors import InternalError, StoreError, UserError
from index.ownership import is_owned, page_here
from index.reading.places import Item, Place, is_address
from index.sessions import local_session
from index.settings import Settings
from index.updating import BuildReport

DOOR = "/page/index"
"""Where the page takes what is handed over."""

_CONNECT_SECONDS = 5.0
# Between two lines of progress a model may embed a few long articles, on a machine that has much else to do.
_SILENCE_SECONDS = 900.0


class Owner:
    """The page that owns the index: does what it is handed."""

    def __init__(self, url: str, home: Path) -> None:
        """Speak to the page at `url`, whose home is `home`."""
        self._url = url
        self._home = home

    def add(
        self,
        places: Iterable[Place],
        *,
        fields: Mapping[str, str] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> BuildReport:
        """Have places indexed; those of the web have to be read ahead.

        Raises:
            BylineError: as adding does, or the page stopped before it was done.
        """
        with tempfile.TemporaryDirectory(prefix="handed-", dir=self._home) as folder:
            given = []
            for number, place in enumerate(places):
                if is_address(place.name):
                    file = Path(folder) / f"{number}.jsonl"
                    write_place(place, file)
                    given.append({"file": str(file.absolute())})
                else:
                    given.append({"path": str(Path(place.name).absolute())})
            for told in self._lines("/add", {"places": given, "fields": dict(fields or {})}):
                if "report" in told:
                    return BuildReport.from_json(told["report"])
                if "error" in told:
                    raise (UserError if told["code"] == UserError.exit_code else InternalError)(told["error"])
                if on_progress:
                    on_progress(told["done"], told["total"])
        raise self._stopped()

    def remove(self, article_ids: Sequence[str]) -> BuildReport:
        """Have articles taken out.

        Raises:
            BylineError: as removing does, or the page stopped before it was done.
        """
        return BuildReport.from_json(self._ask("POST", "/remove", {"article_ids": list(article_ids)}))

    def forget(self, article_ids: Sequence[str] | None) -> int:
        """Have earlier versions dropped; returns how many passages that were."""
        return int(self._ask("POST", "/forget", {"article_ids": article_ids and list(article_ids)})["passages"])

    def articles(self) -> list[dict[str, Any]]:
        """How the index lists every article (`index.status.list_facts`)."""
        return list(self._ask("GET", "/list")["articles"])

    def facts(self) -> dict[str, Any]:
        """See `index.status.index_facts`."""
        return self._ask("GET", "/status")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        with self._reply(method, path, body) as reply:
            return _object(reply.read())

    def _lines(self, path: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        with self._reply("POST", path, body) as reply:
            for line in reply.iter_lines():
                yield _object(line)

    @contextmanager
    def _reply(self, method: str, path: str, body: Mapping[str, Any] | None) -> Iterator[httpx.Response]:
        word = {"Authorization": f"Bearer {local_session(self._home)}"}
        timeout = httpx.Timeout(_CONNECT_SECONDS, read=_SILENCE_SECONDS)
        try:
            # The machine's proxy settings are for other hosts.
            with (
                httpx.Client(timeout=timeout, trust_env=False) as client,
                client.stream(method, f"{self._url}{DOOR}{path}", json=body, headers=word) as reply,
            ):
                if reply.is_error:
                    told = _object(reply.read()).get("error") or f"HTTP {reply.status_code}"
                    kind = InternalError if reply.status_code == httpx.codes.INTERNAL_SERVER_ERROR else UserError
                    raise kind(str(told))
                yield reply
        except httpx.HTTPError as exc:
            raise self._stopped() from exc

    def _stopped(self) -> InternalError:
        return InternalError(
            f"The page at {self._url}, which owns the index, stopped answering; run the command again, "
            "what is done already is not done twice."
        )


def find_owner(settings: Settings) -> Owner | None:
    """The page that owns the index of `settings`, where one is running on this machine."""
    url = page_here(settings)
    if url is None or not is_owned(settings.home):
        return None
    try:
        answers = httpx.get(f"{url}/healthz", timeout=_CONNECT_SECONDS, trust_env=False).status_code
    except httpx.HTTPError:
        return None
    return Owner(url, settings.home) if answers == httpx.codes.OK else None


def _object(line: str | bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError as exc:
        raise InternalError("What owns the index is not a page of this Byline; stop it and try again.") from exc
    if not isinstance(told, dict):
        raise InternalError("What owns the index is not a page of this Byline; stop it and try again.")
    return told


def write_place(place: Place, file: Path) -> None:
    """Write a place with all it holds, a line for the place and one for each item."""
    with file.open("w", encoding="utf-8") as lines:
        lines.write(json.dumps({"name": place.name, "origin": place.origin, "whole": place.whole}) + "\n")
        for item in place.items:
            read = [
                {"skipped": one._asdict()} if isinstance(one, Skipped) else {"article": asdict(one)}
                for one in item.read()
            ]
            lines.write(json.dumps({"name": item.name, "article_id": item.article_id, "read": read}) + "\n")


def read_place(file: Path) -> Place:
    """What `write_place` wrote.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        head, *rest = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        items = tuple(
            Item(one["name"], one["article_id"], None, partial(iter, tuple(map(_read, one["read"])))) for one in rest
        )
        return Place(head["name"], head["origin"], bool(head["whole"]), items)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise StoreError(f"{file}: what was handed over cannot be read ({exc}).") from exc


def _read(written: Mapping[str, Any]) -> Article | Skipped:
    return Skipped(**written["skipped"]) if "skipped" in written else Article(**written["article"])
