"""What a person does with an answer: rate it, copy it."""

from playwright.sync_api import expect

from rag.feedback import read_feedback
from tests.browser import MARKS, Site, Visit
from tests.browser import browser as browser
from tests.browser import desk as desk
from tests.browser import site as site

pytestmark = MARKS


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


def test_a_copied_answer_is_plain_text_with_its_sources(desk: Visit) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.ask("Why did the bridge close?")
    desk.page.get_by_role("button", name="Copy message").last.click()
    expect(desk.page.get_by_text("Copied with its sources")).to_be_attached()
    assert desk.page.evaluate("navigator.clipboard.readText()") == (
        "The bridge closed on 8 April [1].\n\nEvery shop closed [3].\n\n"
        "[1] Harbour bridge to close for six months, The Daily Ledger, 2024-03-02\n[3] Shops fear a lost summer"
    )
