"""Near copies are known as articles come and go, whatever a question finds, and an index of before learns them."""

import json
import sqlite3
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from index import copies
from index.__main__ import app
from index.duplicates import NEAR_COPY_FROM, Signature, origins, resemblance, resemblances, signature
from index.errors import StoreError
from index.moving import export_index, import_index
from index.opening import open_store
from index.rebuilding import rebuild
from index.settings import Settings
from index.status import index_facts, list_facts
from index.store import PassageStore
from tests.conftest import SEEDS
from tests.fakes import HashingEmbedding
from tests.test_store import put

REPORT = next(SEEDS.glob("001*")).read_text(encoding="utf-8")
OTHER = next(SEEDS.glob("003*")).read_text(encoding="utf-8")


def altered(text: str, every: int) -> str:
    """The text with another word at every so many."""
    words = text.split(" ")
    words[::every] = [f"other{number}" for number in range(len(words[::every]))]
    return " ".join(words)


@pytest.fixture
def store(settings: Settings, embedding: HashingEmbedding) -> Iterator[PassageStore]:
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "b-report", REPORT)
        put(store, "c-other", OTHER)
        put(store, "d-copy", altered(REPORT, 12))
        yield store


def test_a_near_copy_is_known_with_the_article_it_repeats(store: PassageStore, settings: Settings) -> None:
    assert store.copies() == {"d-copy": "b-report"}
    assert [one["copy_of"] for one in list_facts(store)] == [None, None, "b-report"]
    assert index_facts(store, settings)["near_copies"] == 1


def test_the_one_published_first_is_the_one_repeated(store: PassageStore) -> None:
    put(store, "e-dated", f"A headline\n2024-03-01\n\n{REPORT}")
    assert store.article("e-dated").published
    assert store.copies() == {"b-report": "e-dated", "d-copy": "e-dated"}


def test_a_change_and_a_removal_are_followed(store: PassageStore) -> None:
    put(store, "d-copy", altered(OTHER, 12))
    assert store.copies() == {"d-copy": "c-other"}
    put(store, "e-copy", altered(REPORT, 11))
    assert store.copies() == {"d-copy": "c-other", "e-copy": "b-report"}
    store.remove(["b-report", "c-other"])
    assert store.copies() == {}
    put(store, "a-report", REPORT)
    assert store.copies() == {"e-copy": "a-report"}


def test_a_copy_of_a_copy_is_in_the_group_as_long_as_what_joins_them_is_there(store: PassageStore) -> None:
    half = len(REPORT) // 2
    put(store, "e-first-half", REPORT[:half])
    put(store, "f-second-half", REPORT[half:])
    assert resemblance(signature(REPORT[:half]), signature(REPORT[half:])) < NEAR_COPY_FROM
    assert set(store.copies()) == {"d-copy", "e-first-half", "f-second-half"}
    store.remove(["b-report", "d-copy"])
    assert store.copies() == {}


@pytest.fixture
def closed(settings: Settings, embedding: HashingEmbedding) -> Path:
    """The file of an index that is closed."""
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "b-report", REPORT)
        put(store, "d-copy", altered(REPORT, 12))
    return settings.home / "copies.sqlite"


@pytest.mark.parametrize("how", ["gone", "damaged", "another version", "half", "of an article that is gone"])
def test_what_is_lost_or_differs_is_put_right_at_the_opening(
    closed: Path, settings: Settings, embedding: HashingEmbedding, how: str
) -> None:
    if how == "gone":
        closed.unlink()
    elif how == "damaged":
        closed.write_bytes(b"no database at all, but long enough to be taken for something else" * 100)
    else:
        database = sqlite3.connect(closed)
        if how == "another version":
            database.execute("pragma user_version = 99")
        elif how == "half":
            for table in ("article", "band", "pair"):
                database.execute(f"delete from {table}")
        else:
            database.execute("insert into article values (9, 'gone', 'x', 3, x'')")
            database.execute("insert into pair values (1, 9)")
        database.commit()
        database.close()
    with open_store(settings, embedding, owner="a test") as store:
        assert store.copies() == {"d-copy": "b-report"}
        assert store.mended
    with open_store(settings, embedding, owner="a test") as store:
        assert store.mended == 0


def test_copies_are_known_after_a_rebuild_and_elsewhere_after_an_import(
    closed: Path, settings: Settings, embedding: HashingEmbedding, tmp_path: Path
) -> None:
    rebuild(settings, HashingEmbedding(model_name="tests/another"), owner="a test")
    with open_store(settings, HashingEmbedding(model_name="tests/another"), owner="a test") as store:
        assert (store.mended, store.copies()) == (0, {"d-copy": "b-report"})
        export_index(store, tmp_path / "index.jsonl")
    elsewhere = settings.model_copy(update={"home": tmp_path / "elsewhere"})
    with open_store(elsewhere, HashingEmbedding(model_name="tests/another"), owner="a test") as store:
        import_index(store, tmp_path / "index.jsonl")
        assert store.copies() == {"d-copy": "b-report"}


def test_a_file_that_cannot_be_made_is_told_in_one_line(settings: Settings, embedding: HashingEmbedding) -> None:
    (settings.home / "copies.sqlite").mkdir(parents=True)
    with (
        pytest.raises(StoreError, match=r"copies\.sqlite cannot be written"),
        open_store(settings, embedding, owner="a test"),
    ):
        pass


def test_a_new_article_is_held_against_those_alone_that_share_something(
    settings: Settings, embedding: HashingEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[float] = []

    def counted(one: Signature, others: Signature) -> npt.NDArray[np.float64]:
        found = resemblances(one, others)
        compared.extend(found)
        return found

    monkeypatch.setattr(copies, "resemblances", counted)
    dice = Random(1)
    words = [f"word{number}" for number in range(3000)]
    with open_store(settings, embedding, owner="a test") as store:
        for number in range(60):
            put(store, f"a{number:03}", " ".join(dice.choices(words, k=200)))
        compared.clear()
        put(store, "report", REPORT)
        put(store, "report-again", altered(REPORT, 15))
        assert store.copies() == {"report-again": "report"}
        assert 1 <= len(compared) <= 6


def test_what_is_found_by_bands_is_what_all_pairs_would_give(settings: Settings, embedding: HashingEmbedding) -> None:
    texts = {
        f"{path.stem}-{every}": altered(path.read_text(encoding="utf-8"), every)
        for path in sorted(SEEDS.glob("*.txt"))
        for every in (8, 20, 10_000)
    }
    with open_store(settings, embedding, owner="a test") as store:
        for article_id, text in texts.items():
            put(store, article_id, text)
        said = {one.id: store.article(one.id).text for one in store.articles()}
        alike = {
            pair
            for pair in combinations(sorted(said), 2)
            if resemblance(signature(said[pair[0]]), signature(said[pair[1]])) >= NEAR_COPY_FROM
        }
        assert len(alike) >= 10
        first = {article_id: store.copies().get(article_id, article_id) for article_id in said}
        assert all(first[one] == first[other] for one, other in alike)
        assert len(set(first.values())) == 5


def test_copies_known_before_are_one_origin_though_what_joins_them_was_not_found() -> None:
    half = len(REPORT) // 2
    halves = {"first": REPORT[:half], "second": REPORT[half:], "other": OTHER}
    assert origins(halves) == [("first",), ("other",), ("second",)]
    assert origins(halves, copies={"first": "whole", "second": "whole"}) == [("first", "second"), ("other",)]


def test_the_list_and_the_status_say_it_in_words(
    closed: Path, settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BYLINE_EMBEDDING", "tests.fakes.HashingEmbedding")
    with open_store(settings, HashingEmbedding(model_name="tests/hashing"), owner="a test"):
        pass
    rebuild(settings, HashingEmbedding(model_name="tests.fakes.HashingEmbedding"), owner="a test")
    for command in (["list"], ["status"], ["list", "--json"]):
        app(command, standalone_mode=False)
    out = capsys.readouterr().out
    assert ", near copy of b-report\n" in out
    assert "near copies of others among them: 1\n" in out
    assert [one["copy_of"] for one in json.loads(out[out.index('{"articles"') :])["articles"]] == [None, "b-report"]
