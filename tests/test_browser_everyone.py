"""The page for everyone: by keyboard, by screen reader, large, without motion, checked by axe."""

import re
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import DESK, MARKS, Site, Visit, visit
from tests.browser import browser as browser
from tests.browser import desk as desk
from tests.browser import phone as phone
from tests.browser import site as site

pytestmark = MARKS


CHECK = files("axe_playwright_python") / "axe.min.js"


def violations(seen: Visit) -> list[str]:
    """What axe finds wrong with the page as it is now."""
    # Through the debugger, where the page's policy lets no script in.
    seen.page.evaluate(CHECK.read_text(encoding="utf-8"))
    found: dict[str, Any] = seen.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found["violations"]
    ]


def assert_clean(seen: Visit, state: str) -> None:
    """Nothing is wrong with a state; colours that are just changing to dark get the time to."""
    found = violations(seen)
    for _ in range(3):
        if not found:
            return
        seen.page.wait_for_timeout(500)
        found = violations(seen)
    assert not found, f"{state}: {found}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_on_a_desk(browser: Browser, site: Site, scheme: Any) -> None:
    for seen in visit(browser, site, viewport=DESK, color_scheme=scheme):
        page = seen.page
        expect(page.locator(".byline-article-row").first).to_be_visible()
        assert_clean(seen, "empty")
        seen.ask("slow?", wait=False)
        expect(page.locator("[data-testid=bot]")).to_contain_text("word word")
        assert_clean(seen, "answering")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.locator("[data-testid=bot]")).to_contain_text("Stopped.")
        seen.wait_for_answer()
        seen.ask("How long is the bridge closed, as reported?")
        assert_clean(seen, "answered, with differences")
        seen.ask("Why did the bridge close?")
        seen.point_at(page.locator(".byline-doubt"))
        assert_clean(seen, "a doubt and its reason")
        seen.chip(3).last.click()
        expect(page.locator("#byline-sources mark")).to_be_focused()
        assert_clean(seen, "an article")
        page.keyboard.press("Escape")
        seen.ask("What is the weather?")
        expect(page.locator("#byline-sources")).to_contain_text("Nearest passages")
        assert_clean(seen, "refused")
        seen.ask("unreachable?")
        assert_clean(seen, "an error")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_dialogs(browser: Browser, site: Site, scheme: Any) -> None:
    for seen in visit(browser, site, viewport=DESK, color_scheme=scheme):
        page = seen.page
        seen.ask("Why did the bridge close?")
        page.get_by_role("button", name="All articles").click()
        assert_clean(seen, "the filter")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Keys").click()
        assert_clean(seen, "the keys")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Wrong source").click()
        assert_clean(seen, "a comment")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Conversations").click()
        expect(page.get_by_role("dialog", name="Conversations")).to_contain_text("Why did the bridge close?")
        assert_clean(seen, "conversations")
        page.get_by_role("button", name="Delete all").click()
        assert_clean(seen, "a question before deleting")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Articles", exact=True).click()
        expect(page.locator(".byline-article-row").first).to_be_visible()
        assert_clean(seen, "articles")


def test_axe_finds_nothing_wrong_on_a_phone(phone: Visit) -> None:
    page = phone.page
    expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
    expect(page.locator(".byline-suggestion").first).to_be_visible()
    assert_clean(phone, "empty")
    phone.ask("Why did the bridge close?")
    assert_clean(phone, "answered")
    phone.chip(1).click()
    expect(page.locator("#byline-sources mark")).to_be_focused()
    assert_clean(phone, "the sheet")


@pytest.mark.parametrize("question", ["", "How long is the bridge closed, as reported?"])
def test_at_twice_the_size_nothing_is_cut_off(browser: Browser, site: Site, question: str) -> None:
    # 1280 x 800 at 200 %.
    for seen in visit(browser, site, viewport={"width": 640, "height": 400}, device_scale_factor=2):
        if question:
            seen.ask(question)
        else:
            expect(seen.page.locator(".byline-suggestion").first).to_be_visible()
        assert seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") is True
        box = seen.page.get_by_label("Your question").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 400
        wide = seen.page.evaluate(
            """Array.from(document.querySelectorAll('#byline-header *, #byline-conversation *')).filter(one => {
                const box = one.getBoundingClientRect();
                return box.width && box.height && box.right > 641 && !one.closest('.byline-next')
                    && getComputedStyle(one).position !== 'absolute';
            }).map(one => one.outerHTML.slice(0, 120))"""
        )
        assert wide == []


def test_the_whole_page_works_by_keyboard_alone(desk: Visit, site: Site) -> None:
    page = desk.page
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("Why did the bridge close?")
    page.keyboard.press("Enter")
    desk.wait_for_answer()
    # The panel is drawn anew once the answer is whole, and what had the focus before is gone then.
    expect(page.locator("#byline-sources .byline-passage").first).to_be_visible()
    page.locator(".byline-panel-title").focus()
    expect(page.locator(".byline-panel-title")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#byline-sources mark")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_label("Your question")).to_be_focused()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        reached.add(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
        )
    assert {"Helpful", "Copy link", "New chat", "Conversations", "Articles"} <= {one.strip() for one in reached}


def test_who_wants_less_motion_gets_none(desk: Visit) -> None:
    desk.ask("slow?", wait=False)
    expect(desk.page.locator(".byline-caret")).to_have_css("animation-name", "none")
    expect(desk.page.locator(".byline-sources")).to_have_css("transition-duration", "0s")
