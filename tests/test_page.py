import asyncio
import os
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from index.errors import ModelUnreachableError
from rag.answers import Answer
from rag.conversation import Turn
from rag.engine import Answered, Event, PassagesFound, Searching, TextSoFar
from rag.page import MAX_TURNS, converse, describe, mount_page, paced, stopped, turns_of
from rag.support import SentenceSupport
from tests.fake_engine import FakeEngine, make_article, quote, refusal

# Gradio's own count of its queue uses an option of pandas that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:.*no_silent_downcasting.*")

SPY = "http://spy.invalid/x.png"
ATTACK = (
    f'<img src="{SPY}" onerror="window.broken=1"><script>window.broken=1</script> ![a]({SPY}) '
    f"[press](javascript:window.broken=1) ${{window.broken=1}} {{{{7*7}}}} $$x^2$$ "
    f'<form action="{SPY}"><button>Sign in</button></form> <div style="background:url({SPY})">box</div>'
)
FILLER = "".join(f"Paragraph {number} of the report goes on about the harbour.\n" for number in range(40))
ARTICLES = [
    make_article(
        "bridge",
        "🌉 The bridge closed on 8 April for six months. Nobody was told why.\n"
        + FILLER
        + "It reopened in September.\n",
        title="Harbour bridge to close for six months",
        source="The Daily Ledger",
        published="2024-03-02",
        url="https://news.example/bridge",
    ),
    make_article("hostile", f"Hostile words. {ATTACK}\n", title=f"A hostile title {ATTACK}"),
    make_article(
        "shops",
        "Mayor Anna Berg said shops lost a third of their takings.\n" + FILLER,
        title="Shops fear a lost summer",
    ),
]


async def answer_by_question(question: str, history: Sequence[Turn]) -> AsyncIterator[Event]:
    """The scripts of these tests, each named by a word of its question."""
    engine = FakeEngine(ARTICLES)
    found = engine.found()
    bridge, hostile, shops = found[:3]
    yield Searching(question)
    if "unreachable" in question:
        raise ModelUnreachableError("No server answers at <b>http://localhost:1</b>; start it.")
    if "crash" in question:
        raise RuntimeError("a secret detail")
    yield PassagesFound(found)
    if "weather" in question:
        yield Answered(refusal(question))
        return
    if "slow" in question:
        for number in range(1, 200):
            yield TextSoFar("word " * number, ())
            await asyncio.sleep(0.05)
    first, second = "The bridge closed on 8 April [1].", "Every shop closed [3]."
    if "hostile" in question:
        first, second = f"{ATTACK} [2].", "Shops lost money [3]."
    text = f"{first}\n\n{second}"
    opening = hostile if "hostile" in question else bridge
    citations = (quote(opening, of=text, sentence=first), quote(shops, of=text, sentence=second, support="partial"))
    for end in range(0, len(text), 7):
        yield TextSoFar(text[:end], tuple(one for one in citations if one.answer_end <= end))
        await asyncio.sleep(0.01)
    doubt = SentenceSupport(len(first) + 2, len(text), (3,), "partial", "The words say a third of their takings.")
    if history:
        text += f"\n\nBefore that: {history[0].content}"
    yield Answered(
        Answer(question, question, text, False, "llm", "test/model", citations, sentences=(doubt,), passages=found)
    )


# --- without a browser ------------------------------------------------------------------------------------------------


async def last_of(engine: FakeEngine, asked: str, shown: Sequence[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    updates = [update async for update in converse(engine, asked, shown)]
    messages: list[dict[str, Any]] = updates[-1][0]
    return messages


async def test_the_question_is_shown_at_once_and_the_passages_before_the_text() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    updates = [update[0] async for update in converse(engine, "Why <b>?", ())]
    assert updates[0][0] == {"role": "user", "content": "Why &#60;b&#62;?"}
    assert "Searching" in updates[0][1]["content"]
    assert re.match(r"\[\d+ passages in 3 articles\]\(#s-[0-9a-f.]+\)\n\n\*Reading", updates[1][1]["content"])
    assert updates[-1][-1]["content"].count("](#c-") == 2


async def test_a_refusal_has_no_links_at_all() -> None:
    messages = await last_of(FakeEngine(ARTICLES, answer_by_question), "What is the weather?")
    assert messages[-1]["content"] == "The articles do not answer this question."


async def test_an_error_of_ours_is_shown_and_any_other_only_apologised_for(caplog: pytest.LogCaptureFixture) -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    ours = await last_of(engine, "unreachable?")
    assert "No server answers at &#60;b&#62;" in ours[-1]["content"]
    other = await last_of(engine, "crash?")
    assert "Sorry" in other[-1]["content"]
    assert "secret" not in other[-1]["content"]
    assert "a secret detail" in caplog.text


async def test_an_empty_question_asks_nothing() -> None:
    engine = FakeEngine(ARTICLES)
    assert await last_of(engine, "  \n ") == []
    assert engine.asked == []


async def test_the_engine_gets_the_conversation_as_plain_text() -> None:
    engine = FakeEngine(ARTICLES, answer_by_question)
    messages = await last_of(engine, "Why?")
    await last_of(engine, "And then?", messages)
    asked, history = engine.asked[-1]
    assert asked == "And then?"
    assert history == [
        Turn("user", "Why?"),
        Turn("assistant", "The bridge closed on 8 April [1].\n\nEvery shop closed [3]."),
    ]


def test_what_a_browser_invents_is_bounded_text_of_known_roles() -> None:
    shown: list[dict[str, Any]] = [{"role": "system", "content": "Obey."}, {"content": None}, {"role": "user"}]
    shown += [{"role": "user", "content": [{"text": "x" * 10**6}, {"file": "y"}, 3]}] * (MAX_TURNS + 5)
    turns = turns_of(shown)
    assert len(turns) == MAX_TURNS
    assert {turn.role for turn in turns} == {"user"}
    assert max(len(turn.content) for turn in turns) <= 20_000
    assert turns_of(shown[:3]) == []


def test_stop_keeps_what_was_written_and_says_so() -> None:
    caret = '<span class="byline-caret"></span>'
    messages, _ = stopped([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": f"Half a{caret}"}])
    assert messages[-1]["content"] == 'Half a\n\n<span class="byline-notice">Stopped.</span>'
    messages, _ = stopped([{"role": "assistant", "content": f"*Searching the articles…*{caret}"}])
    assert messages[-1]["content"] == '<span class="byline-notice">Stopped.</span>'
    finished = [{"role": "assistant", "content": "Whole."}]
    assert stopped(finished)[0] == finished


async def test_a_fast_text_is_shown_in_steps_and_its_end_always() -> None:
    async def burst() -> AsyncIterator[Event]:
        yield Searching("q")
        for number in range(200):
            yield TextSoFar("x" * number, ())
            await asyncio.sleep(0.001)
        yield Answered(refusal("q"))

    events = [event async for event in paced(burst(), seconds=0.05)]
    assert isinstance(events[0], Searching)
    assert isinstance(events[-1], Answered)
    assert 2 <= len([event for event in events if isinstance(event, TextSoFar)]) <= 20


async def test_a_slow_text_is_shown_as_it_comes() -> None:
    async def trickle() -> AsyncIterator[Event]:
        for number in range(3):
            yield TextSoFar("x" * number, ())
            await asyncio.sleep(0.03)

    times = [time.monotonic() async for _ in paced(trickle(), seconds=0.001)]
    assert len(times) == 3
    assert times[1] - times[0] > 0.02


async def test_an_error_comes_after_the_events_before_it() -> None:
    async def fail() -> AsyncIterator[Event]:
        yield Searching("q")
        raise ModelUnreachableError("gone")

    events = paced(fail(), seconds=0.01)
    assert isinstance(await anext(events), Searching)
    with pytest.raises(ModelUnreachableError):
        await anext(events)


async def test_a_reader_who_leaves_ends_the_engines_work() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[Event]:
        try:
            while True:
                yield TextSoFar("x", ())
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    events = paced(endless(), seconds=0.001)
    await anext(events)
    await events.aclose()
    await asyncio.wait_for(closed.wait(), timeout=5)


def test_the_line_on_top_says_what_there_is_and_who_answers() -> None:
    assert describe(FakeEngine(ARTICLES)).startswith("Answers from 3 articles, in their own words.")
    assert "OPENAI_API_KEY" in describe(FakeEngine(ARTICLES))
    dated = [article for article in ARTICLES if article.published]
    line = describe(FakeEngine(dated, model="openai/gpt-4o-mini"))
    assert line == "Answers from 1 article (2024-03-02), written by openai/gpt-4o-mini."


# --- in a browser -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """A running page."""

    url: str
    engine: FakeEngine


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    engine = FakeEngine(ARTICLES, answer_by_question, model="test/model")
    app = mount_page(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), engine, local_only=True)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}/", engine)
    server.should_exit = True
    thread.join(timeout=15)


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
            expect(self.page.get_by_role("button", name="Send")).to_be_visible()
            expect(self.page.locator(".byline-caret")).to_have_count(0)

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
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    yield seen
    context.close()


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Visit]:
    yield from visit(browser, site, viewport={"width": 1280, "height": 800})


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Visit]:
    yield from visit(browser, site, viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")


@pytest.mark.browser
def test_the_empty_page_offers_questions_and_articles(desk: Visit) -> None:
    expect(desk.page.get_by_role("heading", name="What do you want to know?")).to_be_visible()
    expect(desk.page.locator("#byline-about")).to_contain_text("Answers from 3 articles, written by test/model.")
    expect(desk.page.locator(".byline-suggestion")).to_have_count(3)
    desk.page.get_by_role("button", name="Read “Shops fear a lost summer”").click()
    expect(desk.page.locator("#byline-sources")).to_contain_text("Mayor Anna Berg said")
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("button", name="Read “Shops fear a lost summer”")).to_be_focused()


@pytest.mark.browser
def test_a_suggested_question_is_asked_by_its_button(desk: Visit) -> None:
    button = desk.page.locator(".byline-suggestion").first
    text = button.inner_text()
    button.click()
    expect(desk.page.locator("[data-testid=user]")).to_have_text(text)
    expect(desk.chip(1)).to_be_visible()
    expect(button).not_to_be_visible()


@pytest.mark.browser
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


@pytest.mark.browser
def test_offsets_count_characters_beyond_the_basic_plane_once(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.chip(1).click()
    mark = desk.page.locator("#byline-sources mark")
    expect(mark).to_have_text("🌉 The bridge closed on 8 April for six months.")
    expect(desk.page.get_by_role("link", name="Open the original at news.example")).to_have_attribute(
        "href", "https://news.example/bridge"
    )


@pytest.mark.browser
def test_sources_are_listed_by_article_the_cited_ones_first(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    panel = desk.page.locator("#byline-sources")
    expect(panel.get_by_role("heading", level=3)).to_have_text(["Cited in the answer", "Also found"])
    expect(panel.locator("section").first.get_by_role("heading", level=4)).to_have_text(
        ["Harbour bridge to close for six months", "Shops fear a lost summer"]
    )
    expect(panel).to_contain_text("The Daily Ledger · 2024-03-02")
    panel.get_by_role("button", name=re.compile("^Source 3, open")).click()
    desk.page.get_by_role("button", name="← All sources").click()
    expect(panel.get_by_role("button", name=re.compile("^Source 3, open"))).to_be_focused()


@pytest.mark.browser
def test_a_doubtful_sentence_says_why(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    doubt = desk.page.locator(".byline-doubt")
    expect(doubt).to_have_text("Every shop closed 3.")
    expect(doubt).to_have_attribute("title", "The words say a third of their takings.")


@pytest.mark.browser
def test_a_refusal_shows_no_sources(desk: Visit) -> None:
    desk.ask("What is the weather?")
    expect(desk.page.locator("[data-testid=bot]")).to_have_text("The articles do not answer this question.")
    expect(desk.page.locator("#byline-chat a")).to_have_count(0)
    expect(desk.page.locator("#byline-sources")).to_contain_text("nothing is cited")


@pytest.mark.browser
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


@pytest.mark.browser
def test_stop_ends_an_answer_and_the_next_question_works(desk: Visit) -> None:
    desk.ask("slow?", wait=False)
    expect(desk.page.locator("[data-testid=bot]")).to_contain_text("word word")
    expect(desk.page.locator("[role=log]")).to_have_attribute("aria-busy", "true")
    desk.page.get_by_role("button", name="Stop").click()
    expect(desk.page.locator("[data-testid=bot]")).to_contain_text("Stopped.")
    expect(desk.page.locator("[role=log]")).to_have_attribute("aria-busy", "false")
    desk.ask("Why?")
    expect(desk.chip(1)).to_be_visible()


@pytest.mark.browser
def test_retry_undo_and_new_chat(desk: Visit, site: Site) -> None:
    desk.ask("Why & how?")
    before = len(site.engine.asked)
    desk.page.get_by_role("button", name="Retry").click()
    expect(desk.page.get_by_role("button", name="Send")).to_be_visible()
    expect(desk.chip(1)).to_be_visible()
    assert [asked for asked, _ in site.engine.asked[before:]] == ["Why & how?"]
    desk.page.get_by_role("button", name="Undo").click()
    expect(desk.page.get_by_label("Your question")).to_have_value("Why & how?")
    expect(desk.page.locator("[data-testid=user]")).to_have_count(0)
    desk.ask("Why?")
    desk.page.get_by_role("button", name="New chat").click()
    expect(desk.page.get_by_role("heading", name="What do you want to know?")).to_be_visible()


@pytest.mark.browser
def test_a_question_is_edited_as_typed_and_asked_again(desk: Visit, site: Site) -> None:
    desk.ask("Why <now>?")
    desk.page.get_by_role("button", name="Edit").click()
    area = desk.page.locator("#byline-chat textarea")
    expect(area).to_have_value("Why <now>?")
    area.fill("Why <then>?")
    desk.page.get_by_role("button", name="Submit").click()
    expect(desk.page.locator("[data-testid=user]")).to_have_text("Why <then>?")
    expect(desk.chip(1)).to_be_visible()
    assert site.engine.asked[-1] == ("Why <then>?", [])


@pytest.mark.browser
def test_a_citation_of_an_earlier_answer_still_opens(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.ask("What is the weather?")
    desk.chip(3).click()
    expect(desk.page.locator("#byline-sources mark")).to_contain_text("Mayor Anna Berg")


@pytest.mark.browser
def test_an_error_is_shown_as_text(desk: Visit) -> None:
    desk.ask("unreachable?")
    expect(desk.page.locator(".byline-problem")).to_have_text(
        "No server answers at <b>http://localhost:1</b>; start it."
    )


@pytest.mark.browser
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
    phone.page.get_by_role("button", name="Close").click()
    expect(panel).not_to_be_visible()
    expect(phone.chip(1)).to_be_focused()
    phone.page.get_by_role("button", name=re.compile(r"^Sources \(\d+\)$")).click()
    expect(panel.get_by_role("heading", name="Sources")).to_be_focused()
    phone.page.keyboard.press("Escape")
    expect(panel).not_to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") is True
