"""The open index: what is put in comes out, ranks, survives crashes, belongs to one process and one model."""

import json
import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest
from chromadb.errors import InternalError

from index.articles import Article, make_article
from index.chroma import chroma_errors, collection_name
from index.earlier import Cited
from index.errors import ArticleError, EmbeddingMismatchError, IndexBusyError, SettingsError, StoreError
from index.lexical import Entry, WordIndex
from index.opening import open_store
from index.passages import cut_passages
from index.reading.places import read_articles
from index.rows import Rows
from index.settings import Settings
from index.store import PassageStore
from index.writing import embed_passages
from tests.conftest import SEEDS
from tests.fakes import HashingEmbedding

FIRST = "000_9564915b78eb2621"
BODY = "The council met on Monday. It voted for a new bridge over the river. The mayor was pleased. " * 12


def put(store: PassageStore, article_id: str, text: str, max_tokens: int = 64) -> Article:
    article = make_article(article_id, text)
    passages = cut_passages(article, max_tokens=max_tokens)
    store.put(article, passages, embed_passages(passages, store.embedding))
    return article


def state(store: PassageStore) -> tuple[list[str], int, int]:
    """Articles, passages in Chroma, passages in the word index."""
    return [listed.id for listed in store.articles()], store._rows.count(), store._words.count()


# --- reading ------------------------------------------------------------------------------------------------------


def test_articles_come_back_as_they_were_read(seed_store: PassageStore) -> None:
    read = read_articles(SEEDS).articles
    assert [seed_store.article(article.id) for article in read] == list(read)


def test_articles_are_listed_by_id_with_what_is_known_of_them(seed_store: PassageStore) -> None:
    listed = seed_store.articles()
    assert [one.id for one in listed] == sorted(one.id for one in listed)
    assert (listed[0].source, listed[0].url, listed[0].published) == ("TDI", None, None)
    assert listed[0].passages == len(seed_store.article_passages(FIRST))
    assert sum(one.passages for one in listed) == seed_store.count()


def test_author_language_and_where_all_was_found_come_back(seed_store: PassageStore) -> None:
    read = put(seed_store, "a", f"Council votes\nBy Jane Doe\n{BODY}")
    seed_store.refresh()
    listed = next(one for one in seed_store.articles() if one.id == "a")
    assert (listed.author, listed.language) == ("Jane Doe", "en")
    assert listed.found_in == read.found_in == {"author": "byline", "language": "text", "title": "headline"}
    assert seed_store.article("a") == read


def test_passages_come_in_the_order_asked_for_without_unknown_ones(seed_store: PassageStore) -> None:
    first, second, third, *_ = seed_store.article_passages(FIRST)
    assert seed_store.passages([third.id, "0" * 32, first.id]) == [third, first]
    assert seed_store.passage(second.id) == second


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.article("nope"),
        lambda store: store.article_passages("nope"),
        lambda store: store.passage("0" * 32),
        lambda store: store.vectors(["0" * 32]),
    ],
)
def test_unknown_id_is_an_error(seed_store: PassageStore, ask: Callable[[PassageStore], object]) -> None:
    with pytest.raises(ArticleError, match="is in the index"):
        ask(seed_store)


def test_nearest_ranks_as_the_cosine_does(seed_store: PassageStore, embedding: HashingEmbedding) -> None:
    query = embedding.get_query_embedding("five hours of talks on Sunday")
    passages = [one for listed in seed_store.articles() for one in seed_store.article_passages(listed.id)]
    cosines = seed_store.vectors([one.id for one in passages]) @ np.asarray(query)
    expected = sorted(zip((-cosines).tolist(), (one.id for one in passages), strict=True))
    found = seed_store.nearest(query, 10)
    assert [score for _, score in found] == pytest.approx([-cosine for cosine, _ in expected[:10]], abs=1e-5)
    assert found[0][0].id == expected[0][1]


def test_vector_may_be_an_array(seed_store: PassageStore, embedding: HashingEmbedding) -> None:
    query = embedding.get_query_embedding("talks on Sunday")
    assert seed_store.nearest(np.asarray(query, dtype=np.float32), 5) == seed_store.nearest(query, 5)


def test_equals_are_in_order_of_ids(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        for number in range(6):
            put(store, f"a{number}", "The same sentence in all of them.")
        query = embedding.get_query_embedding("sentence")
        for found in (store.nearest(query, 6), store.find_words("sentence", 6)):
            assert len(found) == 6
            assert [passage.id for passage, _ in found] == sorted(passage.id for passage, _ in found)


def test_search_can_be_held_to_some_articles(seed_store: PassageStore, embedding: HashingEmbedding) -> None:
    query = embedding.get_query_embedding("talks")
    for found in (
        seed_store.nearest(query, 50, article_ids=[FIRST]),
        seed_store.find_words("talks in Berlin", 50, article_ids=[FIRST]),
    ):
        assert {passage.article_id for passage, _ in found} == {FIRST}
    assert seed_store.nearest(query, 5, article_ids=[]) == []
    assert seed_store.nearest(query, 5, article_ids=["nope"]) == []


def test_words_find_passages_and_say_how_many_hold_them(seed_store: PassageStore) -> None:
    (passage, score), *_ = seed_store.find_words("Umerov negotiator", 5)
    assert "Umerov" in passage.text
    assert score > 0
    assert seed_store.document_frequency("Where is Reuters or the giraffe?") == {"reuter": 1, "giraff": 0}


def test_empty_index_answers_with_nothing(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        assert (store.articles(), store.count(), store.passages(["x"])) == ([], 0, [])
        assert store.nearest(embedding.get_query_embedding("x"), 5) == []
        assert store.find_words("talks", 5) == []


def test_limit_may_exceed_what_there_is(seed_store: PassageStore, embedding: HashingEmbedding) -> None:
    query = embedding.get_query_embedding("talks")
    assert len(seed_store.nearest(query, 1000)) == seed_store.count()
    assert seed_store.nearest(query, 0) == []


# --- writing ------------------------------------------------------------------------------------------------------


def test_changed_article_is_replaced_whole(seed_store: PassageStore, embedding: HashingEmbedding) -> None:
    old = seed_store.article_passages(FIRST)
    article = put(seed_store, FIRST, BODY)
    assert seed_store.article(FIRST) == article
    assert seed_store.passages([one.id for one in old]) == []
    names, in_chroma, in_words = state(seed_store)
    assert len(names) == 5
    assert in_chroma == in_words == seed_store.count()


def test_same_text_cut_otherwise_replaces_the_old_cut(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "a", BODY, max_tokens=64)
        article = put(store, "a", BODY, max_tokens=128)
        assert store.article("a") == article
        assert state(store) == (["a"], store.count(), store.count())


def test_removed_article_is_gone_everywhere(seed_store: PassageStore) -> None:
    before = seed_store.count()
    gone = seed_store.article_passages(FIRST)
    seed_store.remove([FIRST])
    names, in_chroma, in_words = state(seed_store)
    assert FIRST not in names
    assert in_chroma == in_words == before - len(gone)
    assert seed_store.document_frequency("TDI") == {"tdi": 0}


def test_nothing_is_removed_where_one_id_is_unknown(seed_store: PassageStore) -> None:
    before = state(seed_store)
    with pytest.raises(ArticleError, match="nope"):
        seed_store.remove([FIRST, "nope"])
    assert state(seed_store) == before


def test_more_rows_than_chroma_takes_at_once_are_written_in_parts(
    seed_store: PassageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed_store._rows, "batch_size", lambda: 3)
    article = put(seed_store, "long", BODY)
    assert seed_store.articles()[-1].passages > 3
    assert seed_store.article("long") == article
    seed_store.remove(["long"])
    assert len(state(seed_store)[0]) == 5


def test_second_opening_finds_everything(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        article = put(store, "a", BODY)
    with open_store(settings, embedding, owner="a test") as store:
        assert store.article("a") == article
        assert store.find_words("bridge", 1)
        assert state(store) == (["a"], store.count(), store.count())


# --- earlier versions ---------------------------------------------------------------------------------------------


def test_citation_of_a_changed_article_opens_what_it_cited(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        old = put(store, "a", BODY + "Old end.")
        passages = store.article_passages("a")
        new = put(store, "a", BODY + "New end.")
        for passage in passages:
            cited = store.cited(passage.id)
            assert (cited.passage, cited.article) == (passage, old)
            assert cited.replaced is not None
            assert cited.replaced.endswith("+00:00")
        assert [one for one, _ in store.cited_passages([one.id for one in passages])] == passages
        here = store.article_passages("a")[0]
        assert store.cited(here.id) == Cited(here, new)
        assert store.find_words("Old", 5) == []
    with open_store(settings, embedding, owner="a test") as store:
        assert store.cited(passages[0].id).article == old
        put(store, "a", BODY + "Old end.")  # taken back
        assert store.cited(passages[0].id) == Cited(passages[0], old)


def test_citation_of_another_cut_of_the_same_text_is_of_the_article_as_it_stands(
    settings: Settings, embedding: HashingEmbedding
) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        article = put(store, "a", BODY, max_tokens=64)
        passages = store.article_passages("a")
        put(store, "a", BODY, max_tokens=128)
        assert [store.cited(one.id) for one in passages] == [Cited(one, article) for one in passages]
        assert [replaced for _, replaced in store.cited_passages([one.id for one in passages])] == [None] * len(
            passages
        )


def test_only_the_last_versions_are_kept(settings: Settings, embedding: HashingEmbedding) -> None:
    settings = settings.model_copy(update={"keep_versions": 2})
    with open_store(settings, embedding, owner="a test") as store:
        cited = []
        for number in range(4):
            put(store, "a", BODY + f"End {number}.")
            cited.append(store.article_passages("a")[0].id)
        with pytest.raises(ArticleError, match="BYLINE_KEEP_VERSIONS"):
            store.cited(cited[0])
        assert [store.cited(id_).article.text[-6:] for id_ in cited[1:]] == ["End 1.", "End 2.", "End 3."]
        assert store.forget_earlier() > 0
        with pytest.raises(ArticleError):
            store.cited(cited[2])
        assert store.cited(cited[3]).replaced is None


@pytest.mark.parametrize("keep", [0, 5])
def test_removed_article_takes_its_earlier_versions_with_it(
    settings: Settings, embedding: HashingEmbedding, keep: int
) -> None:
    with open_store(settings.model_copy(update={"keep_versions": keep}), embedding, owner="a test") as store:
        put(store, "a", BODY + "Old end.")
        passage = store.article_passages("a")[0].id
        put(store, "a", BODY + "New end.")
        assert bool(store.cited_passages([passage])) == bool(keep)
        store.remove(["a"])
        assert store.cited_passages([passage]) == []


def test_article_is_read_whole_while_it_changes(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        texts = {put(store, "a", BODY + f"End {number}.").text for number in range(2)}
        done = threading.Event()

        def change() -> None:
            for number in range(20):
                put(store, "a", BODY + f"End {number % 2}.")
            done.set()

        writer = threading.Thread(target=change)
        writer.start()
        while not done.is_set():
            assert store.article("a").text in texts
        writer.join()


# --- after a crash ------------------------------------------------------------------------------------------------


class CrashError(Exception):
    """Stands for the end of the process at some moment of a write."""


def crash(*args: object, **kwargs: object) -> None:
    raise CrashError


def _crash_in(action: str, moment: str, settings: Settings, embedding: HashingEmbedding) -> None:
    with pytest.MonkeyPatch.context() as patch, open_store(settings, embedding, owner="a test") as store:
        if moment == "words":
            patch.setattr(WordIndex, "change", crash)
        else:
            patch.setattr(Rows, moment, crash)
        if action == "remove":
            store.remove(["victim"])
        else:
            put(store, "new" if action == "add" else "victim", BODY + "New end.")
        raise CrashError  # the moment does not occur in this action


@pytest.mark.parametrize("moment", ["upsert", "words", "delete"])
@pytest.mark.parametrize("action", ["add", "change", "remove"])
def test_next_opening_puts_right_what_a_crash_left(
    settings: Settings, embedding: HashingEmbedding, moment: str, action: str
) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "kept", BODY)
        put(store, "victim", BODY + "Old end.")
    with pytest.raises(CrashError):
        _crash_in(action, moment, settings, embedding)
    with open_store(settings, embedding, owner="a test") as store:
        names, in_chroma, in_words = state(store)
        assert in_chroma == in_words == store.count()
        assert "kept" in names
        for name in names:
            assert "".join(one.text for one in store.article_passages(name)) == store.article(name).text
            assert store.find_words("bridge", 100, article_ids=[name])
        if "victim" in names:
            assert store.article("victim").text.endswith(("Old end.", "New end."))


@pytest.mark.parametrize("left", [1, 2])
def test_article_written_or_deleted_in_part_is_not_there(
    settings: Settings, embedding: HashingEmbedding, left: int
) -> None:
    """First passages are written last and deleted first; what is without one is dropped."""
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "kept", BODY)
        put(store, "part", BODY)
        rows = sorted(store._rows.of_articles(["part"]), key=lambda row: int(row.metadata["place"]))
        store._rows.delete([row.id for row in rows[:left]])
    with open_store(settings, embedding, owner="a test") as store:
        assert state(store) == (["kept"], store.count(), store.count())


def test_two_versions_left_by_a_crash_become_the_newer_one(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store, pytest.MonkeyPatch.context() as patch:
        put(store, "a", BODY + "Old end.")
        patch.setattr(store._rows, "delete", lambda ids: None)
        put(store, "a", BODY + "New end.")
        assert store.article("a").text.endswith("New end.")
        nearest = store.nearest(embedding.get_query_embedding("bridge"), 100)
        assert {one.id for one, _ in nearest} <= {one.id for one in store.article_passages("a")}
    with open_store(settings, embedding, owner="a test") as store:
        assert store.article("a").text.endswith("New end.")
        assert state(store) == (["a"], store.count(), store.count())


@pytest.mark.parametrize("damage", ["gone", "broken", "one article short", "one article too many"])
def test_word_index_is_made_to_agree_with_chroma(settings: Settings, embedding: HashingEmbedding, damage: str) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "a", BODY)
        put(store, "b", BODY)
        if damage == "one article short":
            store._words.change(remove=["a"], add=[])
        if damage == "one article too many":
            store.remove(["b"])
            passages = cut_passages(make_article("b", BODY), max_tokens=64)
            store._words.change(remove=[], add=[(Entry("b", "h", len(passages)), passages)])
    for file in (settings.home / "words").rglob("*"):
        if file.is_file() and damage in {"gone", "broken"} and (damage == "gone" or file.name == "meta.json"):
            file.write_text("{") if damage == "broken" else file.unlink()
    with open_store(settings, embedding, owner="a test") as store:
        names, in_chroma, in_words = state(store)
        assert in_chroma == in_words == store.count()
        assert {one.article_id for one, _ in store.find_words("bridge", 100)} == set(names)


def test_damaged_database_is_told_and_left_as_it_is(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "a", BODY)
    file = settings.home / "chroma" / "chroma.sqlite3"
    file.write_bytes(b"junk" * 10_000)
    with (
        pytest.raises(StoreError, match=r"Nothing was deleted.*move .* away"),
        open_store(settings, embedding, owner="a test"),
    ):
        pass
    assert file.read_bytes() == b"junk" * 10_000


# --- one model ----------------------------------------------------------------------------------------------------


def test_index_of_another_model_is_refused_with_the_command_that_mends_it(
    settings: Settings, embedding: HashingEmbedding
) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "a", BODY)
    other = HashingEmbedding(model_name="tests/other", dimensions=32)
    message = r"tests/hashing.*tests/other.*python -m index rebuild"
    with pytest.raises(EmbeddingMismatchError, match=message), open_store(settings, other, owner="a test"):
        pass


def test_emptied_index_of_another_model_is_no_hindrance(settings: Settings, embedding: HashingEmbedding) -> None:
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "a", BODY)
        store.remove(["a"])
    other = HashingEmbedding(model_name="tests/other", dimensions=32)
    with open_store(settings, other, owner="a test") as store:
        assert put(store, "a", BODY) == store.article("a")


def test_vectors_of_another_length_under_the_same_name_are_told(settings: Settings) -> None:
    with open_store(settings, HashingEmbedding(model_name="m"), owner="a test") as store:
        put(store, "a", BODY)
    with open_store(settings, HashingEmbedding(model_name="m", dimensions=32), owner="a test") as store:
        with pytest.raises(StoreError, match=r"another length .*rebuild"):
            store.nearest([0.1] * 32, 5)
        with pytest.raises(StoreError, match=r"another length .*rebuild"):
            put(store, "b", BODY)


def test_collection_names_are_chromas_own_kind_and_differ_by_model() -> None:
    names = {collection_name(name) for name in ("a/b", "a-b", "A/b", "Ω", "x" * 500, "")}
    assert len(names) == 6
    assert all(3 <= len(name) <= 60 and name.replace("-", "").isalnum() and name.isascii() for name in names)


# --- one owner ----------------------------------------------------------------------------------------------------


def _own(home: Path, ready: Event, leave: Event) -> None:
    settings = Settings(home=home, lock_seconds=0)
    with open_store(settings, HashingEmbedding(model_name="tests/hashing"), owner="the page") as store:
        store.announce("http://127.0.0.1:7860")
        ready.set()
        leave.wait(60)
        os._exit(0)  # as if killed: nothing is tidied up


def test_second_process_is_told_who_holds_the_index_and_what_to_do(
    settings: Settings, embedding: HashingEmbedding
) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, leave = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_own, args=(settings.home, ready, leave))
    process.start()
    assert ready.wait(60)
    message = rf"in use by the page \(process {process.pid}\).*Ask at http://127.0.0.1:7860.*BYLINE_HOME"
    with pytest.raises(IndexBusyError, match=message), open_store(settings, embedding, owner="a test"):
        pass
    leave.set()
    process.join(60)
    assert (settings.home / "index.owner.json").exists()
    with open_store(settings, embedding, owner="a test"):
        owner = json.loads((settings.home / "index.owner.json").read_text())
        assert (owner["owner"], owner["pid"], owner["url"]) == ("a test", os.getpid(), None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_unreadable_owner_file_does_no_harm(settings: Settings, embedding: HashingEmbedding, content: str) -> None:
    with open_store(settings, embedding, owner="a test"):
        (settings.home / "index.owner.json").write_text(content)
        with pytest.raises(IndexBusyError, match="another process"), open_store(settings, embedding, owner="b"):
            pass


def test_index_is_free_again_after_an_error(settings: Settings, embedding: HashingEmbedding) -> None:
    with pytest.raises(CrashError), open_store(settings, embedding, owner="a test"):
        raise CrashError
    with open_store(settings, embedding, owner="a test"):
        pass
    assert not (settings.home / "index.owner.json").exists()


def test_home_that_cannot_be_written_is_told(tmp_path: Path, embedding: HashingEmbedding) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(home=tmp_path / "file" / "home", lock_seconds=0)
    with pytest.raises(SettingsError, match="BYLINE_HOME"), open_store(settings, embedding, owner="a test"):
        pass


def test_server_that_does_not_answer_is_told(tmp_path: Path, embedding: HashingEmbedding) -> None:
    settings = Settings(home=tmp_path / "home", chroma="http://127.0.0.1:9")
    with (
        pytest.raises(SettingsError, match=r"BYLINE_CHROMA.*chroma run"),
        open_store(settings, embedding, owner="a test"),
    ):
        pass


def test_full_disk_is_told_as_such(seed_store: PassageStore, settings: Settings) -> None:
    with pytest.raises(StoreError, match="Make room on the disk"), chroma_errors(settings):
        raise InternalError("error returned from database: (code: 13) database or disk is full")


def test_texts_are_in_chroma_alone(seed_store: PassageStore, settings: Settings) -> None:
    """The word index holds words and ids; a sentence is found in Chroma's own table."""
    with sqlite3.connect(settings.home / "chroma" / "chroma.sqlite3") as database:
        rows = database.execute("select string_value from embedding_metadata where key='chroma:document'").fetchall()
    database.close()
    assert any("after five hours of talks on Sunday" in text for (text,) in rows)
    kept = b"".join(path.read_bytes() for path in (settings.home / "words").rglob("*") if path.is_file())
    assert b"after five hours of talks" not in kept
