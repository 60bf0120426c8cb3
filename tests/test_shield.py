import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.testclient import TestClient

from rag.shield import MAX_BODY_BYTES, Shield, is_loopback

HOME = "http://127.0.0.1:7860"


def client(*, local_only: bool = True) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/page")
    def page() -> HTMLResponse:
        return HTMLResponse("<html><script>one()</script><SCRIPT src='a.js'></SCRIPT><p>scripts</p></html>")

    @app.get("/events")
    def events() -> StreamingResponse:
        def stream() -> Iterator[bytes]:
            yield b"data: <script>\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    @app.post("/ask")
    async def ask(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    app.add_middleware(Shield, local_only=local_only)
    return TestClient(app, base_url=HOME)


def test_every_script_of_a_page_has_the_nonce_of_its_policy() -> None:
    response = client().get("/page")
    policy = response.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    assert response.text.count(f'nonce="{nonce[1]}"') == 2
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert int(response.headers["content-length"]) == len(response.content)


def test_each_page_has_a_nonce_of_its_own() -> None:
    policies = {client().get("/page").headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


def test_what_is_no_page_passes_unchanged() -> None:
    response = client().get("/events")
    assert response.content == b"data: <script>\n\n"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": HOME},
        {"origin": HOME, "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_the_page_itself_and_programs_may_ask(headers: dict[str, str]) -> None:
    assert client().post("/ask", content=b"12", headers=headers).json() == {"bytes": 2}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": HOME},
    ],
)
def test_a_page_of_another_origin_may_not_ask(headers: dict[str, str]) -> None:
    response = client().post("/ask", content=b"12", headers=headers)
    assert response.status_code == 403
    assert "error" in response.json()


def test_a_foreign_name_that_points_here_is_refused() -> None:
    assert client().get("/page", headers={"host": "evil.example:7860"}).status_code == 421
    assert client(local_only=False).get("/page", headers={"host": "news.example"}).status_code == 200


def test_a_body_that_announces_too_much_is_refused() -> None:
    response = client().post("/ask", content=b"x" * (MAX_BODY_BYTES + 1))
    assert (response.status_code, "error" in response.json()) == (413, True)


def test_a_body_that_turns_out_too_large_is_refused() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * (MAX_BODY_BYTES // 2)

    response = client().post("/ask", content=pieces())
    assert response.status_code == 413


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "byline.localhost"])
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_names_of_others(host: str) -> None:
    assert not is_loopback(host)
