from pathlib import Path
from typing import Any

import pytest

from index.errors import UserError
from index.settings import Settings
from index.store import PassageStore
from rag.changes import MAX_UPLOAD_BYTES, Changes
from tests.news_pages import news_pages
from tests.news_server import news_server

UPLOAD = "0" * 32
TEXT = b"Lighthouse sold\n\nThe lighthouse of Amrum was sold for nine million euros on Friday.\n"


@pytest.fixture
def changes(seed_store: PassageStore, settings: Settings) -> Changes:
    return Changes(seed_store, settings)


async def added(changes: Changes, name: str, text: bytes = TEXT, upload: str = UPLOAD) -> list[dict[str, Any]]:
    changes.take_piece(upload, 0, text)
    return [told async for told in changes.add_upload(upload, name)]


async def test_a_file_is_added_changed_and_removed_with_its_progress(
    changes: Changes, seed_store: PassageStore, settings: Settings
) -> None:
    told = await added(changes, "lighthouse.txt")
    assert told[0]["done"] == told[0]["total"] == 1
    assert told[-1]["added"] == ["lighthouse"]
    assert seed_store.article("lighthouse").title == "Lighthouse sold"
    told = await added(changes, "lighthouse.txt", TEXT.replace(b"nine", b"ten"))
    assert told[-1]["changed"] == ["lighthouse"]
    assert (await changes.remove(["lighthouse"])).removed == ["lighthouse"]
    assert list((settings.home / "added").iterdir()) == []


async def test_a_file_that_cannot_be_read_changes_nothing(
    changes: Changes, seed_store: PassageStore, settings: Settings
) -> None:
    await added(changes, "lighthouse.txt")
    before = seed_store.articles()
    told = await added(changes, "lighthouse.txt", b"\x00\xff\xfe\x00" * 50)
    assert told[-1].get("skipped") or told[-1].get("error")
    assert (settings.home / "added" / "lighthouse.txt").read_bytes() == TEXT
    told = await added(changes, "virus.exe")
    assert told[-1].get("skipped") or told[-1].get("error")
    assert sorted(path.name for path in (settings.home / "added").iterdir()) == ["lighthouse.txt"]
    assert seed_store.articles() == before


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\news\\a.txt", "a.txt"),
        (".hidden.txt", "hidden.txt"),
        ("a\x00b\n<c>.txt", "a-b-c-.txt"),
        ("x" * 300 + ".txt", "x" * 116 + ".txt"),
    ],
)
async def test_a_files_name_is_never_a_way_out_of_its_folder(
    changes: Changes, settings: Settings, name: str, kept: str
) -> None:
    await added(changes, name)
    assert [path.name for path in (settings.home / "added").iterdir()] == [kept]


def test_a_file_comes_in_pieces_in_their_order_and_not_larger_than_it_may(changes: Changes) -> None:
    assert changes.take_piece(UPLOAD, 0, b"abc") == 3
    assert changes.take_piece(UPLOAD, 3, b"de") == 5
    with pytest.raises(UserError, match="up to byte 5"):
        changes.take_piece(UPLOAD, 3, b"x")
    with pytest.raises(UserError, match="larger than 20 MB"):
        changes.take_piece(UPLOAD, 5, b"x" * MAX_UPLOAD_BYTES)
    for wrong in ("../x", "", "A" * 32):
        with pytest.raises(UserError, match="32 hexadecimal"):
            changes.take_piece(wrong, 0, b"x")


def test_only_so_many_files_arrive_at_the_same_time(changes: Changes) -> None:
    for number in range(8):
        changes.take_piece(f"{number:032x}", 0, b"x")
    with pytest.raises(UserError, match="Too many files"):
        changes.take_piece(f"{9:032x}", 0, b"x")


def test_what_was_half_sent_before_a_restart_is_dropped(
    changes: Changes, seed_store: PassageStore, settings: Settings
) -> None:
    changes.take_piece(UPLOAD, 0, b"x")
    assert Changes(seed_store, settings).take_piece(UPLOAD, 0, b"y") == 1


async def test_an_upload_that_never_came_is_said(changes: Changes, tmp_path: Path) -> None:
    assert [told async for told in changes.add_upload(UPLOAD, "a.txt")] == [
        {"error": "Nothing of this file has arrived; send it again."}
    ]


async def test_an_address_is_fetched_and_indexed(seed_store: PassageStore, settings: Settings) -> None:
    changes = Changes(seed_store, settings.model_copy(update={"fetch_private": True}))
    with news_server() as web:
        web.page("/bridge", news_pages()[0].markup)
        told = [one async for one in changes.add_address(f" {web.url}/bridge ")]
        assert told[0]["done"] == told[0]["total"] == 1
        [added] = told[-1]["added"]
        assert seed_store.article(added).url == f"{web.url}/bridge"
        *_, last = [one async for one in changes.add_address(f"{web.url}/gone")]
        assert [one["name"] for one in last["skipped"]] == [f"{web.url}/gone"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://127.0.0.1:9/", "private, local or reserved"),
        ("localhost:9/story", "private, local or reserved"),
        ("file:///etc/passwd", "no http"),
        ("/etc/passwd", "no address"),
        ("https://anna:hunter2@example.org/", "user name or password"),
    ],
)
async def test_an_address_that_may_not_be_asked_is_refused_in_a_line(
    changes: Changes, seed_store: PassageStore, address: str, reason: str
) -> None:
    before = seed_store.articles()
    *_, last = [one async for one in changes.add_address(address)]
    said = last.get("error") or last["skipped"][0]["reason"]
    assert reason in said
    assert "hunter2" not in said
    assert "\n" not in said
    assert seed_store.articles() == before
