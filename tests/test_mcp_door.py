"""The tools, called by the protocol's own client: over HTTP, and by starting the command line."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from pydantic import SecretStr

from index.settings import Settings
from rag.api import api_router
from rag.api.desk import Desk
from rag.api.mcp_door import MAX_READ_CHARACTERS, DeskLibrary, tool_server
from rag.api.replies import AnswerReply
from rag.filters import Filter
from rag.gateway import guard
from rag.limits import Rate
from tests.fake_engine import ARTICLES, FakeEngine, answer_by_question, make_article
from tests.served import served
from tests.test_passwords import quick

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(home=tmp_path_factory.mktemp("mcp"))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api_router(FakeEngine(ARTICLES, answer_by_question, settings=settings)))
    guard(app, settings, local_only=True)
    with served(app) as url:
        yield f"{url}/mcp"


def words_of(result: Any) -> str:
    return "".join(part.text for part in result.content)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_agent_searches_asks_and_reads(address: str, mode: str) -> None:
    async with Client(address, mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() == {"search", "ask", "read_article"}
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
        found = await client.call_tool("search", {"question": "Why was the bridge closed?"})
        first = (found.structured_content or {})["passages"][0]
        answer = await client.call_tool("ask", {"question": "Why?"})
        AnswerReply.model_validate(answer.structured_content, strict=True)
        article = await client.call_tool("read_article", {"article_id": first["article_id"]})
        read = article.structured_content or {}
        assert read["text"][first["start"] : first["end"]] == first["text"]
        assert read["next"] is None


def test_a_body_that_is_no_json_is_refused_in_json(address: str) -> None:
    refused = httpx.post(address, content=b"a=1", headers={"content-type": "application/x-www-form-urlencoded"})
    assert refused.status_code == 415
    assert "must be JSON" in refused.json()["error"]


async def test_what_cannot_be_done_is_told_and_keeps_its_secrets(address: str) -> None:
    async with Client(address) as client:
        unknown = await client.call_tool("read_article", {"article_id": "no/such"})
        assert unknown.is_error
        assert words_of(unknown).endswith("No article has this id.")
        no_day = await client.call_tool("ask", {"question": "Why?", "since": "Monday"})
        assert "is not a day" in words_of(no_day)
        crash = await client.call_tool("ask", {"question": "crash?"})
        assert crash.is_error
        assert "secret" not in words_of(crash)
        assert (await client.call_tool("ask", {"question": "x" * 3000})).is_error


async def test_a_filter_reaches_the_engine_and_a_long_article_comes_in_parts() -> None:
    long = make_article("long", "word " * 9000)
    engine = FakeEngine([*ARTICLES, long], answer_by_question)
    async with Client(tool_server(DeskLibrary(Desk(engine)))) as client:
        await client.call_tool("ask", {"question": "Why?", "outlets": ["The Daily Ledger"], "since": "2024-01-01"})
        assert engine.filters[-1] == Filter(("The Daily Ledger",), (), "2024-01-01", None)
        text, start = "", 0
        while start is not None:
            part = (await client.call_tool("read_article", {"article_id": "long", "start": start})).structured_content
            assert part is not None
            assert len(part["text"]) <= MAX_READ_CHARACTERS
            text, start = text + part["text"], part["next"]
        assert text == long.text


async def test_an_agent_that_asks_too_much_is_told_when_to_come_again(tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(api_router(FakeEngine(ARTICLES, answer_by_question), rate=Rate(1)))
    with served(app) as url:
        async with Client(f"{url}/mcp") as client:
            assert not (await client.call_tool("ask", {"question": "Why?"})).is_error
            assert "a minute" in words_of(await client.call_tool("search", {"question": "Why?"}))


def test_a_foreign_page_and_a_stranger_get_no_tool(address: str, tmp_path: Path) -> None:
    assert httpx.post(address, json={}, headers={"origin": "https://evil.example"}).status_code == 403
    assert httpx.post(address, json={}, headers={"host": "evil.example"}).status_code == 421
    app = FastAPI()
    app.include_router(api_router(FakeEngine(ARTICLES)))
    guard(app, Settings(home=tmp_path, auth=SecretStr(f"anna:{quick('x')}")), local_only=True)
    with served(app) as url:
        assert httpx.post(f"{url}/mcp", json={}).status_code == 401


@pytest.mark.slow
async def test_an_agent_on_this_machine_starts_the_command_line(tmp_path: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "rag", "mcp"],
        cwd=ROOT,
        env={"BYLINE_HOME": str(tmp_path / "home"), "BYLINE_LLM": "none", "PATH": "/usr/bin:/bin"},
    )
    async with Client(server) as client:
        answer = await client.call_tool("ask", {"question": "How long were the talks on Sunday?"})
    assert "five hours" in (answer.structured_content or {})["text"]
