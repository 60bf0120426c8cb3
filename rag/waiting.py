"""Waiting: so many questions are answered at a time; the others wait in order, and know how many are before them."""

import asyncio
from typing import Final

from index.errors import UserError
from rag.interface import phrase

MAX_ANSWERING: Final = 64
"""Most questions answered at the same time."""
MAX_WAITING: Final = 64
"""Most that wait; one more is told to come again."""


class Line:
    """Those who ask, in the order they came."""

    def __init__(self, answering: int = MAX_ANSWERING, waiting: int = MAX_WAITING) -> None:
        """Let `answering` in at a time and `waiting` wait."""
        self._answering = answering
        self._most = answering + waiting
        self._places: list[Place] = []
        self._moved = asyncio.Event()

    def join(self) -> "Place":
        """A place at the end.

        Raises:
            UserError: too many are waiting.
        """
        if len(self._places) >= self._most:
            raise UserError(phrase("too many"))
        place = Place(self)
        self._places.append(place)
        return place

    def before(self, place: "Place") -> int:
        """How many have to leave until it is this place's turn; 0 once it is."""
        return max(0, self._places.index(place) - self._answering + 1)

    @property
    def moved(self) -> asyncio.Event:
        """Set when the next one leaves. Take it before looking where one stands: a leave in between is not missed."""
        return self._moved

    def leave(self, place: "Place") -> None:
        """Give a place up."""
        self._places.remove(place)
        self._moved.set()
        self._moved = asyncio.Event()


class Place:
    """One question's place in the line; leave it when the answer is there, or nobody waits for it any more."""

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

    def leave(self) -> None:
        """Give it up."""
        self._line.leave(self)
