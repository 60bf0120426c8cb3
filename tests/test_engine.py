import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ChatResponseAsyncGen, MessageRole
from llama_index.core.base.response.schema import Response

import rag
from index.errors import ModelUnreachableError
from index.settings import Settings
from index.store import PassageStore
from rag.answers import to_json
from rag.asking import REFUSAL
from rag.conversation import Turn
from rag.engine import Answered, Event, NewsQueryEngine, PassagesFound, Searching, TextSoFar, open_engine
from rag.retrieval import NewsRetriever, ScoredPassage
from tests.fakes import ScriptedLLM

QUESTION = "How many drones did Russia launch overnight?"


@pytest.fixture
def llm() -> ScriptedLLM:
    return ScriptedLLM()


@pytest.fixture
def engine(settings: Settings, seed_store: PassageStore, llm: ScriptedLLM) -> NewsQueryEngine:
    with_model = settings.model_copy(update={"llm": "openai-like/scripted"})
    retriever = NewsRetriever(seed_store, top_k=settings.top_k)
    return NewsQueryEngine(settings=with_model, store=seed_store, retriever=retriever, llm=llm)


@pytest.fixture
def quoting(settings: Settings, seed_store: PassageStore) -> NewsQueryEngine:
    return NewsQueryEngine(
        settings=settings, store=seed_store, retriever=NewsRetriever(seed_store, top_k=settings.top_k)
    )


async def events_of(engine: NewsQueryEngine, question: str, history: Sequence[Turn] = ()) -> list[Event]:
    return [event async for event in engine.stream(question, history)]


async def drone_rank(engine: NewsQueryEngine) -> int:
    """The rank of the passage that says 138 drones."""
    found = engine.retriever.search(QUESTION)
    return next(one.rank for one in found if "138 drones" in one.passage.text)


async def test_events_come_in_order_and_the_last_is_the_answer(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    rank = await drone_rank(engine)
    llm.enqueue(["Russia launched ", "138 drones", f" overnight [{rank}", "]."])
    events = await events_of(engine, QUESTION)
    assert [type(event) for event in events[:2]] == [Searching, PassagesFound]
    assert isinstance(events[-1], Answered)
    texts = [event.text for event in events if isinstance(event, TextSoFar)]
    assert texts
    assert all("[" not in text or f"[{rank}]" in text for text in texts), "no half of a marker is ever shown"
    answer = events[-1].answer
    assert answer.text == f"Russia launched 138 drones overnight [{rank}]."
    assert (answer.mode, answer.model, answer.refused) == ("llm", "openai-like/scripted", False)


async def test_a_citation_points_at_the_words_that_carry_it(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    rank = await drone_rank(engine)
    llm.enqueue(f"Russia launched 138 drones overnight [{rank}].")
    answer = await engine.answer(QUESTION)
    [citation] = answer.citations
    article = engine.store.article(citation.passage.article_id)
    assert citation.quote == article.text[citation.start : citation.end]
    assert "138 drones" in citation.quote
    assert citation.support == "supported"
    assert [sentence.support for sentence in answer.sentences] == ["supported"]


async def test_a_false_number_is_marked(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    rank = await drone_rank(engine)
    llm.enqueue(f"Russia launched 512 drones overnight [{rank}].")
    answer = await engine.answer(QUESTION)
    assert [citation.support for citation in answer.citations] == ["unsupported"]


async def test_a_marker_that_names_no_source_is_recorded_and_not_cited(
    engine: NewsQueryEngine, llm: ScriptedLLM
) -> None:
    llm.enqueue("Russia launched 138 drones [42]. Nobody was asked about turnips [43].")
    llm.enqueue("Russia launched 138 drones [42]. Nobody was asked about turnips [43].")
    answer = await engine.answer(QUESTION)
    assert answer.unresolved_markers == (42, 43)
    assert "[42]" not in answer.text
    assert not {citation.marker for citation in answer.citations} & {42, 43}
    assert [sentence.matched for sentence in answer.sentences] == [True, False], "a passage says the first one"


async def test_a_models_refusal_is_a_refusal_without_citations(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    llm.enqueue(REFUSAL)
    answer = await engine.answer("What did the talks cost the German taxpayer?")
    assert answer.refused
    assert answer.text == REFUSAL
    assert (answer.citations, answer.sentences, answer.mode) == ((), (), "llm")


@pytest.mark.parametrize("question", ["", "   ", "Hello!", "thanks"])
async def test_where_nothing_is_asked_nothing_is_sent(engine: NewsQueryEngine, llm: ScriptedLLM, question: str) -> None:
    answer = await engine.answer(question)
    assert answer.refused
    assert "5 articles" in answer.text
    assert llm.history == []


async def test_a_model_that_fails_before_it_writes_leaves_the_answer_to_quotation(
    engine: NewsQueryEngine, llm: ScriptedLLM
) -> None:
    llm.enqueue(ModelUnreachableError("The server does not answer."))
    answer = await engine.answer(QUESTION)
    assert (answer.mode, answer.model) == ("extractive", "none")
    assert "138 drones" in answer.text
    assert "The server does not answer." in answer.notice
    assert "quotes" in answer.notice


async def test_a_model_that_sends_nothing_leaves_the_answer_to_quotation(
    engine: NewsQueryEngine, llm: ScriptedLLM
) -> None:
    llm.enqueue("")
    answer = await engine.answer(QUESTION)
    assert answer.mode == "extractive"
    assert answer.notice


class BreaksOff(ScriptedLLM):
    """Sends one sentence, then the connection is gone."""

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        async def stream() -> ChatResponseAsyncGen:
            text = "Russia launched 138 drones [1]. Zelenskyy"
            yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=text)
            raise ConnectionResetError("gone")

        return stream()


async def test_a_broken_stream_keeps_what_came_and_says_so(
    engine: NewsQueryEngine,
) -> None:
    engine.llm = BreaksOff()
    answer = await engine.answer(QUESTION)
    assert answer.mode == "llm"
    assert answer.text.startswith("Russia launched 138 drones [1].")
    assert "incomplete" in answer.notice


async def test_a_follow_up_is_rewritten_by_the_model_and_searched_for(
    engine: NewsQueryEngine, llm: ScriptedLLM
) -> None:
    history = [Turn("user", "Who is Yuri Ushakov?"), Turn("assistant", "Putin's foreign affairs adviser [1].")]
    llm.enqueue("What did Yuri Ushakov say about Donetsk?")
    llm.enqueue("Ushakov said that Russian police would remain in parts of Donetsk [1].")
    events = await events_of(engine, "What did he say about Donetsk?", history)
    assert events[0] == Searching("What did Yuri Ushakov say about Donetsk?")
    assert isinstance(events[-1], Answered)
    assert events[-1].answer.question == "What did he say about Donetsk?"
    assert events[-1].answer.standalone_question == "What did Yuri Ushakov say about Donetsk?"
    assert "Ushakov" in str(llm.history[1][-1].content)


async def test_a_follow_up_survives_a_model_that_cannot_rewrite_it(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    llm.enqueue(ModelUnreachableError("down"))
    llm.enqueue("It is so [1].")
    answer = await engine.answer("And about Donetsk?", [Turn("user", "What did Yuri Ushakov say about the police?")])
    assert "Ushakov" in answer.standalone_question


async def test_without_a_model_the_answer_is_quoted(quoting: NewsQueryEngine) -> None:
    events = await events_of(quoting, QUESTION)
    assert [type(event) for event in events] == [Searching, PassagesFound, TextSoFar, Answered]
    assert isinstance(events[-1], Answered)
    answer = events[-1].answer
    assert (answer.mode, answer.model, answer.refused, answer.notice) == ("extractive", "none", False, "")
    assert "138 drones" in answer.citations[0].quote
    assert not any(answer.usage.values())
    assert answer.cost is None


async def test_what_no_article_names_is_refused_without_a_model(quoting: NewsQueryEngine) -> None:
    answer = await quoting.answer("Who is the mayor of Ulan Bator?")
    assert answer.refused
    assert answer.citations == ()
    assert "None of the 5 articles mentions Ulan Bator." in answer.text


async def test_times_and_tokens_are_counted(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    llm.enqueue("Russia launched 138 drones [1].")
    answer = await engine.answer(QUESTION)
    assert set(answer.timings_ms) == {"condense", "retrieve", "first_token", "total"}
    assert answer.timings_ms["first_token"] <= answer.timings_ms["total"]
    assert answer.usage["prompt_tokens"] > answer.usage["completion_tokens"] > 0


async def test_a_follow_up_costs_its_rewriting_and_adds_to_what_the_conversation_took(
    engine: NewsQueryEngine, llm: ScriptedLLM
) -> None:
    engine.settings = engine.settings.model_copy(update={"llm_price_read": 2.0, "llm_price_written": 4.0})
    llm.enqueue("Russia launched 138 drones [1].")
    first = await engine.answer(QUESTION)
    assert first.conversation_usage == first.usage
    llm.enqueue("How many drones did Russia launch on Monday?")
    llm.enqueue("Russia launched 138 drones [1].")
    turns = [Turn("user", QUESTION), Turn("assistant", first.text, first.usage)]
    second = await engine.answer("And on Monday?", turns)
    assert second.usage["completion_tokens"] > first.usage["completion_tokens"] + 5
    for name in ("prompt_tokens", "completion_tokens"):
        assert second.conversation_usage[name] == first.usage[name] + second.usage[name]
    assert first.cost is not None
    assert second.cost is not None
    assert second.cost.conversation == pytest.approx(first.cost.answer + second.cost.answer)


async def test_what_a_model_took_that_then_failed_is_counted_beside_the_quotation(
    engine: NewsQueryEngine, llm: ScriptedLLM
) -> None:
    llm.enqueue(ModelUnreachableError("down"))
    answer = await engine.answer(QUESTION)
    assert (answer.mode, any(answer.usage.values())) == ("extractive", False)
    llm.enqueue("  \n ")
    answer = await engine.answer(QUESTION)
    assert (answer.mode, answer.usage["prompt_tokens"] > 0) == ("extractive", True)
    assert to_json(answer)["notice"] == answer.notice != ""


def test_llama_index_queries_take_the_same_path(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    llm.enqueue("Russia launched 138 drones [1].")
    response = engine.query(QUESTION)
    assert isinstance(response, Response)
    assert response.response == "Russia launched 138 drones [1]."
    assert [node.score for node in response.source_nodes] == [
        found.score for found in engine.retriever.search(QUESTION)
    ]
    assert response.metadata
    assert response.metadata["answer"]["text"] == response.response


async def test_a_plain_query_works_inside_a_running_loop(engine: NewsQueryEngine, llm: ScriptedLLM) -> None:
    llm.enqueue(REFUSAL)
    llm.enqueue(REFUSAL)
    assert asyncio.get_running_loop().is_running()
    assert str(engine.query(QUESTION)) == REFUSAL
    assert str(await engine.aquery(QUESTION)) == REFUSAL


def test_an_opened_engine_has_read_the_seeds(
    settings: Settings, embedding: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.engine.load_embedding", lambda settings: embedding)
    with open_engine(settings, owner="a test") as engine:
        assert len(engine.store.articles()) == 5
        assert engine.llm is None
        answer = asyncio.run(engine.answer(QUESTION))
    assert to_json(answer)["passages"]


def test_the_package_gives_its_public_names_and_no_others() -> None:
    assert [getattr(rag, name).__name__ for name in rag.__all__] == rag.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rag.nothing


def recorded(quoting: NewsQueryEngine, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the retriever is asked from now on."""
    asked: list[dict[str, Any]] = []
    search = quoting.retriever.search

    def record(question: str, **given: Any) -> list[ScoredPassage]:
        asked.append({"question": question, **given})
        return search(question, **given)

    monkeypatch.setattr(quoting.retriever, "search", record)
    return asked


@pytest.mark.parametrize(("setting", "parts"), [("off", 0), ("clauses", 2), ("model", 2)])
async def test_the_parts_of_a_question_are_searched_where_that_is_set(
    quoting: NewsQueryEngine, monkeypatch: pytest.MonkeyPatch, setting: str, parts: int
) -> None:
    quoting.settings = quoting.settings.model_copy(update={"question_parts": setting})
    asked = recorded(quoting, monkeypatch)
    question = "How many drones did Russia launch overnight, and how long did the talks on Sunday in Berlin last?"
    await quoting.answer(question)
    await quoting.search(question)
    talks = "They spoke in Berlin on Sunday for five hours, Ushakov and the envoys of Washington."
    await quoting.answer(
        "And what did he say, and who of them spoke?", [Turn("user", question), Turn("assistant", talks)]
    )
    assert [len(one["parts"]) for one in asked] == [parts, parts, 0]


async def test_the_tokens_of_taking_a_question_apart_are_counted(
    engine: NewsQueryEngine, llm: ScriptedLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.settings = engine.settings.model_copy(update={"question_parts": "model"})
    asked = recorded(engine, monkeypatch)
    question = "How many drones did Russia launch overnight, and how long did the talks on Sunday in Berlin last?"
    parts = ["How many drones did Russia launch overnight?", "How long did the talks on Sunday in Berlin last?"]
    llm.enqueue("\n".join(parts))
    llm.enqueue(REFUSAL)
    answer = await engine.answer(question)
    assert list(asked[0]["parts"]) == parts
    assert answer.refused
    assert answer.usage["prompt_tokens"] > sum(len(message.content or "") for message in llm.history[1]) / 10
    assert len(llm.history) == 2


async def test_a_relative_day_is_read_from_the_articles_of_the_day(
    settings: Settings, seed_store: PassageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = NewsRetriever(seed_store, top_k=settings.top_k)
    engine = NewsQueryEngine(settings=settings, store=seed_store, retriever=retriever, today=lambda: date(2025, 12, 16))
    asked = recorded(engine, monkeypatch)
    listed = [replace(one, published="2025-12-15") for one in seed_store.articles()]
    monkeypatch.setattr(seed_store, "articles", lambda: listed)
    await engine.answer("How many drones did Russia launch yesterday?")
    await engine.answer("How many drones did Russia launch overnight?")
    assert [one["days"] for one in asked] == [("2025-12-15",), ()]
