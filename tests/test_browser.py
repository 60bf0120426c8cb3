import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from index.settings import Settings
from rag.engine import open_engine
from rag.feedback import read_feedback
from rag.page import Engine, mount_page
from tests.fake_engine import ARTICLES, SPY, FakeEngine, answer_by_question

pytestmark = [
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


@contextmanager
def serving(engine: Engine) -> Iterator[str]:
    """The page over `engine` on a free port, in a thread of this process."""
    app = mount_page(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), engine, local_only=True)
    listening = socket.create_server(("127.0.0.1", 0))
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
    settings = Settings(home=tmp_path_factory.mktemp("site"))
    engine = FakeEngine(ARTICLES, answer_by_question, model="test/model", settings=settings)
    with serving(engine) as url:
        yield Site(url, engine)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
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
        self.page.get_by_label("Your question").fill(question)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("[data-testid=user]").last).to_have_text(question)
        if wait:
            self.wait_for_answer()

    def wait_for_answer(self) -> None:
        expect(self.page.locator("[data-testid=bot]").last).not_to_be_empty()
        expect(self.page.locator(".byline-caret")).to_have_count(0)
        expect(self.page.get_by_role("button", name="Send", exact=True)).to_be_visible()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait for something outside the browser."""
        deadline = time.monotonic() + 10
        while not holds() and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert holds()

    def chip(self, number: int) -> Any:
        return self.page.get_by_role("link", name=re.compile(f"^Source {number}: "))


def visit(browser: Browser, site: Site, **options: Any) -> Iterator[Visit]:
    context: BrowserContext = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(10_000)
    expect.set_options(timeout=10_000)
    page = context.new_page()
    seen = Visit(page, [], [])
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.on("console", lambda line: seen.problems.append(line.text) if line.type == "error" else None)
    page.goto(site.url)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    yield seen
    context.close()


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Visit]:
    yield from visit(browser, site, viewport={"width": 1280, "height": 800})


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Visit]:
    yield from visit(browser, site, viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")


def test_the_empty_page_offers_questions_and_articles(desk: Visit) -> None:
    expect(desk.page.get_by_role("heading", name="What do you want to know?")).to_be_visible()
    expect(desk.page.locator("#byline-about")).to_contain_text("Answers from 3 articles, written by test/model.")
    expect(desk.page.locator(".byline-suggestion")).to_have_count(3)
    desk.page.get_by_role("button", name="Shops fear a lost summer").click()
    expect(desk.page.locator("#byline-sources")).to_contain_text("Mayor Anna Berg said")
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("button", name="Shops fear a lost summer")).to_be_focused()


def test_a_suggested_question_is_asked_by_its_button(desk: Visit) -> None:
    button = desk.page.locator(".byline-suggestion").first
    text = button.inner_text()
    button.click()
    expect(desk.page.locator("[data-testid=user]")).to_have_text(text)
    expect(desk.chip(1)).to_be_visible()
    expect(button).not_to_be_visible()


def test_a_citation_opens_the_article_at_its_words_and_escape_goes_back(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    chip = desk.chip(3)
    chip.focus()
    desk.page.keyboard.press("Enter")
    mark = desk.page.locator("#byline-sources mark")
    expect(mark).to_have_text("Mayor Anna Berg said shops lost a third of their takings.")
    expect(mark).to_be_in_viewport()
    expect(mark).to_be_focused()
    expect(chip).to_have_attribute("aria-current", "true")
    desk.page.keyboard.press("Escape")
    expect(chip).to_be_focused()
    expect(desk.page.locator("#byline-sources mark")).to_have_count(0)


def test_offsets_count_characters_beyond_the_basic_plane_once(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.chip(1).click()
    mark = desk.page.locator("#byline-sources mark")
    expect(mark).to_have_text("🌉 The bridge closed on 8 April for six months.")
    expect(desk.page.get_by_role("link", name="Open the original at news.example")).to_have_attribute(
        "href", "https://news.example/bridge"
    )


def test_sources_are_listed_by_article_the_cited_ones_first(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    panel = desk.page.locator("#byline-sources")
    expect(panel.get_by_role("heading", level=3)).to_have_text(["Cited in the answer", "Also found"])
    expect(panel.locator("section").first.get_by_role("heading", level=4)).to_have_text(
        ["Harbour bridge to close for six months", "Shops fear a lost summer"]
    )
    expect(panel).to_contain_text("The Daily Ledger · 2024-03-02")
    panel.get_by_role("button", name=re.compile("^Source 3 ")).click()
    desk.page.get_by_role("button", name="← All sources").click()
    expect(panel.get_by_role("button", name=re.compile("^Source 3 "))).to_be_focused()


def test_a_doubtful_sentence_says_why(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    doubt = desk.page.locator(".byline-doubt")
    expect(doubt).to_have_text("Every shop closed 3.")
    expect(doubt).to_have_css("text-decoration-style", "dotted")
    doubt.hover()
    card = desk.page.get_by_role("tooltip")
    expect(card).to_have_text("The words say a third of their takings.")
    desk.page.mouse.move(0, 0)
    expect(card).to_have_count(0)
    desk.chip(1).focus()
    desk.page.keyboard.press("Tab")
    expect(doubt).to_be_focused()
    expect(card).to_have_text("The words say a third of their takings.")
    expect(doubt).to_have_attribute("aria-describedby", "byline-card")


def test_a_touch_shows_why_a_sentence_is_in_doubt(phone: Visit) -> None:
    phone.ask("Why did the bridge close?")
    phone.page.locator(".byline-doubt").tap(position={"x": 20, "y": 8})
    expect(phone.page.get_by_role("tooltip")).to_have_text("The words say a third of their takings.")


def test_who_else_reports_it_and_who_differs_open_at_their_words(desk: Visit) -> None:
    desk.ask("How long is the bridge closed, as reported?")
    expect(desk.page.locator(".byline-standing")).to_have_text(
        [
            "Reported by 2 independent sources: The Daily Ledger; Shops fear a lost summer",
            "Sources differ: how long the bridge is closed",
        ]
    )
    rows = desk.page.locator("[data-testid=bot] tr")
    expect(rows).to_have_text(
        [
            re.compile(r"They say\s*Source"),
            re.compile(r"six months\s*The Daily Ledger"),
            re.compile(r"the whole summer \| <b>\s*Shops fear a lost summer"),
        ]
    )
    mark = desk.page.locator("#byline-sources mark")
    for link, words in (("Shops fear a lost summer", "Mayor Anna Berg"), ("six months", "closed on 8 April")):
        opened = desk.page.locator("[data-testid=bot]").get_by_role("link", name=link, exact=True)
        opened.press("Enter")
        expect(mark).to_contain_text(words)
        desk.page.keyboard.press("Escape")
        expect(opened).to_be_focused()
    assert desk.problems == []


def test_an_answer_is_rated_by_keyboard_and_kept_with_its_comment(desk: Visit, site: Site) -> None:
    desk.ask("Why did the bridge close?")
    kept = site.engine.settings.home / "feedback.jsonl"
    helpful = desk.page.get_by_role("button", name="Helpful", exact=True)
    helpful.focus()
    desk.page.keyboard.press("Space")
    expect(helpful).to_have_attribute("aria-pressed", "true")
    wrong = desk.page.get_by_role("button", name="Wrong source")
    wrong.press("Enter")
    expect(desk.page.get_by_role("dialog", name="Which source is wrong?")).to_be_visible()
    expect(desk.page.get_by_label("Comment (optional)")).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(wrong).to_be_focused()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    wrong.press("Enter")
    desk.page.keyboard.type("[3] speaks of takings.")
    desk.page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(wrong).to_have_attribute("aria-pressed", "true")
    expect(helpful).to_have_attribute("aria-pressed", "false")
    assert [(given.verdict, given.comment) for given in read_feedback(kept)] == [
        ("up", ""),
        ("wrong source", "[3] speaks of takings."),
    ]
    assert desk.problems == []


def test_a_rating_that_cannot_be_kept_says_why(desk: Visit) -> None:
    desk.page.route("**/api/feedback", lambda route: route.fulfill(status=500, json={"error": "The disk is <full>."}))
    desk.ask("Why did the bridge close?")
    desk.page.get_by_role("button", name="Not helpful").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(desk.page.get_by_role("alert")).to_have_text("The disk is <full>.")
    desk.page.get_by_role("button", name="Cancel").click()
    expect(desk.page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "false")


def test_a_refusal_shows_no_sources(desk: Visit) -> None:
    desk.ask("What is the weather?")
    expect(desk.page.locator("[data-testid=bot] p").first).to_have_text("The articles do not answer this question.")
    expect(desk.page.locator("#byline-chat a:not([role=button])")).to_have_count(0)
    expect(desk.page.locator("#byline-sources")).to_contain_text("nothing is cited")


def test_hostile_text_stays_text_and_asks_nothing_of_anybody(desk: Visit, site: Site) -> None:
    desk.ask("hostile?")
    bot = desk.page.locator("[data-testid=bot]")
    expect(bot).to_contain_text("<img src=")
    expect(bot).to_contain_text("${window.broken=1}")
    desk.chip(2).click()
    expect(desk.page.locator("#byline-sources article")).to_contain_text("<script>window.broken=1</script>")
    for place in ("#byline-chat [data-testid]", "#byline-sources"):
        inside = desk.page.locator(f"{place} :is(img, script, form, iframe, [style*=url], [onerror], .katex)")
        expect(inside).to_have_count(0)
    desk.ask(f"hostile <img src={SPY}> ![x]({SPY})")
    expect(desk.page.locator("[data-testid=user] img")).to_have_count(0)
    assert {request for request in desk.requests if not request.startswith((site.url, "data:"))} == set()
    assert desk.problems == []


def test_stop_ends_an_answer_and_the_next_question_works(desk: Visit) -> None:
    desk.ask("slow?", wait=False)
    expect(desk.page.locator("[data-testid=bot]")).to_contain_text("word word")
    expect(desk.page.locator("[role=log]")).to_have_attribute("aria-busy", "true")
    desk.page.get_by_role("button", name="Stop", exact=True).click()
    expect(desk.page.locator("[data-testid=bot]")).to_contain_text("Stopped.")
    expect(desk.page.locator("[role=log]")).to_have_attribute("aria-busy", "false")
    desk.ask("Why?")
    expect(desk.chip(1)).to_be_visible()


def test_retry_undo_and_new_chat(desk: Visit, site: Site) -> None:
    desk.ask("Why & how?")
    before = len(site.engine.asked)
    desk.page.get_by_role("button", name="Retry", exact=True).click()
    desk.wait_until(lambda: len(site.engine.asked) > before)
    desk.wait_for_answer()
    assert [asked for asked, _ in site.engine.asked[before:]] == ["Why & how?"]
    desk.page.get_by_role("button", name="Undo", exact=True).click()
    expect(desk.page.get_by_label("Your question")).to_have_value("Why & how?")
    expect(desk.page.locator("[data-testid=user]")).to_have_count(0)
    desk.ask("Why?")
    desk.page.get_by_role("button", name="New chat").click()
    expect(desk.page.get_by_role("heading", name="What do you want to know?")).to_be_visible()


def test_a_question_is_edited_as_typed_and_asked_again(desk: Visit, site: Site) -> None:
    desk.ask("Why <now>?")
    desk.page.get_by_role("button", name="Edit").click()
    area = desk.page.locator("#byline-chat textarea")
    expect(area).to_have_value("Why <now>?")
    area.fill("Why <then>?")
    desk.page.get_by_role("button", name="Submit").click()
    expect(desk.page.locator("[data-testid=user]")).to_have_text("Why <then>?")
    desk.wait_until(lambda: site.engine.asked[-1][0] == "Why <then>?")
    assert site.engine.asked[-1] == ("Why <then>?", [])


def test_a_citation_of_an_earlier_answer_still_opens(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.ask("What is the weather?")
    desk.chip(3).click()
    expect(desk.page.locator("#byline-sources mark")).to_contain_text("Mayor Anna Berg")


def test_a_copied_answer_is_plain_text_with_its_sources(desk: Visit) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.ask("Why did the bridge close?")
    desk.page.get_by_role("button", name="Copy message").last.click()
    expect(desk.page.get_by_text("Copied with its sources")).to_be_attached()
    assert desk.page.evaluate("navigator.clipboard.readText()") == (
        "The bridge closed on 8 April [1].\n\nEvery shop closed [3].\n\n"
        "[1] Harbour bridge to close for six months, The Daily Ledger, 2024-03-02\n[3] Shops fear a lost summer"
    )


def test_an_error_is_shown_as_text(desk: Visit) -> None:
    desk.ask("unreachable?")
    expect(desk.page.locator(".byline-problem")).to_have_text(
        "No server answers at <b>http://localhost:1</b>; start it."
    )


def test_on_a_phone_the_sources_are_a_sheet_over_a_page_at_rest(phone: Visit) -> None:
    phone.ask("Why did the bridge close?")
    panel = phone.page.locator("#byline-sources")
    expect(panel).not_to_be_visible()
    phone.chip(1).click()
    expect(phone.page.locator("#byline-sources mark")).to_be_focused()
    assert phone.page.locator("gradio-app").evaluate("element => element.inert") is True
    box = panel.bounding_box()
    assert box is not None
    assert 0.8 < box["height"] / 844 < 0.88
    phone.page.get_by_role("button", name="Close", exact=True).click()
    expect(panel).not_to_be_visible()
    expect(phone.chip(1)).to_be_focused()
    phone.page.get_by_role("button", name=re.compile(r"^Sources \(\d+\)$")).click()
    expect(panel.get_by_role("heading", name="Sources")).to_be_focused()
    phone.page.keyboard.press("Escape")
    expect(panel).not_to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") is True


# --- the real engine --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("page") / "home"
    with open_engine(Settings(home=home, llm="none"), owner="a test") as engine, serving(engine) as url:
        yield Site(url, engine)


@pytest.fixture
def reader(browser: Browser, real_site: Site) -> Iterator[Visit]:
    yield from visit(browser, real_site, viewport={"width": 1280, "height": 800})


def test_the_articles_that_ship_answer_with_five_hours_at_its_place(reader: Visit) -> None:
    reader.ask("How long did the talks on Sunday last?")
    expect(reader.page.locator("[data-testid=bot]")).to_contain_text(re.compile("five hours|5 hours"))
    reader.page.get_by_role("link", name=re.compile("^Source ")).first.click()
    mark = reader.page.locator("#byline-sources mark").first
    expect(mark).to_contain_text(re.compile("five hours|5 hours"))
    expect(mark).to_be_in_viewport()
    assert reader.problems == []


def test_every_suggested_question_is_answered(reader: Visit) -> None:
    for question in reader.page.locator(".byline-suggestion").all_inner_texts():
        reader.ask(question)
        expect(
            reader.page.locator("[data-testid=bot]").last.get_by_role("link", name=re.compile("^Source "))
        ).not_to_have_count(0)
