"""Pacing: a growing text is passed on in steps, so that a fast model does not send the whole text with every token."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from rag.events import Answered, Event, TextSoFar

UPDATE_SECONDS: Final = 0.06
"""Shortest time between two updates of a growing answer."""

SILENCE_SECONDS: Final = 15.0
"""Longest silence on a stream: proxies close one that says nothing for a minute."""


async def paced(events: AsyncIterator[Event], *, seconds: float) -> AsyncGenerator[Event, None]:
    """The same events, a growing text at most every `seconds`; only a text that a later one replaces is left out."""
    pending: list[Event] = []
    arrived = asyncio.Event()

    async def collect() -> None:
        try:
            async for event in events:
                if pending and isinstance(pending[-1], TextSoFar) and isinstance(event, TextSoFar | Answered):
                    pending.pop()
                pending.append(event)
                arrived.set()
        finally:
            arrived.set()

    collecting = asyncio.create_task(collect())
    try:
        last = 0.0
        while not collecting.done() or pending:
            await arrived.wait()
            arrived.clear()
            if pending and isinstance(pending[0], TextSoFar) and not collecting.done():
                await asyncio.sleep(max(0.0, last + seconds - time.monotonic()))
            while pending:
                last = time.monotonic()
                yield pending.pop(0)
            if collecting.done():
                arrived.set()
        await collecting
    finally:
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)


async def with_signs_of_life(
    events: AsyncGenerator[Event, None], *, seconds: float = SILENCE_SECONDS
) -> AsyncGenerator[Event | None, None]:
    """The same events, and None whenever there was none for `seconds`."""
    coming: asyncio.Task[Event] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(events))
            done, _ = await asyncio.wait({coming}, timeout=seconds)
            if not done:
                yield None
                continue
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield event
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()


async def _next(events: AsyncGenerator[Event, None]) -> Event:
    return await anext(events)
