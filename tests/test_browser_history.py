"""Conversations kept in the browser: after a reload, after a restart, several, deleted, taken along."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from index.settings import Settings
from rag.conversation import Turn
from tests.browser import MARKS, Site, Visit, serving
from tests.browser import browser as browser
from tests.browser import desk as desk
from tests.browser import site as site
from tests.fake_engine import ARTICLES, SPY, FakeEngine, answer_by_question

pytestmark = MARKS


def test_a_conversation_is_there_again_after_a_reload_and_goes_on(desk: Visit, site: Site) -> None:
    desk.ask("Why did the bridge close?")
    desk.wait_until(lambda: kept(desk) == 1)
    desk.page.reload()
    expect(desk.page.locator("[data-testid=user]")).to_have_text("Why did the bridge close?")
    desk.chip(3).click()
    expect(desk.page.locator("#byline-sources mark")).to_contain_text("Mayor Anna Berg")
    expect(desk.page.get_by_role("button", name="Helpful", exact=True)).to_be_visible()
    expect(desk.page.locator(".byline-doubt")).to_have_text("Every shop closed 3.")
    desk.ask("And then?")
    asked, history = site.engine.asked[-1]
    assert asked == "And then?"
    assert history[0] == Turn("user", "Why did the bridge close?")
    assert desk.problems == []


def test_a_conversation_outlives_the_server(browser: Browser, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    engine = FakeEngine(ARTICLES, answer_by_question, model="test/model", settings=settings)
    context = browser.new_context()
    page = context.new_page()
    with serving(engine) as url:
        page.goto(url)
        seen = Visit(page, [], [])
        seen.ask("How long is the bridge closed, as reported?")
        seen.wait_until(lambda: kept(seen) == 1)
        port = int(url.rsplit(":", 1)[1].strip("/"))
    with serving(engine, port=port) as url:
        page.goto(url)
        expect(seen.chip(1)).to_be_visible()
        expect(page.locator(".byline-standing").first).to_contain_text("Reported by 2 independent sources")
        expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_count(0)
    context.close()


def kept(desk: Visit) -> int:
    """How many conversations the browser keeps."""
    return int(desk.page.evaluate("Object.keys(localStorage).filter(key => key.includes(':conversation:')).length"))


def test_several_conversations_have_titles_and_are_opened_deleted_or_all_deleted(desk: Visit) -> None:
    for question in ("Why did the bridge close?", "What is the weather?"):
        if question != "Why did the bridge close?":
            desk.page.get_by_role("button", name="New chat").click()
            expect(desk.page.get_by_role("heading", name="What do you want to know?")).to_be_visible()
        desk.ask(question)
        desk.page.wait_for_timeout(100)
    desk.wait_until(lambda: kept(desk) == 2)
    desk.page.get_by_role("button", name="Conversations").click()
    dialog = desk.page.get_by_role("dialog", name="Conversations")
    titles = dialog.locator(".byline-headline")
    expect(titles).to_have_text(["What is the weather?", "Why did the bridge close?"])
    dialog.get_by_role("button", name="Why did the bridge close?", exact=False).first.click()
    expect(desk.page.locator("[data-testid=user]")).to_have_text("Why did the bridge close?")
    expect(desk.chip(1)).to_be_visible()
    desk.page.keyboard.press("Escape")
    desk.page.get_by_role("button", name="Conversations").click()
    dialog.get_by_role("button", name="Delete “What is the weather?”").click()
    expect(titles).to_have_text(["Why did the bridge close?"])
    dialog.get_by_role("button", name="Delete all").click()
    desk.page.get_by_role("dialog", name=re.compile("^Delete all")).get_by_role("button", name="Delete all").click()
    expect(desk.page.get_by_role("heading", name="What do you want to know?")).to_be_visible()
    assert kept(desk) == 0


def test_what_the_browser_kept_is_checked_and_never_becomes_markup(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.wait_until(lambda: kept(desk) == 1)
    desk.page.evaluate(
        """spy => { const key = Object.keys(localStorage).find(key => key.includes(':conversation:'));
        const kept = JSON.parse(localStorage.getItem(key)), turn = kept.turns[0];
        turn.answer_id = 'unknown';
        turn.answer.text = `<img src="${spy}"> ![x](${spy}) [1]`;
        turn.answer.citations[0].title = `"><script>window.broken = 1</script>`;
        kept.turns.push({question: `<b>${spy}</b>`, text: `<form action="${spy}">`});
        kept.turns.push({question: 'x', answer_id: 'y', answer: {...turn.answer, passages: [{passage_id: ') <b>'}]}});
        localStorage.setItem(key, JSON.stringify(kept)); }""",
        SPY,
    )
    desk.page.reload()
    expect(desk.page.locator("[data-testid=bot]").first).to_contain_text("<img src=")
    expect(desk.page.locator("[data-testid=bot]").nth(1)).to_contain_text("<form action=")
    expect(desk.page.locator("[data-testid=bot]").nth(2)).to_contain_text("Not an answer of Byline")
    expect(desk.page.locator("#byline-chat [data-testid] :is(img, script, form, b)")).to_have_count(0)
    assert [request for request in desk.requests if SPY in request] == []
    assert desk.page.evaluate("window.broken") is None


def test_nonsense_in_the_browsers_storage_is_passed_over(desk: Visit) -> None:
    for name, value in (("zz", "{]"), ("yy", "{}"), ("xx", '{"title": 1}')):
        desk.page.evaluate(
            "([key, value]) => localStorage.setItem(key, value)", [f"byline:/:conversation:{name}", value]
        )
    desk.page.get_by_role("button", name="Conversations").click()
    expect(desk.page.get_by_role("dialog", name="Conversations")).to_contain_text("Nothing yet.")
    assert desk.problems == []


@pytest.mark.parametrize(
    ("form", "expected"), [("Markdown", "# Why did the bridge close?"), ("Page for printing or PDF", "<!doctype html>")]
)
def test_a_conversation_is_taken_along_with_its_sources(desk: Visit, form: str, expected: str) -> None:
    desk.ask("Why did the bridge close?")
    desk.wait_until(lambda: kept(desk) == 1)
    desk.page.get_by_role("button", name="Conversations").click()
    with desk.page.expect_download() as download:
        desk.page.get_by_role("button", name=form).click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith(expected)
    assert "The Daily Ledger" in text
    assert "The bridge closed on 8 April for six months." in text
    assert "The words say a third of their takings." in text
    assert "https://news.example/bridge" in text


def test_a_stopped_answer_is_kept_as_far_as_it_came(desk: Visit) -> None:
    desk.ask("slow?", wait=False)
    expect(desk.page.locator("[data-testid=bot]")).to_contain_text("word word")
    desk.page.get_by_role("button", name="Stop", exact=True).click()
    expect(desk.page.locator("[data-testid=bot]")).to_contain_text("Stopped.")
    desk.wait_until(lambda: kept(desk) == 1)
    desk.page.reload()
    expect(desk.page.locator("[data-testid=bot]")).to_contain_text("word word")
