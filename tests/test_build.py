"""Bringing the index in line with files, and making it anew."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from chromadb.api.models.Collection import Collection

from index.articles import Article, Skipped, make_article
from index.build import SEEDS, add_articles, ensure_seeds, remove_articles
from index.chroma import connect, our_collections
from index.earlier import Cited
from index.errors import ArticleError, IndexMissingError, StoreError
from index.opening import open_store
from index.passages import cut_passages
from index.reading.document import Document
from index.reading.kinds import read_document
from index.rebuilding import rebuild
from index.settings import Settings
from index.store import PassageStore
from index.writing import embedded_text
from tests.fakes import HashingEmbedding
from tests.news_pages import news_pages
from tests.news_server import news_server

BRIDGE = "The council met on Monday. It voted for a new bridge over the river."
OPERA = "The opera opened again. Every seat was taken on the first night."


@pytest.fixture
def store(settings: Settings, embedding: HashingEmbedding) -> Iterator[PassageStore]:
    with open_store(settings, embedding, owner="a test") as opened:
        yield opened


@pytest.fixture
def news(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "bridge.txt").write_text(BRIDGE)
    (folder / "opera.txt").write_text(OPERA)
    return folder


class CountingEmbedding(HashingEmbedding):
    """Remembers what it embedded."""

    texts: list[str] = []  # noqa: RUF012 pydantic copies it for every instance

    def _get_text_embedding(self, text: str) -> list[float]:
        self.texts.append(text)
        return super()._get_text_embedding(text)


def test_seeds_are_indexed_once(store: PassageStore, settings: Settings) -> None:
    assert len(ensure_seeds(store, settings).added) == 5
    assert ensure_seeds(store, settings).unchanged == []
    assert add_articles(store, [SEEDS], settings=settings).unchanged == [one.id for one in store.articles()]


def test_seeds_stay_away_where_something_is_indexed(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    ensure_seeds(store, settings)
    assert [one.id for one in store.articles()] == ["bridge", "opera"]


def test_only_what_changed_is_embedded_again(settings: Settings, news: Path) -> None:
    embedding = CountingEmbedding(model_name="tests/counting")
    with open_store(settings, embedding, owner="a test") as store:
        assert add_articles(store, [news], settings=settings).added == ["bridge", "opera"]
        assert len(embedding.texts) == 2
        (news / "opera.txt").write_text(OPERA + " It rained.")
        report = add_articles(store, [news], settings=settings)
        assert (report.changed, report.unchanged, report.added) == (["opera"], ["bridge"], [])
        assert len(embedding.texts) == 3
        assert store.article("opera").text.endswith("It rained.")


def test_title_is_embedded_before_the_words_of_a_passage() -> None:
    article = make_article("a", "Council votes for a bridge\n" + BRIDGE)
    (passage,) = cut_passages(article, max_tokens=128)
    assert embedded_text(passage) == f"Council votes for a bridge\n{BRIDGE}"
    assert passage.text == BRIDGE


def test_article_whose_file_left_its_folder_is_dropped(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    (news / "opera.txt").unlink()
    assert add_articles(store, [news], settings=settings).removed == ["opera"]
    assert [one.id for one in store.articles()] == ["bridge"]


def test_adding_one_file_drops_nothing(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    (news / "opera.txt").unlink()
    report = add_articles(store, [news / "bridge.txt"], settings=settings)
    assert (report.unchanged, report.removed) == (["bridge"], [])


def test_file_that_can_no_longer_be_read_keeps_its_article(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    (news / "opera.txt").write_bytes(b"\x00\x01")
    report = add_articles(store, [news], settings=settings)
    assert report.skipped == [Skipped(str(news / "opera.txt"), "is not text but binary data")]
    assert report.removed == []
    assert store.article("opera").text == OPERA


def test_folder_emptied_altogether_changes_nothing(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    for path in news.iterdir():
        path.unlink()
    with pytest.raises(ArticleError, match="nothing was changed"):
        add_articles(store, [news], settings=settings)
    assert len(store.articles()) == 2


def test_one_wrong_path_among_several_changes_nothing(store: PassageStore, settings: Settings, news: Path) -> None:
    with pytest.raises(ArticleError, match="no such file"):
        add_articles(store, [news, news / "nowhere"], settings=settings)
    assert store.articles() == []


def test_files_of_one_name_in_two_folders_are_two_articles(store: PassageStore, settings: Settings, news: Path) -> None:
    other = news.parent / "evening"
    other.mkdir()
    (other / "bridge.txt").write_text("Another story altogether. It has nothing to do with councils.")
    assert add_articles(store, [news, other], settings=settings).added == ["bridge", "opera", "evening/bridge"]
    assert add_articles(store, [other], settings=settings).unchanged == ["evening/bridge"]
    assert add_articles(store, [news], settings=settings).unchanged == ["bridge", "opera"]
    (other / "bridge.txt").write_text("Yet another story. It goes on.")
    assert add_articles(store, [other], settings=settings).changed == ["evening/bridge"]
    assert store.article("bridge").text == BRIDGE


def test_third_folder_of_the_same_names_is_skipped_with_the_reason(
    store: PassageStore, settings: Settings, news: Path
) -> None:
    for parent, text in (("x", "First of all."), ("y", "Second of all.")):
        folder = news.parent / parent / "news"
        folder.mkdir(parents=True)
        (folder / "bridge.txt").write_text(text)
    add_articles(store, [news, news.parent / "x" / "news"], settings=settings)
    report = add_articles(store, [news.parent / "y" / "news"], settings=settings)
    assert "news/bridge is taken by an article of" in report.skipped[0].reason
    assert store.article("news/bridge").text == "First of all."


def test_folder_that_moved_keeps_its_articles(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    moved = news.parent / "archive"
    shutil.move(news, moved)
    (moved / "opera.txt").write_text("A new story. It is another one.")
    report = add_articles(store, [moved], settings=settings)
    assert (report.unchanged, report.changed, report.added) == (["bridge"], ["opera"], [])
    (moved / "bridge.txt").unlink()
    assert add_articles(store, [moved], settings=settings).removed == ["bridge"]


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if files had been left alone for a while."""
    monkeypatch.setattr("index.seen._SETTLED_NS", -1)


@pytest.mark.usefixtures("settled")
def test_file_that_looks_as_it_did_is_not_opened(
    store: PassageStore, settings: Settings, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_articles(store, [news], settings=settings)
    opened: list[str] = []

    def read(document: Document, *, fields: Mapping[str, str]) -> Iterator[Article | Skipped]:
        opened.append(document.article_id)
        return read_document(document, fields=fields)

    monkeypatch.setattr("index.reading.places.read_document", read)
    assert add_articles(store, [news], settings=settings).unchanged == ["bridge", "opera"]
    assert opened == []
    (news / "opera.txt").write_text(OPERA.replace("first", "third"))  # of the same size
    assert add_articles(store, [news], settings=settings).changed == ["opera"]
    store.remove(["bridge"])
    assert add_articles(store, [news], settings=settings).added == ["bridge"]
    assert opened == ["opera", "bridge"]


def test_file_changed_a_moment_ago_is_read_again(store: PassageStore, settings: Settings, news: Path) -> None:
    """It may have been changed once more within the same tick of the clock."""
    add_articles(store, [news], settings=settings)
    looks = (news / "opera.txt").stat()
    (news / "opera.txt").write_text(OPERA.replace("first", "third"))
    os.utime(news / "opera.txt", ns=(looks.st_atime_ns, looks.st_mtime_ns))
    assert add_articles(store, [news], settings=settings).changed == ["opera"]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"junk" * 2000)])
def test_lost_memory_of_files_costs_a_reading_only(
    store: PassageStore, settings: Settings, news: Path, damage: Callable[[Path], object]
) -> None:
    for _ in range(2):
        report = add_articles(store, [news], settings=settings)
        damage(settings.home / "files.sqlite")
    assert report.unchanged == ["bridge", "opera"]


@pytest.mark.usefixtures("settled")
def test_same_article_from_two_places_is_one_as_long_as_one_of_them_has_it(
    store: PassageStore, settings: Settings, news: Path
) -> None:
    other = news.parent / "evening"
    other.mkdir()
    (other / "theatre.txt").write_text(OPERA)
    add_articles(store, [news], settings=settings)
    for _ in range(2):
        report = add_articles(store, [other], settings=settings)
        assert (report.same, report.added, report.removed) == ([("theatre", "opera")], [], [])
    assert [one.id for one in store.articles()] == ["bridge", "opera"]
    (news / "opera.txt").unlink()
    assert add_articles(store, [news], settings=settings).removed == []
    assert add_articles(store, [other], settings=settings).same == [("theatre", "opera")]
    (other / "theatre.txt").write_text("A play was given. It was short.")
    report = add_articles(store, [other], settings=settings)
    assert (report.added, report.removed) == (["theatre"], ["opera"])


@pytest.mark.usefixtures("settled")
def test_same_text_twice_in_a_folder_is_one_article(store: PassageStore, settings: Settings, news: Path) -> None:
    (news / "twin.txt").write_text(OPERA)
    assert add_articles(store, [news], settings=settings).same == [("twin", "opera")]
    (news / "opera.txt").rename(news / "concert.txt")  # the one it is indexed by
    for _ in range(2):
        report = add_articles(store, [news], settings=settings)
        assert (report.same, report.removed) == ([("concert", "opera"), ("twin", "opera")], [])
    (news / "twin.txt").unlink()
    (news / "concert.txt").unlink()
    assert add_articles(store, [news], settings=settings).removed == ["opera"]


def test_renamed_file_is_indexed_under_its_new_name(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    (news / "opera.txt").rename(news / "theatre.txt")
    report = add_articles(store, [news], settings=settings)
    assert (report.added, report.removed, report.same) == (["theatre"], ["opera"], [])


def test_failure_while_storing_is_raised_and_ends_the_run(
    store: PassageStore, settings: Settings, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(articles: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr("index.writing.PASSAGES_A_WRITE", 1)
    monkeypatch.setattr(store, "put_all", fail)
    with pytest.raises(StoreError, match="The disk is full"):
        add_articles(store, [news], settings=settings)


def test_removing_is_reported(store: PassageStore, settings: Settings, news: Path) -> None:
    add_articles(store, [news], settings=settings)
    assert remove_articles(store, ["opera", "opera"]).removed == ["opera"]
    with pytest.raises(ArticleError, match="opera"):
        remove_articles(store, ["opera"])


def test_progress_counts_every_article(store: PassageStore, settings: Settings, news: Path) -> None:
    (news / "empty.txt").write_text("")
    told: list[tuple[int, int]] = []
    add_articles(store, [news], settings=settings, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_many_articles_are_written_in_several_batches(
    store: PassageStore, settings: Settings, news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.writing.PASSAGES_A_WRITE", 4)
    for number in range(11):
        (news / f"{number}.txt").write_text(f"Story number {number} is told here. It is short.")
    add_articles(store, [news], settings=settings)
    assert len(store.articles()) == 13
    assert store.article("7").text == "Story number 7 is told here. It is short."


# --- anew ---------------------------------------------------------------------------------------------------------


def test_rebuild_keeps_every_text_and_takes_the_new_model(
    settings: Settings, embedding: HashingEmbedding, news: Path
) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        add_articles(store, [news, SEEDS], settings=settings)
        before = {one.id: store.article(one.id) for one in store.articles()}
    shutil.rmtree(news)
    other = HashingEmbedding(model_name="tests/other", dimensions=32)
    told: list[tuple[int, int]] = []
    report = rebuild(settings, other, owner="a test", on_progress=lambda done, total: told.append((done, total)))
    assert sorted(report.changed) == sorted(before)
    assert told[-1] == (7, 7)
    with open_store(settings, other, owner="a test") as store:
        assert {one.id: store.article(one.id) for one in store.articles()} == before
        assert store.vectors([store.article_passages("bridge")[0].id]).shape == (1, 32)
        assert store.find_words("bridge", 3)
    with connect(settings) as client:
        assert [one.metadata["byline_embedding"] for one in our_collections(client).values()] == ["tests/other"]
    assert len([one for one in (settings.home / "words").iterdir() if one.is_dir()]) == 1


def test_rebuild_cuts_by_the_settings_of_now(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        ensure_seeds(store, settings)
        before = store.count()
    rebuild(settings.model_copy(update={"passage_tokens": 32}), embedding, owner="a test")
    with open_store(settings, embedding, owner="a test") as store:
        assert store.count() > 2 * before
        assert len(store.articles()) == 5


@pytest.mark.parametrize("moment", ["begin", "copy", "finish", "rename"])
def test_crash_within_a_rebuild_loses_nothing(
    settings: Settings, embedding: HashingEmbedding, news: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        add_articles(store, [news], settings=settings)

    def crash(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if moment == "rename":  # the old collection has stepped aside, the new one has not taken its place
            renames: list[str] = []

            def rename(collection: Collection, name: str) -> None:
                if renames:
                    raise KeyboardInterrupt
                renames.append(name)
                original(collection, name=name)

            original = Collection.modify
            patch.setattr(Collection, "modify", rename)
        else:
            names = {"begin": "begin_replacement", "copy": "_copy", "finish": "finish_replacement"}
            patch.setattr(f"index.rebuilding.{names[moment]}", crash)
        with pytest.raises(KeyboardInterrupt):
            rebuild(settings, embedding, owner="a test")
    with open_store(settings, embedding, owner="a test") as store:
        assert [one.id for one in store.articles()] == ["bridge", "opera"]
        assert store.article("opera").text == OPERA
        assert {passage.article_id for passage, _ in store.find_words("bridge opera", 5)} == {"bridge", "opera"}
    assert rebuild(settings, embedding, owner="a test").changed == ["bridge", "opera"]


def test_citation_outlives_a_rebuild_that_cuts_otherwise(
    settings: Settings, embedding: HashingEmbedding, news: Path
) -> None:
    (news / "long.txt").write_text(" ".join(f"Sentence {number} is about the bridge." for number in range(60)))
    with open_store(settings, embedding, owner="a test") as store:
        add_articles(store, [news], settings=settings)
        passages, article = store.article_passages("long"), store.article("long")
    rebuild(settings.model_copy(update={"passage_tokens": 40}), embedding, owner="a test")
    with open_store(settings, embedding, owner="a test") as store:
        assert store.passages([one.id for one in passages]) == []
        assert [store.cited(one.id) for one in passages] == [Cited(one, article) for one in passages]


def test_nothing_to_rebuild_is_told(settings: Settings, embedding: HashingEmbedding) -> None:
    with pytest.raises(IndexMissingError, match="index add"):
        rebuild(settings, embedding, owner="a test")


# --- files of several articles, and the web ---


def dump(*rows: str) -> str:
    return "\n".join(json.dumps({"id": row, "text": f"{OPERA} It was {row}."}) for row in rows)


def test_rows_of_a_dump_and_files_of_a_zip_come_change_and_go_with_it(
    store: PassageStore, settings: Settings, news: Path
) -> None:
    (news / "dump.jsonl").write_text(dump("one", "two"))
    with zipfile.ZipFile(news / "all.zip", "w") as made:
        made.writestr("in/a.txt", BRIDGE + " The zip says so.")
    report = add_articles(store, [news], settings=settings)
    assert sorted(report.added) == ["all/in/a", "bridge", "dump/one", "dump/two", "opera"]
    (news / "dump.jsonl").write_text(dump("two", "three"))
    (news / "all.zip").unlink()
    report = add_articles(store, [news], settings=settings)
    assert (report.added, sorted(report.removed)) == (["dump/three"], ["all/in/a", "dump/one"])


def test_dump_that_can_no_longer_be_read_keeps_its_articles(
    store: PassageStore, settings: Settings, news: Path
) -> None:
    (news / "dump.json").write_text(f"[{dump('one')}]")
    add_articles(store, [news], settings=settings)
    (news / "dump.json").write_text("[{")
    report = add_articles(store, [news], settings=settings)
    assert [one.reason for one in report.skipped] == [
        "is no JSON (line 1: Expecting property name enclosed in double quotes)"
    ]
    assert report.removed == []
    assert store.find_article("dump/one")


def test_other_names_for_the_parts_find_others_in_the_same_file(
    store: PassageStore, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "d.jsonl").write_text(json.dumps({"id": "1", "text": OPERA, "long": BRIDGE}))
    add_articles(store, [tmp_path / "d.jsonl"], settings=settings)
    report = add_articles(store, [tmp_path / "d.jsonl"], settings=settings, fields={"text": "long"})
    assert report.changed == ["d/1"]


def test_page_is_indexed_by_its_address_and_a_failing_one_takes_nothing_away(
    store: PassageStore, settings: Settings
) -> None:
    allowed = settings.model_copy(update={"fetch_private": True})
    with news_server() as server:
        page = next(iter(news_pages()))
        server.page("/bridge.html", page.markup)
        added = add_articles(store, [f"{server.url}/bridge.html"], settings=allowed).added
        listed = store.find_article(added[0])
        assert listed
        assert (listed.url, listed.source, listed.author) == (f"{server.url}/bridge.html", page.source, page.author)
        server.answers.clear()
        report = add_articles(store, [f"{server.url}/bridge.html"], settings=allowed)
    assert [one.reason for one in report.skipped] == ["the server answers 404 Not Found"]
    assert store.find_article(added[0])


def test_half_a_surrogate_pair_is_stored_as_an_unknown_character(
    store: PassageStore, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "d.jsonl").write_text('{"id": "1\\ud83d", "title": "\\ud83d", "text": "It rained \\ud83d. Then not."}')
    (article_id,) = add_articles(store, [tmp_path / "d.jsonl"], settings=settings).added
    assert store.article(article_id).text == "It rained \ufffd. Then not."
