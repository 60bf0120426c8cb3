"""Waiting: so many questions are answered at a time; the others wait in order, and know how many are before them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from index.errors import CrowdedError
from rag.interface import phrase

MAX_ANSWERING: Final = 64
"""Most questions answered at the same time."""
MAX_WAITING: Final = 64
"""Most that wait; one more is told to come again."""

_RETRY_SECONDS: Final = 20


class Line:
    """Those who ask, in the order they came."""

    def __init__(self, answering: int = MAX_ANSWERING, waiting: int = MAX_WAITING) -> None:
        """Let `answering` in at a time and `waiting` wait."""
        self._answering = answering
        self._most = answering + waiting
        self._places: list[Place] = []
        self._moved = asyncio.Event()

    def check(self) -> None:
        """Turn away who would find no place.

        Raises:
            CrowdedError: too many are waiting.
        """
        if len(self._places) >= self._most:
            raise CrowdedError(phrase("too many"), retry_seconds=_RETRY_SECONDS)

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """A place at the end, until the answer is there or nobody waits for it any more.

        Raises:
            CrowdedError: too many are waiting.
        """
        self.check()
        place = Place(self)
        self._places.append(place)
        try:
            yield place
        finally:
            self._places.remove(place)
            self._moved.set()
            self._moved = asyncio.Event()

    def before(self, place: "Place") -> int:
        """How many have to leave until it is this place's turn; 0 once it is."""
        return max(0, self._places.index(place) - self._answering + 1)

    @property
    def moved(self) -> asyncio.Event:
        """Set when the next one leaves. Take it before looking where one stands: a leave in between is not missed."""
        return self._moved


class Place:
    """One question's place in the line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def before(self) -> int:
        """How many are before it; 0 when it is its turn."""
        return self._line.before(self)

    @property
    def moved(self) -> asyncio.Event:
        """Set when the next one leaves; see `Line.moved`."""
        return self._line.moved

    async def turn(self) -> None:
        """Wait until it is its turn."""
        while True:
            moved = self.moved
            if not self.before:
                return
            await moved.wait()
