"""`python -m index` while the page runs: the page does it, for whoever can read its home, and for nobody else."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from index.__main__ import app as commands
from index.articles import Skipped, make_article
from index.commands import run
from index.handing import DOOR, find_owner, read_place, write_place
from index.reading.places import Item, Place
from index.settings import Settings
from index.store import PassageStore
from index.updating import BuildReport
from rag.changes import Changes
from rag.gateway import guard
from rag.handed import handed_router
from tests.served import served


@contextmanager
def page_over(store: PassageStore, settings: Settings) -> Iterator[str]:
    """The doors of a page that owns `store`, announced as the page does it."""
    app = FastAPI()
    app.include_router(handed_router(store, settings, Changes(store, settings)))

    @app.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    guard(app, settings, local_only=True)
    with served(app) as url:
        store.announce(url)
        yield url


@pytest.fixture
def page(seed_store: PassageStore, settings: Settings) -> Iterator[str]:
    with page_over(seed_store, settings) as url:
        yield url


@pytest.fixture
def index(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(commands, arguments)
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return call


def test_commands_work_while_the_page_owns_the_index(
    page: str, seed_store: PassageStore, index: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    news = tmp_path / "news"
    news.mkdir()
    (news / "bridge.txt").write_text("The bridge of Tavlin opened on Monday. The mayor spoke.")
    (news / "empty.txt").write_text("")
    code, out, err = index("add", str(news), "--json")
    assert (code, json.loads(out)["added"]) == (2, ["bridge"])
    assert err == f"{news / 'empty.txt'}: is empty\n"
    assert seed_store.article("bridge").text.startswith("The bridge of Tavlin")
    (news / "empty.txt").unlink()
    assert index("add", str(news)) == (0, "1 unchanged\n", "")
    (news / "bridge.txt").write_text("The bridge of Tavlin opened on Tuesday. The mayor spoke.")
    assert index("add", str(news)) == (0, "1 changed\n", "")
    assert "bridge" in index("list")[1]
    assert len(json.loads(index("list", "--json")[1])["articles"]) == 6
    facts = json.loads(index("status", "--json")[1])
    assert (facts["articles"], facts["problems"]) == (6, [])
    assert index("forget", "bridge") == (0, "1 passages of earlier versions dropped\n", "")
    assert index("remove", "bridge") == (0, "1 removed\n", "")
    assert seed_store.find_article("bridge") is None
    code, _, err = index("remove", "bridge")
    assert (code, err.count("\n")) == (2, 1)
    assert "Not in the index: bridge; nothing was removed." in err
    assert list(seed_store.articles()) == sorted(seed_store.articles(), key=lambda one: one.id)


def test_only_who_can_read_the_home_may_ask(page: str, seed_store: PassageStore, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("The bridge of Tavlin opened on Monday. The mayor spoke.")
    asked: dict[str, Any] = {"places": [{"path": str(tmp_path / "secret.txt")}]}
    for headers in ({}, {"Authorization": "Bearer dGhpcyBtYWNoaW5l.99999999999.x"}):
        for method, path in (("POST", "/add"), ("POST", "/remove"), ("GET", "/list"), ("GET", "/status")):
            body = asked if path == "/add" else {"article_ids": ["x"]}
            refused = httpx.request(
                method, f"{page}{DOOR}{path}", json=body if method == "POST" else None, headers=headers
            )
            assert refused.status_code == 400
            assert "BYLINE_HOME" in refused.json()["error"]
    assert len(seed_store.articles()) == 5


def test_what_was_fetched_is_handed_over_in_a_file(
    page: str, seed_store: PassageStore, settings: Settings, tmp_path: Path
) -> None:
    address = "https://example.org/feed"
    article = make_article("example.org/a", "Ferry sold\n\nThe ferry of Holm was sold on Friday. It is old.")
    long = make_article("example.org/b", "Long\n\n" + "The council of Holm met again on Friday. " * 100)
    read = (article, Skipped("https://example.org/c", "a page with no article"), long)
    place = Place(address, address, False, (Item(address, "example.org/feed", None, lambda: iter(read)),))
    write_place(place, tmp_path / "place.jsonl")
    again = read_place(tmp_path / "place.jsonl")
    assert [list(item.read()) for item in again.items] == [list(read)]
    assert (again.name, again.origin, again.whole) == (address, address, False)

    place = Place(address, address, False, (Item(address, "example.org/feed", None, lambda: iter(read[:2])),))
    owner = find_owner(settings)
    assert owner
    told: list[tuple[int, int]] = []
    report = owner.add([place], on_progress=lambda done, total: told.append((done, total)))
    assert report == BuildReport(added=["example.org/a"], skipped=[Skipped("https://example.org/c", read[1].reason)])
    assert told == [(1, 1)]
    assert seed_store.article("example.org/a") == article
    assert [path.name for path in settings.home.iterdir() if path.name.startswith("handed")] == []


def test_an_address_that_a_page_left_behind_is_not_spoken_to(settings: Settings, page: str, tmp_path: Path) -> None:
    """Another program may listen there now, and would be told a word that opens the page."""
    assert find_owner(settings)
    other = settings.model_copy(update={"home": tmp_path / "other"})
    other.home.mkdir()
    (other.home / "index.owner.json").write_text(json.dumps({"pid": os.getpid(), "owner": "the page", "url": page}))
    assert find_owner(other) is None
