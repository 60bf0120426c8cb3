"""The page behind a login and a proxy that shows it under a path: everything a reader does works there as well."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr

from index.settings import Settings
from rag.changes import Changes
from rag.engine import open_engine
from tests.browser import DESK, MARKS, TIMEOUT_MS, Visit, serving
from tests.browser import browser as browser
from tests.proxied import proxy
from tests.served import served
from tests.test_passwords import quick

pytestmark = MARKS

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is shown, a slash at its end."""
    settings = Settings(
        home=tmp_path_factory.mktemp("proxied") / "home",
        llm="none",
        auth=SecretStr(f"anna:{quick(PASSWORD)}"),
        root_path="/news",
        proxies=("127.0.0.1",),
    )
    with (
        open_engine(settings, owner="a test") as engine,
        serving(engine, changes=Changes(engine.store, settings, here_only=False)) as inner,
        served(proxy(inner.rstrip("/"), stripping=True, scheme="http")) as outer,
    ):
        yield f"{outer}/news/"


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Page]:
    """Somebody who has not logged in."""
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    yield context.new_page()
    context.close()


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def enter(page: Page, address: str) -> Visit:
    """Log in; from then on nothing may be refused or missing."""
    page.goto(address)
    log_in(page)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    seen = Visit(page, [], [])
    page.on("response", lambda one: seen.problems.append(f"{one.status} {one.url}") if one.status >= 400 else None)
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    return seen


def test_whoever_logs_in_comes_to_what_was_asked_for_and_out_again(stranger: Page, address: str) -> None:
    stranger.goto(f"{address}?q=How+long+did+the+talks+on+Sunday+last%3F")
    expect(stranger).to_have_url(re.compile("/news/login"))
    log_in(stranger, "wrong")
    expect(stranger.get_by_role("alert")).to_have_text("Name or password is wrong.")
    log_in(stranger)
    expect(stranger.locator("[data-testid=bot]")).to_contain_text(re.compile("five hours|5 hours"))
    stranger.get_by_role("button", name="Log out anna").click()
    expect(stranger.get_by_role("button", name="Log in")).to_be_visible()
    stranger.goto(address)
    expect(stranger).to_have_url(re.compile("/news/login"))


def kept(page: Page) -> list[str]:
    """The names of what the page keeps in this browser."""
    return list(page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('byline:/news/:'))"))


def test_who_logs_out_leaves_nothing_in_the_browser(stranger: Page, address: str) -> None:
    seen = enter(stranger, f"{address}?q=How+long+did+the+talks+on+Sunday+last%3F")
    seen.wait_until(lambda: any(":conversation:" in key for key in kept(stranger)))
    stranger.evaluate("localStorage.setItem('byline:/elsewhere/:conversation:1', 'of another page')")
    stranger.get_by_role("button", name="Log out anna").click()
    expect(stranger.get_by_role("button", name="Log in")).to_be_visible()
    assert kept(stranger) == []
    assert stranger.evaluate("sessionStorage.length") == 0
    assert stranger.evaluate("localStorage.getItem('byline:/elsewhere/:conversation:1')") == "of another page"
    assert seen.problems == []


def test_whoever_comes_after_another_person_finds_nothing_of_theirs(stranger: Page, address: str) -> None:
    seen = enter(stranger, f"{address}?q=How+long+did+the+talks+on+Sunday+last%3F")
    seen.wait_until(lambda: any(":conversation:" in key for key in kept(stranger)))
    stranger.evaluate("localStorage.setItem('byline:/news/:person', 'ben')")
    stranger.reload()
    # It stands there only once the page knows whose it is, which is after it was loaded anew.
    expect(stranger.get_by_role("button", name="Log out anna")).to_be_visible()
    expect(stranger.locator("[data-testid=user]")).to_have_count(0)
    assert [key for key in kept(stranger) if ":conversation:" in key] == []


def test_what_a_reader_does_works_under_a_path(stranger: Page, address: str, tmp_path: Path) -> None:
    anna = enter(stranger, address)
    anna.ask("How long did the talks on Sunday last?")
    stranger.get_by_role("link", name=re.compile("^Source ")).first.click()
    expect(stranger.locator("#byline-sources mark").first).to_contain_text(re.compile("five hours|5 hours"))
    stranger.get_by_role("button", name="Helpful", exact=True).click()
    expect(stranger.get_by_role("button", name="Helpful", exact=True)).to_have_attribute("aria-pressed", "true")
    anna.wait_until(
        lambda: bool(stranger.evaluate("Object.keys(localStorage).some(key => key.includes('/news/:conversation:'))"))
    )
    stranger.reload()
    expect(stranger.locator("[data-testid=bot]")).to_contain_text(re.compile("five hours|5 hours"))
    stranger.get_by_role("button", name="Conversations", exact=True).click()
    with stranger.expect_download() as download:
        stranger.get_by_role("button", name="Markdown", exact=True).click()
    assert "hours" in Path(download.value.path()).read_text(encoding="utf-8")
    stranger.keyboard.press("Escape")

    added = tmp_path / "lighthouse.txt"
    added.write_text("Lighthouse sold\n\nThe lighthouse of Amrum was sold for nine million euros on Friday.\n" * 3)
    stranger.get_by_role("button", name="Articles", exact=True).click()
    stranger.get_by_text("Add articles").click()
    stranger.get_by_label("Choose files").set_input_files(added)
    expect(stranger.locator(".byline-adding-told")).to_contain_text("1 article added or changed.")
    stranger.get_by_role("button", name=re.compile("^Lighthouse sold")).click()
    expect(stranger.locator("#byline-sources article")).to_contain_text("nine million euros")
    assert anna.problems == []


def test_the_programs_page_says_where_the_doors_are(stranger: Page, address: str) -> None:
    anna = enter(stranger, address)
    stranger.goto(f"{address}api")
    expect(stranger.locator("body")).to_contain_text(f"{address}api/ask")
    schema = stranger.request.get(f"{address}api/openapi.json").json()
    assert schema["servers"] == [{"url": "/news"}]
    assert anna.problems == []
