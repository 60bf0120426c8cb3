"""The articles in the page: those that ship answer, and they are found, opened, added and removed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from index.articles import make_article
from index.passages import cut_passages
from index.settings import Settings
from index.writing import embed_passages
from rag.changes import Changes
from rag.engine import open_engine
from tests.browser import DESK, MARKS, Site, Visit, serving, visit
from tests.browser import browser as browser
from tests.browser import desk as desk
from tests.browser import site as site
from tests.news_pages import news_pages
from tests.news_server import news_server

pytestmark = MARKS


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real engine over the articles that ship, which may be changed."""
    settings = Settings(home=tmp_path_factory.mktemp("page") / "home", llm="none")
    with (
        open_engine(settings, owner="a test") as engine,
        serving(engine, changes=Changes(engine.store, settings)) as url,
    ):
        yield Site(url, engine)


@pytest.fixture
def reader(browser: Browser, seeds: Site) -> Iterator[Visit]:
    yield from visit(browser, seeds, viewport=DESK)


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


def test_every_question_to_go_on_with_is_answered(reader: Visit) -> None:
    reader.ask("How long did the talks on Sunday last?")
    offered = reader.page.locator(".byline-next-question")
    expect(offered.first).to_be_visible()
    for question in offered.all_inner_texts():
        reader.ask(question)
        links = reader.page.locator("[data-testid=bot]").last.get_by_role("link", name=re.compile("^Source "))
        expect(links).not_to_have_count(0)


def test_articles_are_found_sorted_and_opened_and_have_an_address(browser: Browser, reader: Visit, seeds: Site) -> None:
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.page.get_by_role("button", name="Articles", exact=True).click()
    rows = reader.page.locator("#byline-sources .byline-article-row")
    expect(rows).to_have_count(5)
    reader.page.get_by_label("Search headlines and outlets").fill("negotiator")
    expect(rows).to_have_count(1)
    rows.first.press("Enter")
    article = reader.page.locator("#byline-sources article")
    expect(article).to_be_focused()
    title = article.get_by_role("heading").inner_text()
    reader.page.get_by_role("button", name="Copy link to this article").click()
    expect(reader.page.get_by_text("Link copied")).to_be_attached()
    address = reader.page.evaluate("navigator.clipboard.readText()")
    reader.page.keyboard.press("Escape")
    expect(rows.first).to_be_focused()
    expect(reader.page.get_by_label("Search headlines and outlets")).to_have_value("negotiator")
    reader.page.get_by_label("Search headlines and outlets").fill("nothing like it")
    expect(reader.page.locator(".byline-library-count")).to_have_text("No article matches.")
    for other in visit(browser, seeds, path=address.removeprefix(seeds.url), viewport=DESK):
        expect(other.page.locator("#byline-sources article").get_by_role("heading")).to_have_text(title)


def test_a_near_copy_is_shown_with_the_article_it_repeats(reader: Visit, seeds: Site) -> None:
    first = seeds.engine.store.articles()[1]
    words = seeds.engine.store.article(first.id).text.split(" ")
    words[::12] = ["something"] * len(words[::12])
    copy = make_article("zz-copy", "Heard again\n\n" + " ".join(words))
    passages = cut_passages(copy, max_tokens=128)
    seeds.engine.store.put(copy, passages, embed_passages(passages, seeds.engine.store.embedding))
    try:
        reader.page.get_by_role("button", name="Articles", exact=True).click()
        row = reader.page.locator(".byline-article-row", has_text="Heard again")
        expect(row).to_contain_text(f"Near copy of {first.source}: {first.title}")
        expect(reader.page.get_by_text("Near copy of")).to_have_count(1)
    finally:
        seeds.engine.store.remove([copy.id])
    assert reader.problems == []


def test_a_file_is_added_asked_about_and_removed(reader: Visit, seeds: Site, tmp_path: Path) -> None:
    added = tmp_path / "lighthouse.txt"
    added.write_text("Lighthouse sold\n\nThe lighthouse of Amrum was sold for nine million euros on Friday.\n" * 3)
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    reader.page.get_by_text("Add articles").click()
    reader.page.get_by_label("Choose files").set_input_files([added, empty])
    told = reader.page.locator(".byline-adding-told")
    expect(told).to_contain_text("1 article added or changed.")
    expect(told).to_contain_text("empty.txt: ")
    expect(reader.page.locator("#byline-about")).to_contain_text("6 articles")
    reader.ask("What was the lighthouse of Amrum sold for?")
    expect(reader.page.locator("[data-testid=bot]")).to_contain_text("nine million euros")
    reader.page.get_by_role("button", name="Articles", exact=True).click()
    reader.page.get_by_role("button", name=re.compile("^Remove “Lighthouse")).click()
    reader.page.get_by_role("dialog", name=re.compile("from the index")).get_by_role("button", name="Remove").click()
    expect(reader.page.locator("#byline-about")).to_contain_text("5 articles")
    assert list((seeds.engine.settings.home / "added").iterdir()) == []
    assert reader.problems == []


def test_an_article_is_added_by_its_address(browser: Browser, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", llm="none", fetch_private=True)
    with (
        news_server() as web,
        open_engine(settings, owner="a test") as engine,
        serving(engine, changes=Changes(engine.store, settings)) as url,
    ):
        web.page("/bridge", news_pages()[0].markup)
        web.page("/nothing", "<!doctype html><title>Nothing</title><p>Hi.")
        for reader in visit(browser, Site(url, engine), viewport=DESK):
            reader.page.get_by_text("Add articles").click()
            box = reader.page.get_by_label("Address of an article or a feed")
            told = reader.page.locator(".byline-adding-told")
            box.fill(f"{web.url}/bridge")
            box.press("Enter")
            expect(told).to_have_text("1 article added or changed.")
            expect(box).to_have_value("")
            expect(reader.page.locator("#byline-about")).to_contain_text("6 articles")
            box.fill(f"{web.url}/nothing")
            reader.page.get_by_role("button", name="Add", exact=True).click()
            expect(told).to_contain_text(f"{web.url}/nothing: ")
            expect(told).to_contain_text("0 articles added or changed.")
            expect(box).to_have_value(f"{web.url}/nothing")
            assert reader.problems == []


def test_a_private_address_and_what_is_no_address_are_refused_in_a_line(reader: Visit) -> None:
    reader.page.get_by_text("Add articles").click()
    box = reader.page.get_by_label("Address of an article or a feed")
    told = reader.page.locator(".byline-adding-told")
    for given, reason in (
        ("http://127.0.0.1:9/secret", "leads to a private, local or reserved address"),
        ("file:///etc/passwd", "is no http:// or https:// address"),
        ("/etc/passwd", "is no address that can be read"),
    ):
        box.fill(given)
        box.press("Enter")
        expect(told).to_contain_text(reason)
        expect(told.locator("p")).to_have_count(2)
    expect(reader.page.locator("#byline-about")).to_contain_text("5 articles")
    assert reader.problems == []


def test_where_it_is_not_allowed_nothing_can_be_added(desk: Visit, site: Site) -> None:
    expect(desk.page.locator(".byline-article-row")).to_have_count(3)
    expect(desk.page.get_by_text("Add articles")).not_to_be_visible()
    expect(desk.page.get_by_role("button", name=re.compile("^Remove"))).to_have_count(0)
    for path in ("page/remove", "page/fetch", "page/pieces/" + "0" * 32, "page/add/" + "0" * 32):
        assert desk.page.request.post(site.url + path, data={}).status in {404, 405}
