"""How a person asks: suggestions, stop, retry, edit, which articles and which model."""

from playwright.sync_api import expect

from rag.filters import Filter
from tests.browser import MARKS, Site, Visit
from tests.browser import browser as browser
from tests.browser import desk as desk
from tests.browser import site as site

pytestmark = MARKS


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


def test_an_error_is_shown_as_text(desk: Visit) -> None:
    desk.ask("unreachable?")
    expect(desk.page.locator(".byline-problem")).to_have_text(
        "No server answers at <b>http://localhost:1</b>; start it."
    )


def test_further_suggestions_are_one_button_away(desk: Visit) -> None:
    first = desk.page.locator(".byline-suggestion").all_inner_texts()
    four = {"suggestions": list("abcd")}
    desk.page.route("**/page/corpus", lambda route: route.fulfill(json={**route.fetch().json(), **four}))
    desk.page.reload()
    expect(desk.page.locator(".byline-suggestion")).to_have_text(["a", "b", "c"])
    desk.page.get_by_role("button", name="Other questions").click()
    expect(desk.page.locator(".byline-suggestion").first).to_have_text("d")
    expect(desk.page.locator(".byline-suggestion").first).to_be_focused()
    assert len(first) == 3


def test_an_answer_offers_questions_to_go_on_with(desk: Visit, site: Site) -> None:
    desk.ask("Why did the bridge close?")
    offered = desk.page.get_by_role("group", name="Ask next").get_by_role("button")
    expect(offered.first).to_be_visible()
    texts = offered.all_inner_texts()
    assert len(texts) == len(set(texts)) <= 3
    offered.first.click()
    expect(desk.page.locator("[data-testid=user]").last).to_have_text(texts[0])
    desk.wait_for_answer()
    assert site.engine.asked[-1][0] == texts[0]
    assert len(site.engine.asked[-1][1]) == 2


def test_a_choice_of_outlets_holds_for_every_way_of_asking(desk: Visit, site: Site) -> None:
    desk.page.get_by_role("button", name="All articles").click()
    dialog = desk.page.get_by_role("dialog", name="Which articles to search")
    dialog.get_by_role("checkbox", name="The Daily Ledger").check()
    dialog.get_by_label("From").fill("2024-03-02")
    dialog.get_by_role("button", name="Apply").click()
    chosen = desk.page.get_by_role("button", name="The Daily Ledger, from 2024-03-02")
    expect(chosen).to_be_focused()
    desk.ask("Why?")
    wanted = Filter(outlets=("The Daily Ledger",), since="2024-03-02")
    assert site.engine.filters[-1] == wanted
    expect(desk.page.locator(".byline-took")).to_contain_text("searched only The Daily Ledger, from 2024-03-02")
    before = len(site.engine.asked)
    desk.page.get_by_role("button", name="Retry", exact=True).click()
    desk.wait_until(lambda: len(site.engine.asked) > before)
    desk.wait_for_answer()
    assert site.engine.filters[-1] == wanted
    chosen.click()
    dialog.get_by_role("button", name="Search everything").click()
    desk.ask("And now?")
    assert site.engine.filters[-1] is None


def test_days_in_the_wrong_order_are_refused_in_the_dialog(desk: Visit) -> None:
    desk.page.get_by_role("button", name="All articles").click()
    dialog = desk.page.get_by_role("dialog", name="Which articles to search")
    dialog.locator("input[name=since]").evaluate("input => { input.value = '2024-03-05'; }")
    dialog.locator("input[name=until]").evaluate("input => { input.value = '2024-03-01'; }")
    dialog.locator("form").evaluate("form => form.noValidate = true")
    dialog.get_by_role("button", name="Apply").click()
    expect(dialog.get_by_role("alert")).to_have_text("The first day is after the last.")


def test_another_model_answers_where_it_is_chosen_and_stays_chosen(desk: Visit, site: Site) -> None:
    before = len(site.other.asked)
    desk.page.get_by_label("Model").select_option(label="No model: quotes")
    desk.ask("Why?")
    assert [asked for asked, _ in site.other.asked[before:]] == ["Why?"]
    desk.page.reload()
    expect(desk.page.get_by_label("Model")).to_have_value("none")


def test_what_an_answer_took_stands_under_it(desk: Visit) -> None:
    desk.ask("How long, and counted?")
    expect(desk.page.locator(".byline-took")).to_have_text("test/model · 1.2 s; 412 tokens read, 96 written")


def test_a_question_in_hebrew_runs_from_the_right(desk: Visit) -> None:
    desk.page.get_by_label("Your question").fill("למה נסגר הגשר?")
    desk.page.keyboard.press("Enter")
    desk.wait_for_answer()
    asked = desk.page.locator("[data-testid=user] p")
    box = asked.bounding_box()
    left, right = asked.evaluate(
        """p => { const range = document.createRange(); range.selectNodeContents(p);
        const box = range.getBoundingClientRect(); return [box.left, box.right]; }"""
    )
    assert box is not None
    assert right > box["x"] + box["width"] - 4
    assert left > box["x"] + 20
