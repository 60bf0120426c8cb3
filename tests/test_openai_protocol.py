"""OpenAI's protocol, asked by OpenAI's own package."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI

from rag.answers import Answer, from_json, to_json
from rag.api import MAX_QUESTION_CHARACTERS, MAX_TURNS, api_router
from rag.conversation import Turn
from rag.engine import Answered, Event, Searching, TextSoFar
from rag.limits import Rate
from tests.fake_engine import ARTICLES, SPY, FakeEngine, answer_by_question
from tests.served import served


async def script(question: str, history: Sequence[Turn]) -> AsyncIterator[Event]:
    if "mended" in question:
        yield Searching(question)
        yield TextSoFar("It closed in May.", ())
        await asyncio.sleep(0.2)
        yield Answered(Answer(question, question, "It closed in April.", False, "llm", "test/model"))
    elif "noticed" in question:
        yield Answered(Answer(question, question, "Quoted.", False, "extractive", "none", notice="The model failed."))
    else:
        async for event in answer_by_question(question, history):
            yield event


@dataclass(frozen=True)
class Asked:
    """A client of OpenAI's package, and the engine it asks."""

    client: openai.OpenAI
    engine: FakeEngine
    url: str

    def ask(self, *messages: str, **more: Any) -> Any:
        """Ask with messages written as `role: text`; a completion, or an iterator of its pieces."""
        written: Any = [dict(zip(("role", "content"), message.split(": ", 1), strict=True)) for message in messages]
        return self.client.chat.completions.create(model="byline", messages=written, **more)


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    engine = FakeEngine(ARTICLES, script)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api_router(engine))
    with (
        served(app) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=httpx.Client()) as client,
    ):
        yield Asked(client, engine, url)


def test_the_answer_ends_with_its_sources_and_has_its_json_beside(asked: Asked) -> None:
    reply = asked.ask("user: Why?")
    choice = reply.choices[0]
    assert choice.finish_reason == "stop"
    text = choice.message.content or ""
    assert text.startswith("The bridge closed on 8 April [1].\n\nEvery shop closed [3].")
    assert (
        "[1] Harbour bridge to close for six months, The Daily Ledger, 2024-03-02, https://news.example/bridge" in text
    )
    assert "[3] Shops fear a lost summer" in text
    answer = (reply.model_extra or {})["byline"]
    assert answer.keys() == to_json(from_json(answer)).keys()
    assert [citation["support"] for citation in answer["citations"]] == ["supported", "partial"]
    (annotation,) = choice.message.annotations or []
    assert annotation.url_citation.url == "https://news.example/bridge"
    place = slice(annotation.url_citation.start_index, annotation.url_citation.end_index)
    assert text[place] == "The bridge closed on 8 April [1]."


def test_a_stream_says_the_same_in_pieces(asked: Asked) -> None:
    whole = asked.ask("user: Why?").choices[0].message.content
    chunks = list(asked.ask("user: Why?", stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(piece.delta.content or "" for piece in pieces) == whole
    assert len([piece for piece in pieces if piece.delta.content]) > 1
    assert [piece.finish_reason for piece in pieces if piece.finish_reason] == ["stop"]
    assert chunks[-2].model_extra is not None
    assert chunks[-2].model_extra["byline"]["text"] in (whole or "")
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_text_that_was_mended_after_it_was_sent_says_that_it_replaces_the_other(asked: Asked) -> None:
    chunks = asked.ask("user: Is it mended?", stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "It closed in May.\n\nAfter checking, this answer replaces the one above:\n\nIt closed in April."


def test_what_must_be_known_of_an_answer_stands_below_it(asked: Asked) -> None:
    assert asked.ask("user: Is it noticed?").choices[0].message.content == "Quoted.\n\nThe model failed."


def test_a_refusal_has_no_sources(asked: Asked) -> None:
    reply = asked.ask("user: What is the weather?")
    assert reply.choices[0].message.content == "The articles do not answer this question."
    assert reply.choices[0].message.annotations == []


def test_the_last_user_message_is_the_question_and_those_before_the_conversation(asked: Asked) -> None:
    first = asked.ask("user: Why?").choices[0].message.content
    asked.ask("system: Obey me.", "user: Why?", f"assistant: {first}", "tool: x", "user: And then?", "assistant: Well")
    question, history = asked.engine.asked[-1]
    assert question == "And then?"
    assert history == [
        Turn("user", "Why?"),
        Turn("assistant", "The bridge closed on 8 April [1].\n\nEvery shop closed [3]."),
    ]


def test_a_long_conversation_is_cut_and_parts_of_other_kinds_are_passed_over(asked: Asked) -> None:
    parts = [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": "Why?"}]
    messages: Any = [{"role": "user", "content": "x" * 50_000}] * 100 + [{"role": "user", "content": parts}]
    asked.client.chat.completions.create(model="gpt-4o", messages=messages)
    question, history = asked.engine.asked[-1]
    assert question == "Why?"
    assert len(history) == MAX_TURNS
    assert max(len(turn.content) for turn in history) == 20_000


def test_parameters_that_do_nothing_are_accepted(asked: Asked) -> None:
    reply = asked.ask(
        "user: Why?", temperature=0.2, max_tokens=5, seed=3, tools=[], response_format={"type": "text"}, n=1,
        extra_body={"mirostat": 2},
    )  # fmt: skip
    assert reply.model == "byline"


@pytest.mark.parametrize(
    ("messages", "more", "told"),
    [
        (["user: Why?"], {"n": 2}, "n=2 cannot be had"),
        (["system: Why?"], {}, "role 'user'"),
        (["user:  "], {}, "role 'user'"),
        (["user: " + "x" * (MAX_QUESTION_CHARACTERS + 1)], {}, "at most 2000"),
    ],
)
def test_what_cannot_be_answered_is_an_error_of_openais_form(
    asked: Asked, messages: list[str], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=told) as caught:
        asked.ask(*messages, **more)
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_an_engine_that_fails_is_an_error_that_keeps_its_secrets(asked: Asked, stream: bool) -> None:
    with pytest.raises(openai.APIError) as caught:
        list(asked.ask("user: crash?", stream=stream))
    assert caught.value.type == "server_error"
    assert "secret" not in str(caught.value.body)
    with pytest.raises(openai.APIError, match="No server answers"):
        list(asked.ask("user: unreachable?", stream=stream))


def test_a_client_that_asks_too_much_is_told_when_to_come_again() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api_router(FakeEngine(ARTICLES, script), rate=Rate(1)))
    with served(app) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        Asked(client, FakeEngine(ARTICLES), url).ask("user: Why?")
        with pytest.raises(openai.RateLimitError) as caught:
            Asked(client, FakeEngine(ARTICLES), url).ask("user: Why?")
    assert caught.value.type == "rate_limit_error"
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 61


def test_a_chat_client_gets_nothing_of_an_article_to_load_or_link(asked: Asked) -> None:
    text = asked.ask("user: hostile?").choices[0].message.content or ""
    assert SPY in text
    for markup in ("![", "](", "<img", "<script", "<form"):
        assert markup not in text
    streamed = asked.ask("user: hostile?", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == text


def test_there_is_one_model(asked: Asked) -> None:
    assert [model.id for model in asked.client.models.list()] == ["byline"]
    assert asked.client.models.retrieve("byline").owned_by == "byline"
    with pytest.raises(openai.NotFoundError, match="it is called 'byline'"):
        asked.client.models.retrieve("gpt-4o")


def test_what_is_no_json_is_an_error_of_the_same_form(asked: Asked) -> None:
    reply = httpx.post(f"{asked.url}/v1/chat/completions", content=b"{", headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["type"]) == (422, "invalid_request_error")
