import pytest

from index.errors import UserError
from rag.feedback import RecentAnswers
from rag.page import converse
from rag.waiting import Line
from tests.fake_engine import ARTICLES, FakeEngine, answer_by_question


async def test_places_move_up_in_the_order_they_came() -> None:
    line = Line(answering=1, waiting=2)
    first, second, third = line.join(), line.join(), line.join()
    assert [first.before, second.before, third.before] == [0, 1, 2]
    with pytest.raises(UserError, match="Too many questions"):
        line.join()
    moved = third.moved
    first.leave()
    assert moved.is_set()
    assert not third.moved.is_set()
    assert [second.before, third.before] == [0, 1]
    third.leave()
    assert second.before == 0


async def test_who_waits_reads_how_many_are_before_and_is_answered_in_turn() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    line = Line(answering=1, waiting=1)
    place = line.join()
    shown = []
    async for messages, _ in converse(engine, RecentAnswers(), "Why?", (), line=line):
        shown.append(messages[-1]["content"])
        if len(shown) == 1:
            assert engine.asked == []
            place.leave()
    assert shown[0].startswith("*Waiting: 1 question is before yours…*")
    assert "#c-" in shown[-1]
    assert line.join().before == 0


async def test_where_too_many_wait_the_page_says_so_and_asks_nothing() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    line = Line(answering=1, waiting=0)
    line.join()
    updates = [update async for update in converse(engine, RecentAnswers(), "Why?", (), line=line)]
    assert "Too many questions" in updates[-1][0][-1]["content"]
    assert engine.asked == []


async def test_who_leaves_while_waiting_gives_the_place_up() -> None:
    line = Line(answering=1, waiting=1)
    line.join()
    updates = converse(FakeEngine(ARTICLES), RecentAnswers(), "Why?", (), line=line)
    await anext(updates)
    await updates.aclose()
    assert line.join().before == 1
