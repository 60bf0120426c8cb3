"""A disk that is full or cannot be written: one clear line, and what was indexed before stays."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from chromadb.api.models.Collection import Collection
from chromadb.errors import InternalError

from index.chroma import chroma_errors, require_room
from index.errors import StoreError
from index.opening import open_store
from index.settings import Settings
from tests.fakes import HashingEmbedding
from tests.test_store import BODY, put

ROOT = Path(__file__).parent.parent
# As if the disk were full: no file may grow beyond so many bytes.
FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
from index.__main__ import app
from index.commands import run
run(app, ["add", {news!r}])
"""


def _news(folder: Path, count: int) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        text = " ".join(f"Sentence {number} {place} is about the bridge over the river." for place in range(60))
        (folder / f"n{number:03}.txt").write_text(text)
    return folder


def _environment(settings: Settings) -> dict[str, str]:
    return {"BYLINE_HOME": str(settings.home), "BYLINE_EMBEDDING": "tests.fakes.HashingEmbedding"}


@pytest.mark.parametrize("limit", [100_000, 300_000])
def test_full_disk_is_one_line_and_loses_nothing(settings: Settings, tmp_path: Path, limit: int) -> None:
    embedding = HashingEmbedding(model_name="tests.fakes.HashingEmbedding")
    news = _news(tmp_path / "news", 3)

    def add(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=ROOT, env=_environment(settings), capture_output=True, text=True, check=False, timeout=300
        )

    unlimited = FULL.format(limit=-1, news=str(news))
    done = add(unlimited)
    assert done.returncode == 0, done.stderr
    _news(news, 60)
    full = add(FULL.format(limit=limit, news=str(news)))
    assert full.returncode in {1, 2}
    assert len(full.stderr.strip().splitlines()) == 1, full.stderr
    assert "Unexpected" not in full.stderr
    assert "room" in full.stderr or "full" in full.stderr
    done = add(unlimited)
    assert done.returncode == 0, done.stderr
    with open_store(settings, embedding, owner="a test") as store:
        assert len(store.articles()) == 60
        assert store.problems() == []
        assert all(store.article(one.id).text.startswith("Sentence") for one in store.articles())


def test_a_failure_where_hardly_any_room_is_left_says_so(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk, where Chroma gives this reason."""
    failure = InternalError("Error in compaction: Failed to apply logs to the metadata segment")
    for free, said in ((400_000, "Only 0 MB are left on the disk: make room"), (10**12, "index rebuild")):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        with pytest.raises(StoreError, match=said), chroma_errors(settings):
            raise failure


def test_a_write_that_may_fill_the_disk_is_refused_before_chroma_meets_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 10**12
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    embedding = HashingEmbedding(model_name="tests/hashing")
    with open_store(settings, embedding, owner="a test") as store:
        put(store, "first", BODY)
        put(store, "second", BODY.replace("bridge", "tunnel"))
        asked: list[str] = []
        for verb in ("upsert", "update", "delete"):
            monkeypatch.setattr(Collection, verb, lambda self, verb=verb, **given: asked.append(verb))
        free = 4_900_000
        for write in (
            lambda: put(store, "third", BODY),
            lambda: put(store, "first", BODY.replace("Monday", "Friday")),
            lambda: store.remove(["second"]),
            lambda: store.set_origin(["first"], "elsewhere"),
        ):
            with pytest.raises(StoreError, match=r"^Only 4 MB are left on the disk of .*: make room and try again"):
                write()
        assert asked == []
        assert len(store.articles()) == 2
        monkeypatch.undo()
    with open_store(settings, embedding, owner="a test") as store:
        assert (store.problems(), store.mended, len(store.articles())) == ([], 0, 2)
        assert store.article("first").text == BODY.strip()


def test_a_server_looks_after_its_own_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=0))
    require_room(settings.model_copy(update={"chroma": "http://127.0.0.1:1"}), 10**9)
    settings.home.mkdir()
    with pytest.raises(StoreError):
        require_room(settings)
