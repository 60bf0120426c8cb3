import asyncio
from contextlib import ExitStack

import pytest

from index.errors import CrowdedError
from rag.feedback import RecentAnswers
from rag.page import converse
from rag.waiting import Line
from tests.fake_engine import ARTICLES, FakeEngine, answer_by_question


async def test_places_move_up_in_the_order_they_came() -> None:
    line = Line(answering=1, waiting=2)
    stacks = [ExitStack() for _ in range(3)]
    first, second, third = (stack.enter_context(line.place()) for stack in stacks)
    assert [first.before, second.before, third.before] == [0, 1, 2]
    with pytest.raises(CrowdedError, match="Too many questions") as caught, line.place():
        pass
    assert caught.value.retry_seconds == 20
    moved = third.moved
    stacks[0].close()
    assert moved.is_set()
    assert not third.moved.is_set()
    assert [second.before, third.before] == [0, 1]
    stacks[2].close()
    assert second.before == 0


async def test_who_waits_has_a_turn_once_those_before_are_gone_and_who_gives_up_holds_nobody_back() -> None:
    line = Line(answering=1, waiting=2)
    let_go = asyncio.Event()
    order = []

    async def ask(name: str) -> None:
        with line.place() as place:
            await place.turn()
            order.append(name)
            await let_go.wait()

    asking = {name: asyncio.create_task(ask(name)) for name in ("first", "second", "third")}
    await asyncio.sleep(0)
    assert order == ["first"]
    with pytest.raises(CrowdedError):
        line.check()
    asking["second"].cancel()
    await asyncio.wait({asking["second"]})
    line.check()
    let_go.set()
    await asyncio.gather(asking["first"], asking["third"])
    assert order == ["first", "third"]


async def test_who_waits_reads_how_many_are_before_and_is_answered_in_turn() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    line = Line(answering=1, waiting=1)
    shown = []
    with ExitStack() as another:
        another.enter_context(line.place())
        async for messages, _ in converse(engine, RecentAnswers(), "Why?", (), line=line):
            shown.append(messages[-1]["content"])
            if len(shown) == 1:
                assert engine.asked == []
                another.close()
    assert shown[0].startswith("*Waiting: 1 question is before yours…*")
    assert "#c-" in shown[-1]
    with line.place() as place:
        assert place.before == 0


async def test_where_too_many_wait_the_page_says_so_and_asks_nothing() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    line = Line(answering=1, waiting=0)
    with line.place():
        updates = [update async for update in converse(engine, RecentAnswers(), "Why?", (), line=line)]
    assert "Too many questions" in updates[-1][0][-1]["content"]
    assert engine.asked == []


async def test_who_leaves_while_waiting_gives_the_place_up() -> None:
    line = Line(answering=1, waiting=1)
    with line.place():
        updates = converse(FakeEngine(ARTICLES), RecentAnswers(), "Why?", (), line=line)
        await anext(updates)
        await updates.aclose()
        with line.place() as place:
            assert place.before == 1
