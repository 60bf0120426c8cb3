"""What a reader sees of an answer: citations, sources, doubts, refusals, and addresses that others can open."""

import re

from playwright.sync_api import Browser, expect

from tests.browser import DESK, MARKS, Site, Visit, visit
from tests.browser import browser as browser
from tests.browser import desk as desk
from tests.browser import phone as phone
from tests.browser import site as site
from tests.fake_engine import SPY

pytestmark = MARKS


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
    desk.point_at(doubt)
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


def test_a_citation_of_an_earlier_answer_still_opens(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.ask("What is the weather?")
    desk.chip(3).click()
    expect(desk.page.locator("#byline-sources mark")).to_contain_text("Mayor Anna Berg")


def test_a_refusal_says_what_was_looked_for_and_shows_what_came_nearest(desk: Visit) -> None:
    desk.ask("What is the weather?")
    bot = desk.page.locator("[data-testid=bot]")
    expect(bot.locator("p").first).to_have_text("The articles do not answer this question.")
    expect(bot.locator(".byline-refused")).to_contain_text("Looked for: “What is the weather?”")
    panel = desk.page.locator("#byline-sources")
    expect(panel.get_by_role("heading", level=3)).to_have_text(["Nearest passages, none of which answers"])
    panel.get_by_role("button", name=re.compile("^Source 1 ")).click()
    expect(panel.locator("mark")).to_be_focused()


def test_the_next_citation_opens_by_key_and_by_button(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.chip(1).focus()
    desk.page.keyboard.press("Enter")
    panel = desk.page.locator("#byline-sources")
    expect(panel.locator("mark")).to_contain_text("The bridge closed")
    expect(panel.locator(".byline-place")).to_have_text("1 of 2")
    desk.page.keyboard.press("n")
    expect(panel.locator("mark")).to_contain_text("Mayor Anna Berg")
    expect(desk.chip(3)).to_have_attribute("aria-current", "true")
    desk.page.keyboard.press("p")
    expect(panel.locator("mark")).to_contain_text("The bridge closed")
    panel.get_by_role("button", name="Next citation").click()
    expect(panel.locator(".byline-place")).to_have_text("2 of 2")
    desk.page.keyboard.press("Escape")
    expect(desk.chip(3)).to_be_focused()


def test_single_keys_are_shown_and_can_be_switched_off(desk: Visit) -> None:
    desk.ask("Why did the bridge close?")
    desk.chip(1).focus()
    desk.page.keyboard.press("?")
    dialog = desk.page.get_by_role("dialog", name="Keys of this page")
    expect(dialog).to_contain_text("next citation")
    dialog.get_by_role("checkbox").uncheck()
    desk.page.keyboard.press("Escape")
    expect(desk.chip(1)).to_be_focused()
    desk.page.keyboard.press("n")
    expect(desk.page.locator("#byline-sources mark")).to_have_count(0)


def test_the_address_of_words_opens_them(browser: Browser, site: Site, desk: Visit) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.ask("Why did the bridge close?")
    desk.chip(3).click()
    desk.page.get_by_role("button", name="Copy link to these words").click()
    expect(desk.page.get_by_text("Link copied")).to_be_attached()
    address = desk.page.evaluate("navigator.clipboard.readText()")
    assert address.startswith(site.url + "?passage=")
    for other in visit(browser, site, path=address.removeprefix(site.url), viewport=DESK):
        mark = other.page.locator("#byline-sources mark")
        expect(mark).to_have_text("Mayor Anna Berg said shops lost a third of their takings.")
        expect(mark).to_be_focused()
        assert "passage" not in other.page.url


def test_the_address_of_a_question_asks_it_once(browser: Browser, site: Site, desk: Visit) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.ask("Why & how <b>?")
    desk.page.get_by_role("button", name="Copy link", exact=True).click()
    expect(desk.page.get_by_text("Link copied")).to_be_attached()
    address = desk.page.evaluate("navigator.clipboard.readText()")
    before = len(site.engine.asked)
    for other in visit(browser, site, path=address.removeprefix(site.url), viewport=DESK):
        other.wait_for_answer()
        expect(other.page.locator("[data-testid=user]")).to_have_text("Why & how <b>?")
        expect(other.chip(1)).to_be_visible()
        other.page.wait_for_timeout(300)
        other.page.reload()
        expect(other.chip(1)).to_be_visible()
        assert [asked for asked, _ in site.engine.asked[before:]] == ["Why & how <b>?"]


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
