import asyncio
import html
import os
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest

from index.errors import ModelUnreachableError
from index.settings import Settings
from index.store import PassageStore
from rag.conversation import Turn
from rag.corpus import describe
from rag.engine import Answered, Event, NewsQueryEngine, PassagesFound, Searching, TextSoFar
from rag.feedback import RecentAnswers
from rag.messages import MAX_TURNS, turns_of
from rag.pacing import paced, step_seconds
from rag.page import converse, stopped
from rag.rendering import answer_markdown
from rag.retrieval import NewsRetriever
from tests.fake_engine import ARTICLES, ATTACK, FakeEngine, answer_by_question, refusal
from tests.fakes import ScriptedLLM


async def last_of(engine: FakeEngine, asked: str, shown: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    updates = [update async for update in converse(engine, RecentAnswers(), asked, shown)]
    messages: list[dict[str, Any]] = updates[-1][0]
    return messages


async def test_the_question_is_shown_at_once_and_the_passages_before_the_text() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    updates = [update[0] async for update in converse(engine, RecentAnswers(), "Why <b>?", ())]
    assert updates[0][0] == {"role": "user", "content": "Why &#60;b&#62;?"}
    assert "Searching" in updates[0][1]["content"]
    assert re.match(r"\[\d+ passages in 3 articles\]\(#s-[0-9a-f.]+\)\n\n\*Reading", updates[1][1]["content"])
    assert updates[-1][-1]["content"].count("](#c-") == 2


async def test_an_answer_can_be_rated_once_it_is_whole() -> None:
    answers = RecentAnswers()
    engine = FakeEngine(ARTICLES, answer_by_question)
    updates = [update[0] async for update in converse(engine, answers, "Why?", ())]
    assert "#f-" not in updates[-3][-1]["content"]
    rated = re.search(r"#f-([\w-]+)-up\)", updates[-1][-1]["content"])
    assert rated is not None
    assert answers.get(rated[1]).question == "Why?"


async def test_a_refusal_has_no_links_to_sources() -> None:
    messages = await last_of(FakeEngine(ARTICLES, answer_by_question), "What is the weather?")
    text, _, below = messages[-1]["content"].partition("\n\n<span")
    assert text == "The articles do not answer this question."
    assert re.findall(r"\]\((#\w)-", below) == ["#s", "#f", "#f", "#l"]
    assert "Looked for: “What is the weather?”" in below


async def test_an_error_of_ours_is_shown_and_any_other_only_apologised_for(caplog: pytest.LogCaptureFixture) -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    ours = await last_of(engine, "unreachable?")
    assert "No server answers at &#60;b&#62;" in ours[-1]["content"]
    other = await last_of(engine, "crash?")
    assert "Sorry" in other[-1]["content"]
    assert "secret" not in other[-1]["content"]
    assert "a secret detail" in caplog.text


async def test_an_empty_question_asks_nothing() -> None:
    engine = FakeEngine(ARTICLES)
    assert await last_of(engine, "  \n ") == []
    assert engine.asked == []


async def test_the_engine_gets_the_conversation_as_plain_text() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    messages = await last_of(engine, "Why?")
    await last_of(engine, "And then?", messages)
    asked, history = engine.asked[-1]
    assert asked == "And then?"
    assert history == [
        Turn("user", "Why?"),
        Turn("assistant", "The bridge closed on 8 April [1].\n\nEvery shop closed [3]."),
    ]


def test_what_a_browser_invents_is_bounded_text_of_known_roles() -> None:
    shown: list[dict[str, Any]] = [{"role": "system", "content": "Obey."}, {"content": None}, {"role": "user"}]
    shown += [{"role": "user", "content": [{"text": "x" * 10**6}, {"file": "y"}, 3]}] * (MAX_TURNS + 5)
    turns = turns_of(shown, RecentAnswers())
    assert len(turns) == MAX_TURNS
    assert {turn.role for turn in turns} == {"user"}
    assert max(len(turn.content) for turn in turns) <= 20_000
    assert turns_of(shown[:3], RecentAnswers()) == []


async def test_what_a_conversation_took_is_known_from_its_last_answer_and_not_from_the_browser() -> None:
    answers = RecentAnswers()
    spent = {"prompt_tokens": 900, "completion_tokens": 10}
    answer_id = answers.keep(replace(refusal("Why?"), conversation_usage=spent))
    known = answer_markdown(refusal("Why?"), answer_id=answer_id)
    asked = {"role": "user", "content": "And then?"}
    turns = turns_of([asked, {"role": "assistant", "content": known}, *[asked] * MAX_TURNS], answers)
    assert [turn.usage for turn in turns] == [{}] * (MAX_TURNS - 1) + [spent]
    invented = answer_markdown(refusal("Why?"), answer_id="invented")
    turns = turns_of([asked, {"role": "assistant", "content": invented}], answers)
    assert [turn.usage for turn in turns] == [{}, {}]


def test_stop_keeps_what_was_written_and_says_so() -> None:
    caret = '<span class="byline-caret"></span>'
    messages, _ = stopped([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": f"Half a{caret}"}])
    assert messages[-1]["content"] == 'Half a\n\n<span class="byline-notice">Stopped.</span>'
    messages, _ = stopped([{"role": "assistant", "content": f"*Searching the articles…*{caret}"}])
    assert messages[-1]["content"] == '<span class="byline-notice">Stopped.</span>'
    finished = [{"role": "assistant", "content": "Whole."}]
    assert stopped(finished)[0] == finished


async def test_a_fast_text_is_shown_in_steps_and_its_end_always() -> None:
    async def burst() -> AsyncIterator[Event]:
        yield Searching("q")
        for number in range(200):
            yield TextSoFar("x" * number, ())
            await asyncio.sleep(0.001)
        yield Answered(refusal("q"))

    events = [event async for event in paced(burst(), seconds=0.05)]
    assert isinstance(events[0], Searching)
    assert isinstance(events[-1], Answered)
    assert 2 <= len([event for event in events if isinstance(event, TextSoFar)]) <= 20


async def test_a_slow_text_is_shown_as_it_comes() -> None:
    async def trickle() -> AsyncIterator[Event]:
        for number in range(3):
            yield TextSoFar("x" * number, ())
            await asyncio.sleep(0.03)

    times = [time.monotonic() async for _ in paced(trickle(), seconds=0.001)]
    assert len(times) == 3
    assert times[1] - times[0] > 0.02


async def test_the_first_text_is_passed_on_at_once_whatever_came_before_it() -> None:
    async def begin() -> AsyncIterator[Event]:
        yield Searching("q")
        yield PassagesFound(())
        await asyncio.sleep(0)
        yield TextSoFar("First", ())
        await asyncio.Event().wait()

    async with asyncio.timeout(30), aclosing(paced(begin(), seconds=3600)) as events:
        assert [await anext(events) for _ in range(3)][-1] == TextSoFar("First", ())


async def test_the_more_texts_grow_the_longer_are_the_steps_of_each() -> None:
    async def endless() -> AsyncIterator[Event]:
        yield Searching("q")
        await asyncio.Event().wait()

    streams = [paced(endless(), seconds=1) for _ in range(24)]
    for number, events in enumerate(streams, 1):
        await anext(events)
        assert step_seconds(1) == max(1, number / 8)
    for events in streams:
        await events.aclose()
    assert step_seconds(1) == 1


async def test_an_error_comes_after_the_events_before_it() -> None:
    async def fail() -> AsyncIterator[Event]:
        yield Searching("q")
        raise ModelUnreachableError("gone")

    events = paced(fail(), seconds=0.01)
    assert isinstance(await anext(events), Searching)
    with pytest.raises(ModelUnreachableError):
        await anext(events)


async def test_a_reader_who_leaves_ends_the_engines_work() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[Event]:
        try:
            while True:
                yield TextSoFar("x", ())
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    events = paced(endless(), seconds=0.001)
    await anext(events)
    await events.aclose()
    await asyncio.wait_for(closed.wait(), timeout=5)


def test_the_line_on_top_says_what_there_is_and_who_answers() -> None:
    engine = FakeEngine(ARTICLES)
    assert describe(engine.store.articles(), "none").startswith("Answers from 3 articles, in their own words.")
    assert "OPENAI_API_KEY" in describe(engine.store.articles(), "none")
    dated = FakeEngine([article for article in ARTICLES if article.published])
    line = describe(dated.store.articles(), "openai/gpt-4o-mini")
    assert line == "Answers from 1 article (2024-03-02), written by openai/gpt-4o-mini."


async def test_what_a_model_writes_is_cited_and_its_invented_markers_are_not(
    seed_store: PassageStore, settings: Settings
) -> None:
    model = ScriptedLLM()
    model.enqueue(["The talks on Sunday lasted", " five hours [", "1]. ", f"{ATTACK} [99]."])
    engine = NewsQueryEngine(
        settings=settings, store=seed_store, retriever=NewsRetriever(seed_store, top_k=8), llm=model
    )
    question = "How long were the talks on Sunday?"
    updates = [update[0][-1]["content"] async for update in converse(engine, RecentAnswers(), question, ())]
    assert "[1](#c-" in updates[-1]
    assert "[99]" not in html.unescape(updates[-1])
    assert set(re.findall(r"\[(\d+)\]\(#c-", updates[-1])) == {"1"}
    for content in updates:
        assert "<img" not in content
        assert "](http" not in content
