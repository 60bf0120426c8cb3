"""Clients that ask and note when something comes: of a model's server, of `/api/ask`, of the page's queue."""

import json
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from eval.load_model import MODEL, OPENING
from index.errors import BylineError

Turn = dict[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one asker saw; times on the machine's monotonic clock.

    Attributes:
        asked: when the question was sent.
        updates: when each piece or each new state of the text came.
        ended: when the stream was at its end.
    """

    asked: float
    updates: tuple[float, ...]
    ended: float

    @property
    def first_ms(self) -> float:
        """From the question to the first text."""
        return (self.updates[0] - self.asked) * 1000

    @property
    def gaps_ms(self) -> list[float]:
        """Between updates."""
        return [(after - before) * 1000 for before, after in zip(self.updates, self.updates[1:], strict=False)]


class Asker(Protocol):
    """Asks one question and watches its answer."""

    async def __call__(self, question: str, history: Sequence[Turn] = ()) -> Seen:
        """What was seen."""


def direct_asker(client: httpx.AsyncClient, model_url: str) -> Asker:
    """Asks the model's server without Byline."""

    async def ask(question: str, history: Sequence[Turn] = ()) -> Seen:
        messages = [*history, {"role": "user", "content": f"Text: {question}"}]
        body = {"model": MODEL, "stream": True, "messages": messages}
        return await _watch(client, f"{model_url}/v1/chat/completions", body, '"content"')

    return ask


def door_asker(client: httpx.AsyncClient, page_url: str) -> Asker:
    """Asks `/api/ask` for a stream."""

    async def ask(question: str, history: Sequence[Turn] = ()) -> Seen:
        body = {"question": question, "history": list(history), "stream": True}
        return await _watch(client, f"{page_url}/api/ask", body, "event: text", last="event: answer")

    return ask


async def page_asker(client: httpx.AsyncClient, page_url: str) -> Asker:
    """Asks as the page's script does, by Gradio's queue."""
    config = (await client.get(f"{page_url}/config")).json()
    box = next(one["id"] for one in config["components"] if one["props"].get("elem_id") == "byline-question")
    asking = next(one["id"] for one in config["dependencies"] if [box, "submit"] in map(list, one["targets"]))
    prefix = page_url + config.get("api_prefix", "/gradio_api")

    async def ask(question: str, history: Sequence[Turn] = ()) -> Seen:
        session = secrets.token_hex(6)
        shown = [{"role": turn["role"], "content": [{"type": "text", "text": turn["content"]}]} for turn in history]
        body = {"data": [question, shown, ""], "fn_index": asking, "trigger_id": box, "session_hash": session}
        asked = time.monotonic()
        joined = await client.post(f"{prefix}/queue/join", json=body)
        if joined.status_code != 200:
            raise BylineError(f"The page's queue answers {joined.status_code}: {joined.text[:200]}")
        # Of a growing message the first state is whole, the others are what is new in them.
        started = False
        updates = []
        async for line in _lines(client, "GET", f"{prefix}/queue/data", params={"session_hash": session}):
            message = json.loads(line[6:]) if line.startswith("data: ") else {}
            if message.get("msg") == "process_generating":
                started = started or OPENING in line
                if started:
                    updates.append(time.monotonic())
            elif message.get("msg") in {"process_completed", "close_stream"}:
                if not message.get("success", True):
                    raise BylineError(f"The page failed: {line[:300]}")
                break
        return _seen(asked, updates)

    return ask


async def _watch(client: httpx.AsyncClient, url: str, body: dict[str, Any], mark: str, *, last: str = "") -> Seen:
    """Post, and note each line that has `mark`; the one with `last` must come."""
    asked = time.monotonic()
    updates = []
    complete = not last
    async for line in _lines(client, "POST", url, json=body):
        if mark in line:
            updates.append(time.monotonic())
        complete = complete or last in line
    if not complete:
        raise BylineError(f"{url} ended without an answer.")
    return _seen(asked, updates)


def _seen(asked: float, updates: list[float]) -> Seen:
    if not updates:
        raise BylineError("No text came; is the question one that the articles answer?")
    return Seen(asked, tuple(updates), time.monotonic())


async def _lines(client: httpx.AsyncClient, method: str, url: str, **arguments: Any) -> AsyncGenerator[str, None]:
    async with client.stream(method, url, **arguments) as response:
        if response.status_code != 200:
            text = (await response.aread()).decode(errors="replace")
            raise BylineError(f"{url} answers {response.status_code}: {text[:200]}")
        async for line in response.aiter_lines():
            yield line
