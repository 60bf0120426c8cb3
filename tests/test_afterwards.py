"""Work that is put off: one piece at a time, in order, as if it were awaited where it is asked for."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from rag.afterwards import afterwards

whose: ContextVar[str] = ContextVar("whose", default="nobody's")


async def test_pieces_run_one_after_the_other_in_the_order_they_came() -> None:
    done: list[int] = []
    busy = threading.Lock()

    def work(number: int) -> int:
        assert busy.acquire(blocking=False), "another piece is running"
        done.append(number)
        busy.release()
        return number

    assert await asyncio.gather(*(afterwards(work, number) for number in range(20))) == list(range(20))
    assert done == list(range(20))


async def test_it_sees_the_context_of_who_asked() -> None:
    whose.set("anna's")
    assert await afterwards(whose.get) == "anna's"


async def test_what_fails_fails_where_it_is_awaited_and_holds_nobody_up() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await afterwards(fail)
    assert await afterwards(len, "go on") == 5
