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


_UNHURRIED: Final = 8
"""So many texts may grow at the same time before each is passed on in longer steps."""
_paced: Final[set[object]] = set()  # the streams that are read now


def step_seconds(seconds: float) -> float:
    """How long a step is that takes `seconds` where few texts grow."""
    return seconds * max(1.0, len(_paced) / _UNHURRIED)


async def paced(events: AsyncIterator[Event], *, seconds: float) -> AsyncGenerator[Event, None]:
    """The same events, a growing text at most every `seconds`; only a text that a later one replaces is left out.

    The first text never waits. With many streams at the same time the steps are longer, so that the processor is free
    for those who wait for their first text.
    """
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
    _paced.add(collecting)
    try:
        last = 0.0
        while not collecting.done() or pending:
            await arrived.wait()
            arrived.clear()
            if pending and isinstance(pending[0], TextSoFar) and not collecting.done():
                await asyncio.sleep(last + step_seconds(seconds) - time.monotonic())
            while pending:
                event = pending.pop(0)
                last = time.monotonic() if isinstance(event, TextSoFar) else 0.0
                yield event
            if collecting.done():
                arrived.set()
        await collecting
    finally:
        _paced.discard(collecting)
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
