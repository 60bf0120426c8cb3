"""Afterwards: work on an answer whose text is there, one piece at a time, behind whoever waits for a first text.

All threads share one interpreter. Were the checks of many answers to run side by side, what is asked meanwhile would
wait for each of them; in a line of their own they take one share together.
"""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LINES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]] = WeakKeyDictionary()


async def afterwards(work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """What `work` returns: `asyncio.to_thread`, once all is done that was put off before it."""
    async with _LINES.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        return await asyncio.to_thread(work, *args, **kwargs)
