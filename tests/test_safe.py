"""The whole page as a stranger meets it: what Gradio opens by itself is closed, and a password covers everything."""

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from index.settings import Settings
from rag.page import mount_page
from tests.fake_engine import ARTICLES, FakeEngine, answer_by_question
from tests.proxied import proxy
from tests.served import served
from tests.test_passwords import quick

PASSWORD = "correct horse"


def page(home: Path, **more: Any) -> FastAPI:
    """The page over scripted answers."""
    engine = FakeEngine(ARTICLES, answer_by_question, settings=Settings(home=home, **more))

    async def mount() -> FastAPI:
        # Outside of a loop Gradio makes one for each lock and never closes it.
        return mount_page(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), engine, local_only=True)

    return asyncio.run(mount())


@pytest.fixture(scope="module")
def anyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(page(tmp_path_factory.mktemp("open"))) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    guarded = page(tmp_path_factory.mktemp("guarded"), auth=SecretStr(f"anna:{quick(PASSWORD)}"))
    with served(guarded) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1:1/"),
        ("GET", "/gradio_api/deep_link"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/gradio_api/mcp/"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=app.py"),
        ("GET", "/gradio_api/file=../../etc/passwd"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
    ],
)
def test_what_the_page_does_not_use_is_closed(anyone: httpx.Client, method: str, path: str) -> None:
    files = {"files": ("x.txt", b"x")} if path.endswith("upload") else None
    response = anyone.request(method, path, files=files)
    assert response.status_code in {403, 404, 405}, response.text[:200]
    assert "root:" not in response.text


def test_what_a_browser_gets_says_what_it_may_do(anyone: httpx.Client) -> None:
    for path in ("/", "/api/articles", "/api", "/healthz"):
        headers = anyone.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "microphone=()" in headers["permissions-policy"]
    policy = anyone.get("/").headers["content-security-policy"]
    for directive in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'self'", "form-action 'self'"):
        assert directive in policy
    assert "unsafe-eval" not in policy


def test_a_page_that_asks_to_be_another_is_not_believed(anyone: httpx.Client) -> None:
    config = anyone.get("/config", headers={"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"})
    assert "evil.example" not in config.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/config"),
        ("GET", "/gradio_api/info"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/queue/data"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/startup-events"),
        ("GET", "/theme.css"),
        ("GET", "/api"),
        ("GET", "/api/openapi.json"),
        ("GET", "/api/articles"),
        ("GET", "/api/articles/bridge"),
        ("GET", "/api/passages?ids=" + "0" * 32),
        ("GET", "/api/search?q=x"),
        ("POST", "/api/ask"),
        ("POST", "/api/feedback"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("POST", "/mcp"),
        ("GET", "/evaluation"),
        ("GET", "/logi%6e/../api/articles"),
        ("GET", "//api/articles"),
        ("GET", "/healthz/../api/articles"),
        ("OPTIONS", "/api/articles"),
        ("HEAD", "/"),
    ],
)
def test_a_password_covers_every_door(stranger: httpx.Client, method: str, path: str) -> None:
    response = stranger.request(method, path)
    assert response.status_code in {401, 403}, path
    assert "Harbour" not in response.text


def test_every_file_of_the_page_is_covered_as_well(stranger: httpx.Client) -> None:
    inside = stranger.get("/", auth=("anna", PASSWORD)).text
    files = set(re.findall(r"(?:byline/[0-9a-f]{12}|assets|static)/[\w.-]+\.\w+", inside))
    assert any(name.startswith("byline/") for name in files)
    for name in files:
        assert stranger.get(f"/{name}").status_code == 401
    assert stranger.get("/api/articles", auth=("anna", PASSWORD)).status_code == 200


@pytest.mark.parametrize("stripping", [True, False], ids=["prefix taken away", "prefix left"])
def test_behind_a_proxy_under_a_path_everything_is_where_it_says(tmp_path: Path, stripping: bool) -> None:
    app = page(tmp_path, root_path="/news", proxies=("127.0.0.1",), hosts=("news.example",))
    with (
        served(app) as inner,
        served(proxy(inner, stripping=stripping)) as outer,
        httpx.Client(base_url=outer, headers={"host": "news.example"}, timeout=60) as client,
    ):
        text = client.get("/news/").text
        config = client.get("/news/config").json()
        assert config["root"].rstrip("/") == "https://news.example/news"
        files = set(re.findall(r"byline/[0-9a-f]{12}/[\w.]+", text))
        assert files
        for name in files:
            assert client.get(f"/news/{name}").status_code == 200
        assert client.get("/news/api/articles").json()["total"] == 3
        assert client.get("/news/api/openapi.json").json()["servers"] == [{"url": "/news"}]
        assert "curl https://news.example/news/api/ask" in client.get("/news/api").text
        browser = {"origin": "https://news.example", "sec-fetch-site": "same-origin"}
        asked = client.post("/news/api/ask", json={"question": "Why?", "stream": True}, headers=browser)
        assert "event: answer" in asked.text
        foreign = client.post("/news/api/ask", json={"question": "Why?"}, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
