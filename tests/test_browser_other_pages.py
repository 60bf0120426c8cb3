"""The pages beside the chat, checked by axe: login, for programs, evaluation, an exported conversation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from eval.report import write_reports
from eval.runs_page import runs_router
from index.settings import Settings
from rag.export import Exchange, conversation_html
from rag.page import mount_page
from tests.browser import DESK, MARKS, PHONE, TIMEOUT_MS, Visit
from tests.browser import browser as browser
from tests.evaluation import make_run
from tests.fake_engine import ARTICLES, FakeEngine, answer_by_question
from tests.served import served
from tests.test_browser_everyone import assert_clean
from tests.test_kept import WHOLE
from tests.test_passwords import quick

pytestmark = [*MARKS, pytest.mark.parametrize("view", [DESK, PHONE], ids=["desk", "phone"])]

PASSWORD = "correct horse"


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a run to look at; made before the browser runs, in whose loop no other may be started."""
    home = tmp_path_factory.mktemp("others")
    write_reports(make_run(home / "made", name="first"))
    return home


@pytest.fixture(scope="module")
def address(home: Path, browser: Browser) -> Iterator[str]:
    """The page behind a login."""
    settings = Settings(home=home, auth=SecretStr(f"anna:{quick(PASSWORD)}"))
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(runs_router([home / "made"]))
    engine = FakeEngine(ARTICLES, answer_by_question, settings=settings)
    with served(mount_page(app, engine, local_only=True)) as url:
        yield url


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, view: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab of somebody who has not logged in."""
    context = browser.new_context(viewport=view, color_scheme=request.param, reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    yield context.new_page()
    context.close()


def assert_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") is True


def test_login_and_the_pages_behind_it(page: Page, address: str) -> None:
    seen = Visit(page, [], [])
    page.on("console", lambda line: seen.problems.append(line.text) if line.type == "error" else None)
    page.goto(f"{address}/evaluation")
    assert_clean(seen, "login")
    assert_fits(page)
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/evaluation")
    expect(page.locator("table").first).to_be_visible()
    assert_clean(seen, "evaluation")
    page.goto(f"{address}/api")
    expect(page.locator("body")).to_contain_text("/api/ask")
    assert_clean(seen, "for programs")
    assert_fits(page)
    assert seen.problems == []


def test_an_exported_conversation(page: Page) -> None:
    page.set_content(conversation_html("Talks", [Exchange("How long?", WHOLE)], day="2026-01-31"))
    assert_clean(Visit(page, [], []), "an exported conversation")
    assert_fits(page)
