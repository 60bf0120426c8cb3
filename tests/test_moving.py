"""An index as a file: what is written is read back the same; what is damaged or of another model is refused."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index.errors import ArticleError, EmbeddingMismatchError
from index.moving import export_index, import_index
from index.opening import open_store
from index.settings import Settings
from index.store import PassageStore
from tests.fakes import HashingEmbedding
from tests.test_store import BODY, FIRST, put


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    """Another home."""
    return settings.model_copy(update={"home": tmp_path / "elsewhere"})


@pytest.mark.parametrize("name", ["index.jsonl", "index.jsonl.gz"])
def test_index_comes_back_as_it_was(
    seed_store: PassageStore, elsewhere: Settings, embedding: HashingEmbedding, tmp_path: Path, name: str
) -> None:
    old = seed_store.article_passages(FIRST)[0]
    then = seed_store.article(FIRST)
    put(seed_store, FIRST, BODY)
    put(seed_store, "paired", "A face 😀 and a name, Žofie. They are two letters and four.")
    file = tmp_path / name
    told: list[tuple[int, int]] = []
    assert export_index(seed_store, file, on_progress=lambda done, total: told.append((done, total))) == 6
    assert told[-1] == (6, 6)
    with open_store(elsewhere, embedding, owner="a test") as store:
        assert len(import_index(store, file).added) == 6
        ids = [one.id for listed in seed_store.articles() for one in seed_store.article_passages(listed.id)]
        assert store.passages(ids) == seed_store.passages(ids)
        assert np.allclose(store.vectors(ids), seed_store.vectors(ids), atol=1e-6)
        assert [store.article(one.id) for one in store.articles()] == [
            seed_store.article(one.id) for one in seed_store.articles()
        ]
        assert [one.origin for one in store.articles()] == [one.origin for one in seed_store.articles()]
        # A word index that changes were made to weighs words a little otherwise until it is merged.
        assert store.word_scores("bridge", 50).keys() == seed_store.word_scores("bridge", 50).keys()
        cited = store.cited(old.id)
        assert (cited.passage, cited.article) == (old, then)
        assert cited.replaced == seed_store.cited(old.id).replaced
        assert store.problems() == []
        again = import_index(store, file)
        assert (again.added, again.changed, len(again.unchanged)) == ([], [], 6)
        put(store, FIRST, "Something else. It is shorter.")
        assert import_index(store, file).changed == [FIRST]


def test_vectors_of_another_model_are_refused(seed_store: PassageStore, elsewhere: Settings, tmp_path: Path) -> None:
    export_index(seed_store, tmp_path / "index.jsonl")
    with (
        open_store(elsewhere, HashingEmbedding(model_name="tests/other"), owner="a test") as store,
        pytest.raises(EmbeddingMismatchError, match=r"model tests/hashing, and tests/other is set.*rebuild"),
    ):
        import_index(store, tmp_path / "index.jsonl")


def _lines(*changes: Callable[[list[str]], object]) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.splitlines()
        for one in changes:
            one(lines)
        return "\n".join(lines)

    return change


@pytest.mark.parametrize(
    ("damage", "message", "imported"),
    [
        (lambda text: "", "is no index that", 0),
        (lambda text: "not json\n" + text, "is no index that", 0),
        (lambda text: text.replace('"version": 1', '"version": 9', 1), "is written in byline-index 9", 0),
        (_lines(lambda lines: lines.pop()), "ends after 4 of 5 articles", 4),
        (_lines(lambda lines: lines.insert(3, "{")), "line 4: is damaged", 2),
        (_lines(lambda lines: lines.insert(3, "[]")), "line 4: is damaged", 2),
        (_lines(lambda lines: lines.insert(3, json.dumps({"id": "x"}))), "line 4: is damaged", 2),
        (lambda text: text.replace('"vectors": "', '"vectors": "!', 2), "line 2: is damaged", 0),
        (lambda text: text.replace('"text": "', '"text": "more', 1), "line 2: is damaged", 0),
    ],
)
def test_damaged_file_is_told_by_its_line(
    seed_store: PassageStore,
    elsewhere: Settings,
    embedding: HashingEmbedding,
    tmp_path: Path,
    damage: Callable[[str], str],
    message: str,
    imported: int,
) -> None:
    file = tmp_path / "index.jsonl"
    export_index(seed_store, file)
    file.write_text(damage(file.read_text()))
    with open_store(elsewhere, embedding, owner="a test") as store:
        with pytest.raises(ArticleError, match=message):
            import_index(store, file)
        assert len(store.articles()) == imported
        assert store.problems() == []


def test_cut_off_archive_is_told(
    seed_store: PassageStore, elsewhere: Settings, embedding: HashingEmbedding, tmp_path: Path
) -> None:
    file = tmp_path / "index.jsonl.gz"
    export_index(seed_store, file)
    file.write_bytes(file.read_bytes()[:-3000])
    with open_store(elsewhere, embedding, owner="a test") as store, pytest.raises(ArticleError, match="cannot be read"):
        import_index(store, file)
    file.write_bytes(gzip.compress(b"\xff\xfe"))
    with open_store(elsewhere, embedding, owner="a test") as store, pytest.raises(ArticleError, match="cannot be read"):
        import_index(store, file)


def test_file_appears_only_when_it_is_complete(
    seed_store: PassageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "index.jsonl"

    def fail(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(ArticleError, match=r"index\.jsonl: cannot be written \(No space left on device\)"):
        export_index(seed_store, file, on_progress=fail)
    assert list(tmp_path.glob("index*")) == []
    with pytest.raises(ArticleError, match="cannot be written"):
        export_index(seed_store, tmp_path / "nowhere" / "index.jsonl")
