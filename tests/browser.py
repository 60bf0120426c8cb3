"""Headless Chromium and a running page, for the browser tests: one browser and one server a module.

A test module imports the fixtures it uses, as themselves: `from tests.browser import desk as desk`.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from index.settings import Settings
from rag.changes import Changes
from rag.page import Engine, mount_page
from tests.fake_engine import ARTICLES, FakeEngine, answer_by_question

TIMEOUT_MS = 60_000
"""How long to wait for what should be there at once: the machine may be busy."""

MARKS = [
    pytest.mark.browser,
    # Gradio's own count of its queue uses two things of pandas that pandas is about to drop.
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting.*"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated.*"),
]


@dataclass(frozen=True)
class Site:
    """A running page."""

    url: str
    engine: Any
    other: Any = None


@contextmanager
def serving(
    engine: Engine, *, others: Sequence[Engine] = (), changes: Changes | None = None, port: int = 0
) -> Iterator[str]:
    """The page over `engine` on a port, a free one where none is given, in a thread of this process."""
    app = mount_page(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        engine,
        local_only=True,
        others=others,
        changes=changes,
    )
    listening = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(timeout=15)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page over the scripts of `tests/fake_engine.py`, with a second model to choose."""
    settings = Settings(home=tmp_path_factory.mktemp("site"))
    engine = FakeEngine(ARTICLES, answer_by_question, model="test/model", settings=settings)
    other = FakeEngine(ARTICLES, answer_by_question, model="none", settings=settings)
    with serving(engine, others=[other]) as url:
        yield Site(url, engine, other)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None)
    if chromium is None:
        reason = "Debian's chromium is not installed (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield running
        running.close()


@dataclass
class Visit:
    """One person's browser tab, and what it asked of whom."""

    page: Page
    requests: list[str]
    problems: list[str]

    def ask(self, question: str, *, wait: bool = True) -> None:
        """Type a question and send it."""
        box = self.page.get_by_label("Your question")
        box.fill(question)
        box.press("Enter")  # into the box itself: a dialog that just closed may still take the focus back
        expect(self.page.locator("[data-testid=user]").last).to_have_text(question)
        if wait:
            self.wait_for_answer()

    def wait_for_answer(self) -> None:
        """Wait until the answer is whole and the next question can be asked."""
        expect(self.page.locator("[data-testid=bot]").last).not_to_be_empty()
        expect(self.page.locator(".byline-caret")).to_have_count(0)
        expect(self.page.get_by_role("button", name="Send", exact=True)).to_be_visible()

    def point_at(self, what: Locator) -> None:
        """Move the mouse onto something until it is told about; what comes below an answer may still move it away."""

        def told() -> bool:
            self.page.mouse.move(0, 0)
            what.hover()
            self.page.wait_for_timeout(500)
            return self.page.get_by_role("tooltip").is_visible()

        self.wait_until(told)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait for something outside the browser."""
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while not holds() and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert holds()

    def chip(self, number: int) -> Any:
        """The citation of a number in the answer."""
        return self.page.get_by_role("link", name=re.compile(f"^Source {number}: "))


DESK: Any = {"width": 1280, "height": 800}
PHONE: Any = {"width": 390, "height": 844}


def visit(browser: Browser, site: Site, *, path: str = "", **options: Any) -> Iterator[Visit]:
    """One person's visit to a page; afterwards nothing may have gone wrong that a test has not taken out."""
    context: BrowserContext = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    page = context.new_page()
    seen = Visit(page, [], [])
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.on("console", lambda line: seen.problems.append(line.text) if line.type == "error" else None)
    page.goto(site.url + path)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    yield seen
    context.close()


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Visit]:
    """A wide window, light."""
    yield from visit(browser, site, viewport=DESK)


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Visit]:
    """A phone, dark."""
    yield from visit(browser, site, viewport=PHONE, has_touch=True, color_scheme="dark")
