"""A disk that is full or cannot be written: one clear line, and what was indexed before stays."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from chromadb.errors import InternalError

from index.chroma import chroma_errors
from index.errors import StoreError
from index.settings import Settings
from index.store import open_store
from tests.fakes import HashingEmbedding

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
