"""The desk: takes the questions of programs, through whichever door they come, within one rate and one line."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request

from index.errors import InternalError
from rag.answers import Answer
from rag.api.engine import Answering, ArticleSource
from rag.conversation import Turn
from rag.events import Answered, Event
from rag.filters import Filter
from rag.limits import Rate
from rag.retrieval import ScoredPassage
from rag.waiting import Line

_LOOK_SECONDS = 0.5  # how often to look whether who asked is still there

Result = TypeVar("Result")


class Desk:
    """Asks one engine on behalf of many clients."""

    def __init__(self, engine: Answering, *, rate: Rate | None = None, line: Line | None = None) -> None:
        """Ask `engine`; without a rate each client may ask as much as it likes."""
        self._engine = engine
        self._rate = rate or Rate(None)
        self._line = line or Line()

    @property
    def store(self) -> ArticleSource:
        """The articles that are asked."""
        return self._engine.store

    def admit(self, client: str) -> None:
        """Count a question of a client, before it is asked.

        Raises:
            RateError: it may not ask now.
            CrowdedError: nobody may.
        """
        self._rate.take(client)
        self._line.check()

    async def stream(
        self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None
    ) -> AsyncGenerator[Event, None]:
        """What happens while the question is answered, once it is its turn."""
        with self._line.place() as place:
            await place.turn()
            async with aclosing(self._engine.stream(question, history, among=among)) as events:
                async for event in events:
                    yield event

    async def answer(self, question: str, history: Sequence[Turn] = (), *, among: Filter | None = None) -> Answer:
        """The answer: what the stream ends with."""
        async with aclosing(self.stream(question, history, among=among)) as events:
            async for event in events:
                if isinstance(event, Answered):
                    return event.answer
        raise InternalError("The answer's stream ended without an answer.")

    async def search(self, question: str, *, among: Filter | None = None) -> tuple[Sequence[ScoredPassage], str]:
        """The passages found for a question, best first, and what must be said of the filter."""
        with self._line.place() as place:
            await place.turn()
            return await self._engine.search(question, among=among)


async def while_connected(request: Request, asking: Coroutine[Any, Any, Result]) -> Result:
    """What `asking` comes to; it is stopped where whoever asked is gone, and the model's server with it."""
    task = asyncio.create_task(asking)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK_SECONDS)
            if not task.done() and await request.is_disconnected():
                break
        if not task.done():
            raise asyncio.CancelledError("The client is gone.")
        return task.result()
    finally:
        task.cancel()
