import json
import re

from fastapi import FastAPI
from fastapi.testclient import TestClient

from rag.api import api_router
from rag.shield import Shield
from tests.fake_engine import ARTICLES, FakeEngine, answer_by_question

HOME = "http://127.0.0.1:7860"


def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api_router(FakeEngine(ARTICLES, answer_by_question)))
    app.add_middleware(Shield, local_only=True)
    return TestClient(app, base_url=HOME)


def test_the_schema_names_every_route_and_what_it_sends() -> None:
    described = client().get("/api/openapi.json").json()
    assert described["paths"].keys() == {
        "/api/ask", "/api/search", "/api/passages", "/api/passages/{passage_id}", "/api/articles",
        "/api/articles/{article_id}", "/api/feedback", "/healthz", "/v1/chat/completions", "/v1/models",
        "/v1/models/{model}",
    }  # fmt: skip
    answer = described["paths"]["/api/ask"]["post"]["responses"]["200"]["content"]
    assert answer["application/json"]["schema"] == {"$ref": "#/components/schemas/AnswerReply"}
    assert "text/event-stream" in answer
    assert described["paths"]["/v1/chat/completions"]["post"]["responses"]["default"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/OpenAIErrorReply"}}
    }


def test_the_schema_tells_what_the_events_of_a_stream_hold() -> None:
    described = client().get("/api/openapi.json").json()
    sent = described["paths"]["/api/ask"]["post"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    data = {
        one["properties"]["event"]["const"]: one["properties"]["data"]["contentSchema"]["$ref"].rpartition("/")[2]
        for one in sent["contentSchema"]["items"]["oneOf"]
    }
    stream = client().post("/api/ask", json={"question": "Why?", "stream": True})
    for lines in stream.text.strip().split("\n\n"):
        name, _, text = lines.removeprefix("event: ").partition("\ndata: ")
        assert json.loads(text).keys() == described["components"]["schemas"][data[name]]["properties"].keys()


def test_the_schema_holds_a_day_to_what_a_day_can_be() -> None:
    described = client().get("/api/openapi.json").json()
    parameters = {one["name"]: one for one in described["paths"]["/api/articles"]["get"]["parameters"]}
    day = parameters["from"]["schema"]["anyOf"][0]
    assert day["format"] == "date"
    assert re.fullmatch(day["pattern"], "2025-12-15")
    assert not re.fullmatch(day["pattern"], "Monday")


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    response = client().get("/api/openapi.json")
    named = set(re.findall(r'"#/components/schemas/(\w+)"', response.text))
    assert named <= response.json()["components"]["schemas"].keys()


def test_the_page_needs_no_script_and_no_other_server() -> None:
    page = client().get("/api")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
    assert f"curl {HOME}/api/ask" in page.text
    assert "<code>POST /api/ask</code>" in page.text


def test_every_link_of_the_page_leads_somewhere() -> None:
    page = client().get("/api").text
    targets = set(re.findall(r'href="#(\w+)"', page))
    assert targets
    assert targets <= set(re.findall(r'id="(\w+)"', page))


def test_a_host_cannot_write_into_the_page() -> None:
    app = FastAPI()
    app.include_router(api_router(FakeEngine(ARTICLES, answer_by_question)))
    page = TestClient(app).get("/api", headers={"host": 'x"><img src=y>'}).text
    assert "<img" not in page
