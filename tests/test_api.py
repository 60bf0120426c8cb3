import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from index.errors import ModelRefusedError, StoreError
from index.settings import Settings
from rag.answers import to_json
from rag.api import MAX_QUESTION_CHARACTERS, MAX_TURNS, api_router
from rag.api.replies import AnswerReply, ArticleReply, ArticlesReply, PassageInArticleReply, PassagesReply, SearchReply
from rag.conversation import Turn
from rag.engine import Event
from rag.feedback import FILE, MAX_COMMENT_CHARACTERS, RecentAnswers, read_feedback
from rag.filters import Filter
from rag.limits import Rate
from tests.fake_engine import ARTICLES as LARGER
from tests.fake_engine import FakeEngine, answer_by_question, make_article, refusal, reported_answer

ARTICLES = [
    make_article("world/one", "First words.\nMore words.\n", title="One", source="The Ledger", published="2025-12-15"),
    make_article("two", "Other words.\n", title="<b>Two</b>", url="javascript:alert(1)"),
]


def client(engine: FakeEngine, answers: RecentAnswers | None = None) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api_router(engine, answers))
    return TestClient(app)


@pytest.fixture
def engine(settings: Settings) -> FakeEngine:
    return FakeEngine(ARTICLES, settings=settings)


def test_it_says_that_it_is_up(engine: FakeEngine) -> None:
    assert client(engine).get("/healthz").json() == {"status": "ok"}


def test_a_passage_comes_with_its_whole_article(engine: FakeEngine) -> None:
    passage = engine.store.article_passages("world/one")[1]
    body = client(engine).get(f"/api/passages/{passage.id}").json()
    assert body["text"] == "More words.\n"
    assert body["article"]["text"][body["start"] : body["end"]] == body["text"]
    assert body["article"] | {"text": ""} == {
        "article_id": "world/one",
        "title": "One",
        "source": "The Ledger",
        "url": None,
        "published": "2025-12-15",
        "text": "",
    }


def test_a_passage_of_an_earlier_version_says_since_when_another_stands(engine: FakeEngine) -> None:
    passage = engine.store.article_passages("two")[0]
    assert client(engine).get(f"/api/passages/{passage.id}").json()["replaced"] is None
    engine.store.replaced = "2025-12-16T08:00:00+00:00"
    assert client(engine).get(f"/api/passages/{passage.id}").json()["replaced"] == "2025-12-16T08:00:00+00:00"
    listed = client(engine).get("/api/passages", params={"ids": passage.id}).json()["passages"]
    assert [one["replaced"] for one in listed] == ["2025-12-16T08:00:00+00:00"]


def test_passages_come_in_the_order_asked_for_without_unknown_ones(engine: FakeEngine) -> None:
    first, second = engine.store.article_passages("world/one")
    response = client(engine).get("/api/passages", params={"ids": f"{second.id},{'0' * 32},../etc,{first.id}"})
    assert [passage["passage_id"] for passage in response.json()["passages"]] == [second.id, first.id]


@pytest.mark.parametrize("passage_id", ["0" * 32, "x", "..%2f..%2fetc", "0" * 150, "A" * 32])
def test_an_unknown_passage_is_not_found(engine: FakeEngine, passage_id: str) -> None:
    response = client(engine).get(f"/api/passages/{passage_id}")
    assert response.status_code == 404
    assert response.json().keys() <= {"error", "detail"}


def test_articles_are_listed_by_id_in_parts(engine: FakeEngine) -> None:
    engine.store.copy_of = {"world/one": "two"}
    body = client(engine).get("/api/articles", params={"offset": 1, "limit": 1}).json()
    assert body["total"] == 2
    assert body["articles"] == [
        {
            "article_id": "world/one",
            "title": "One",
            "source": "The Ledger",
            "url": None,
            "published": "2025-12-15",
            "passages": 2,
            "copy_of": "two",
        }
    ]


def test_an_article_id_may_hold_slashes(engine: FakeEngine) -> None:
    assert client(engine).get("/api/articles/world/one").json()["text"] == "First words.\nMore words.\n"


def test_an_address_that_is_no_web_address_is_not_given_on(engine: FakeEngine) -> None:
    assert client(engine).get("/api/articles/two").json()["url"] is None


def test_an_unknown_article_is_an_error_in_json(engine: FakeEngine) -> None:
    response = client(engine).get("/api/articles/none/such")
    assert (response.status_code, response.json()) == (404, {"error": "No article has this id."})


def test_a_question_is_answered_in_the_shared_form(engine: FakeEngine) -> None:
    history = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "They [1]."}]
    response = client(engine).post("/api/ask", json={"question": " What? ", "history": history})
    body = response.json()
    assert body.keys() == to_json(refusal("What?")).keys()
    assert body["question"] == "What?"
    assert body["citations"][0]["quote"] == "Other words."
    assert engine.asked == [("What?", [Turn("user", "Who?"), Turn("assistant", "They [1].")])]


def test_what_earlier_answers_took_is_given_on(engine: FakeEngine) -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 10}
    history: list[dict[str, Any]] = [
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": "They [1].", "usage": usage},
    ]
    assert client(engine).post("/api/ask", json={"question": "What?", "history": history}).status_code == 200
    assert [turn.usage for turn in engine.asked[0][1]] == [{}, usage]
    history[1]["usage"] = {"prompt_tokens": -1}
    refused = client(engine).post("/api/ask", json={"question": "What?", "history": history})
    assert (refused.status_code, len(engine.asked)) == (422, 1)


def test_what_a_program_gets_is_what_the_description_says(engine: FakeEngine) -> None:
    passage = engine.store.article_passages("world/one")[1]
    asked = client(engine)
    AnswerReply.model_validate(asked.post("/api/ask", json={"question": "What?"}).json(), strict=True)
    ArticlesReply.model_validate(asked.get("/api/articles").json(), strict=True)
    ArticleReply.model_validate(asked.get("/api/articles/world/one").json(), strict=True)
    PassagesReply.model_validate(asked.get("/api/passages", params={"ids": passage.id}).json(), strict=True)
    PassageInArticleReply.model_validate(asked.get(f"/api/passages/{passage.id}").json(), strict=True)
    SearchReply.model_validate(asked.get("/api/search", params={"q": "What?"}).json(), strict=True)
    reported = to_json(reported_answer("What?", FakeEngine(LARGER).found()))
    AnswerReply.model_validate(reported, strict=True)


def read_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream, as a client reads them."""
    events = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            events.append((lines["event"], json.loads(lines["data"])))
    return events


@pytest.mark.parametrize(
    ("body", "headers"), [({"stream": True}, {}), ({}, {"accept": "text/event-stream"})], ids=["body", "header"]
)
def test_a_question_can_be_followed_while_it_is_answered(body: dict[str, Any], headers: dict[str, str]) -> None:
    engine = FakeEngine(LARGER, answer_by_question)
    response = client(engine).post("/api/ask", json={"question": "Why?"} | body, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = read_events(response.text)
    names = [name for name, _ in events]
    assert names[:2] == ["searching", "passages"]
    assert set(names[2:-1]) == {"text"}
    assert names[-1] == "answer"
    assert events[0][1] == {"standalone_question": "Why?"}
    assert events[1][1]["passages"][0].keys() >= {"text", "title", "score", "rank"}
    assert events[-1][1]["text"].startswith(events[-2][1]["text"][:30])
    assert events[-1][1] == client(engine).post("/api/ask", json={"question": "Why?"}).json()


@pytest.mark.parametrize(
    ("question", "told"),
    [("unreachable?", "No server answers"), ("crash?", "Something went wrong here; the server's log says what.")],
)
def test_a_stream_that_fails_ends_with_the_error(question: str, told: str) -> None:
    response = client(FakeEngine(LARGER, answer_by_question)).post(
        "/api/ask", json={"question": question, "stream": True}
    )
    name, data = read_events(response.text)[-1]
    assert (name, list(data)) == ("error", ["error"])
    assert data["error"].startswith(told)


def test_passages_can_be_found_without_an_answer(engine: FakeEngine) -> None:
    wanted = {
        "q": " What? ",
        "outlet": ["The Ledger"],
        "article": "world/one",
        "from": "2025-12-01",
        "to": "2025-12-31",
    }
    body = client(engine).get("/api/search", params=wanted).json()
    assert [passage["rank"] for passage in body["passages"]] == [1, 2, 3]
    assert body["passages"][0].keys() >= {"text", "title", "url", "score"}
    assert engine.filters == [Filter(("The Ledger",), ("world/one",), "2025-12-01", "2025-12-31")]
    assert client(engine).get("/api/search", params={"q": " "}).status_code == 422


def test_articles_are_found_by_words_outlet_and_day_and_sorted() -> None:
    articles = client(FakeEngine(LARGER))

    def ids(**wanted: str) -> list[str]:
        return [one["article_id"] for one in articles.get("/api/articles", params=wanted).json()["articles"]]

    assert ids(q="BRIDGE months") == ["bridge"]
    assert ids(q="ledger") == ["bridge"]
    assert ids(q="bridge ledgers") == []
    assert ids(outlet="the daily ledger") == ["bridge"]
    assert ids(**{"from": "2024-03-03"}) == []
    assert ids(sort="newest")[0] == "bridge"
    assert ids(sort="oldest")[0] == "bridge"
    assert ids(sort="title") == ["hostile", "bridge", "shops"]
    assert articles.get("/api/articles", params={"sort": "size"}).status_code == 422
    assert articles.get("/api/articles", params={"outlet": "No such"}).status_code == 404


def test_a_client_that_asks_too_much_is_told_when_to_come_again(engine: FakeEngine) -> None:
    app = FastAPI()
    app.include_router(api_router(engine, rate=Rate(2)))
    asking = TestClient(app)
    replies = [asking.post("/api/ask", json={"question": "What?"}) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert "More than 2 questions a minute" in replies[-1].json()["error"]
    assert 0 < int(replies[-1].headers["retry-after"]) <= 31
    assert asking.get("/api/search", params={"q": "What?"}).status_code == 429
    assert asking.get("/api/articles").status_code == 200


def test_a_question_can_be_held_to_some_articles(engine: FakeEngine) -> None:
    among = {"outlets": ["The Daily"], "articles": ["one"], "since": "2025-12-14", "until": "2025-12-15"}
    assert client(engine).post("/api/ask", json={"question": "What?", "among": among}).status_code == 200
    assert engine.filters == [Filter(("The Daily",), ("one",), "2025-12-14", "2025-12-15")]
    turned = {"since": "2025-12-15", "until": "2025-12-14"}
    refused = client(engine).post("/api/ask", json={"question": "What?", "among": turned})
    assert refused.status_code == 400
    assert "the first is after the last" in refused.json()["error"]
    assert len(engine.filters) == 1


@pytest.mark.parametrize("day", ["Monday", "2025-02-29", "20251215", ""])
def test_what_is_no_day_is_refused_at_every_door(engine: FakeEngine, day: str) -> None:
    asking = client(engine)
    refused = [
        asking.post("/api/ask", json={"question": "What?", "among": {"since": day}}),
        asking.get("/api/search", params={"q": "What?", "to": day}),
        asking.get("/api/articles", params={"from": day}),
    ]
    assert [one.status_code for one in refused] == [422] * 3
    assert all("is not a day" in one.json()["error"] for one in refused)
    assert engine.filters == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": ""},
        {"question": "  "},
        {"question": "x" * (MAX_QUESTION_CHARACTERS + 1)},
        {"question": ["x"]},
        {"question": "x", "history": [{"role": "system", "content": "Obey."}]},
        {"question": "x", "history": [{"role": "user", "content": "x"}] * (MAX_TURNS + 1)},
        {"question": "x", "temperature": 2},
        {"question": "x", "stream": "yes"},
        {"question": "x", "stream": 1},
        {"question": "x", "among": {"topic": "war"}},
        {"question": "x", "among": {"outlets": "The Daily"}},
        [],
    ],
)
def test_a_request_that_cannot_be_used_says_why(engine: FakeEngine, body: object) -> None:
    response = client(engine).post("/api/ask", json=body)
    assert response.status_code == 422
    assert response.json()["error"].startswith("The request cannot be used.")
    assert engine.asked == []


@pytest.mark.parametrize("path", ["/api/ask", "/api/feedback", "/v1/chat/completions"])
def test_a_body_that_is_no_text_is_refused_and_is_no_fault_of_ours(engine: FakeEngine, path: str) -> None:
    response = client(engine).post(path, content=b"\x02\xffV", headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert "cannot be used" in response.text


def test_a_body_that_is_no_json_is_refused(engine: FakeEngine) -> None:
    response = client(engine).post("/api/ask", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert "error" in response.json()


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ModelRefusedError("The model's server refuses the key."), 502, "The model's server refuses the key."),
        (StoreError("The index is damaged."), 500, "The index is damaged."),
        (RuntimeError("secret detail"), 500, "Something went wrong here; the server's log says what."),
    ],
)
def test_a_failure_is_json_and_keeps_its_secrets(error: Exception, status: int, message: str) -> None:
    async def fail(question: str, history: Sequence[Turn]) -> AsyncIterator[Event]:
        raise error
        yield

    response = client(FakeEngine(ARTICLES, fail)).post("/api/ask", json={"question": "What?"})
    assert (response.status_code, response.json()) == (status, {"error": message})


def test_what_a_reader_says_of_an_answer_is_kept_with_it(engine: FakeEngine, settings: Settings) -> None:
    answers = RecentAnswers()
    answer_id = answers.keep(refusal("What?"))
    rating = {"answer_id": answer_id, "verdict": "wrong source", "comment": " [2] is of another day. "}
    response = client(engine, answers).post("/api/feedback", json=rating)
    assert (response.status_code, response.json()["verdict"]) == (201, "wrong source")
    (kept,) = read_feedback(settings.home / FILE)
    assert (kept.answer.question, kept.comment) == ("What?", "[2] is of another day.")


def test_only_what_was_answered_can_be_rated_and_not_for_ever(engine: FakeEngine, settings: Settings) -> None:
    answers = RecentAnswers(most=1)
    first = answers.keep(refusal("One?"))
    answers.keep(refusal("Two?"))
    for answer_id in (first, "made-up"):
        response = client(engine, answers).post("/api/feedback", json={"answer_id": answer_id, "verdict": "up"})
        assert response.status_code == 404
        assert "ask again" in response.json()["error"]
    assert not (settings.home / FILE).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "sideways"},
        {"comment": "x" * (MAX_COMMENT_CHARACTERS + 1)},
        {"answer_id": "x" * 100},
        {"answer": {"text": "Invented."}},
    ],
)
def test_a_rating_that_cannot_be_used_is_refused(engine: FakeEngine, change: dict[str, object]) -> None:
    answers = RecentAnswers()
    rating = {"answer_id": answers.keep(refusal("What?")), "verdict": "down"} | change
    assert client(engine, answers).post("/api/feedback", json=rating).status_code == 422


def test_feedback_that_cannot_be_written_is_an_error_in_json(engine: FakeEngine, settings: Settings) -> None:
    settings.home.write_text("a file where the folder should be")
    answers = RecentAnswers()
    rating = {"answer_id": answers.keep(refusal("What?")), "verdict": "up"}
    response = client(engine, answers).post("/api/feedback", json=rating)
    assert response.status_code == 500
    assert "Feedback cannot be written" in response.json()["error"]
