"""Many texts through the model: the vectors of each alone, bit for bit, in few runs, and given up at once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from index import bulk
from index.build import add_articles
from index.bulk import LOOPED_FROM, BulkEmbedding
from index.embeddings import BUNDLED_FOLDER, BundledEmbedding, load_model
from index.errors import ModelError
from index.opening import open_store
from index.settings import Settings
from index.store import PassageStore
from index.writing import ArticleWriter, embedded_text
from tests.conftest import SEEDS
from tests.fakes import HashingEmbedding

ROOT = Path(__file__).parent.parent
WORDS = " ".join(path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))).split()
ODD = ["", "   \n", "\ud800", "\x00", "漢字" * 9, "w" * 50_000, "long text " * 5_000]


def texts_of(count: int) -> list[str]:
    dice = Random(1)
    return [" ".join(dice.choices(WORDS, k=dice.randint(1, 150))) for _ in range(count)]


def write_news(folder: Path, count: int) -> None:
    folder.mkdir()
    dice = Random(2)
    for number in range(count):
        said = ". ".join(" ".join(dice.choices(WORDS, k=20)) for _ in range(20))
        (folder / f"a{number:03}.txt").write_text(f"Report {number}\n\n{said}.", encoding="utf-8")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each run of the looped model takes."""
    taken: list[int] = []
    original = bulk._LoopedMiniLM.run

    def run(model: Any, tokens: Sequence[bulk.Tokens]) -> npt.NDArray[np.float32]:
        taken.append(len(tokens))
        return original(model, tokens)

    monkeypatch.setattr(bulk._LoopedMiniLM, "run", run)
    return taken


def test_many_texts_have_the_vectors_of_each_alone_bit_for_bit(runs: list[int]) -> None:
    texts = [*texts_of(300), *ODD]
    alone = np.stack([load_model(BUNDLED_FOLDER).embed(text) for text in texts])
    several = BulkEmbedding(BundledEmbedding())
    with ThreadPoolExecutor(2) as batches:
        forth, back = batches.map(several.get_text_embedding_batch, [texts, texts[::-1]])
    several.close()
    assert forth.tobytes() == alone.tobytes()
    assert back.tobytes() == alone[::-1].tobytes()
    assert sum(runs) == 2 * len(texts)


def test_a_run_takes_many_texts_and_the_last_ones_few(monkeypatch: pytest.MonkeyPatch, runs: list[int]) -> None:
    monkeypatch.setattr(bulk, "usable_cores", lambda: 2)
    several = BulkEmbedding(BundledEmbedding())
    several.get_text_embedding_batch(texts_of(200))
    several.close()
    assert sum(runs) == 200
    assert max(runs) == 50
    assert len(runs) < 20
    assert runs[-1] <= 8


def test_few_texts_do_not_load_the_model_again(runs: list[int]) -> None:
    several = BulkEmbedding(BundledEmbedding())
    few = texts_of(LOOPED_FROM - 1)
    alone = BundledEmbedding().get_text_embedding_batch(few)
    assert several.get_text_embedding_batch(few).tolist() == alone
    assert runs == []
    several.get_text_embedding_batch(texts_of(LOOPED_FROM))
    several.get_text_embedding_batch(few[:3])
    assert sum(runs) == LOOPED_FROM + 3, "once it is there, it takes few texts too"
    several.close()


def test_another_model_is_asked_as_it_always_is_one_batch_after_the_other(runs: list[int]) -> None:
    hashing = HashingEmbedding(model_name="tests/hashing")
    several = BulkEmbedding(hashing)
    texts = texts_of(LOOPED_FROM)
    found = several.get_text_embedding_batch(texts)
    several.close()
    assert several.batches_at_once == 1
    assert np.array_equal(found, np.asarray(hashing.get_text_embedding_batch(texts), dtype=np.float32))
    assert runs == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    for file in BUNDLED_FOLDER.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "minilm_int8.onnx").unlink()
    (tmp_path / "minilm_int8.onnx").write_bytes(b"")
    several = BulkEmbedding(BundledEmbedding(folder=tmp_path))
    with pytest.raises(ModelError, match=r"minilm_int8\.onnx"):
        several.get_text_embedding_batch(texts_of(LOOPED_FROM))
    several.close()


def test_what_has_not_begun_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Event(), Event()
    original = bulk._LoopedMiniLM.run
    taken: list[int] = []

    def run(model: Any, tokens: Sequence[bulk.Tokens]) -> npt.NDArray[np.float32]:
        taken.append(len(tokens))
        begun.set()
        assert go_on.wait(60)
        return original(model, tokens)

    monkeypatch.setattr(bulk._LoopedMiniLM, "run", run)
    monkeypatch.setattr(bulk, "usable_cores", lambda: 1)
    several = BulkEmbedding(BundledEmbedding())
    with ThreadPoolExecutor(2) as others:
        batch = others.submit(several.get_text_embedding_batch, texts_of(LOOPED_FROM))
        assert begun.wait(60)
        closing = others.submit(several.close)
        while not several._runs._shutdown:
            time.sleep(0.001)
        go_on.set()
        closing.result()
        with pytest.raises(CancelledError):
            batch.result()
    assert len(taken) == 1


# --- adding -------------------------------------------------------------------------------------------------------


def test_what_is_stored_has_the_vectors_of_each_text_alone(settings: Settings, tmp_path: Path, runs: list[int]) -> None:
    write_news(tmp_path / "news", 20)
    with open_store(settings, BundledEmbedding(), owner="a test") as store:
        add_articles(store, [tmp_path / "news"], settings=settings)
        passages = [passage for one in store.articles() for passage in store.article_passages(one.id)]
        stored = store.vectors([passage.id for passage in passages])
    alone = np.stack([load_model(BUNDLED_FOLDER).embed(embedded_text(passage)) for passage in passages])
    assert len(passages) > LOOPED_FROM
    # Chroma divides each by its length, which is 1 but for the last bit.
    assert np.abs(stored - alone).max() < 1e-6
    assert sum(runs) == len(passages)


def test_the_last_writes_are_small(seed_store: PassageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(seed_store, "put_all", lambda some: sizes.append(sum(len(one.passages) for one in some)))
    articles = [seed_store.article(one.id) for one in seed_store.articles()]
    with ArticleWriter(seed_store, 64) as writer:
        cut = sum(len(writer.add(article, "")) for article in articles * 6)
    assert sum(sizes) == cut
    assert sizes[-1] <= 64
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_adding_that_is_ended_ends_at_once_and_goes_on_later(how: signal.Signals, tmp_path: Path) -> None:
    write_news(tmp_path / "news", 200)
    home = tmp_path / "home"
    command = [sys.executable, "-m", "index", "add", str(tmp_path / "news")]
    environment = {**os.environ, "BYLINE_HOME": str(home)}
    adding = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    database = home / "chroma" / "chroma.sqlite3"
    size = 0
    while adding.poll() is None and size < 3_000_000:  # something is stored, something else is in the model
        size = database.stat().st_size if database.exists() else 0
        time.sleep(0.01)
    ended = time.perf_counter()
    adding.send_signal(how)
    _, said = adding.communicate(timeout=60)
    took = time.perf_counter() - ended
    if how == signal.SIGINT:
        assert (adding.returncode, said) == (130, "Interrupted.\n")
        assert took < 30
    else:
        assert adding.returncode == -signal.SIGKILL
    settings = Settings(home=home, lock_seconds=0)
    with open_store(settings, BundledEmbedding(), owner="a test") as store:
        there = len(store.articles())
        assert 0 < there < 200
        add_articles(store, [tmp_path / "news"], settings=settings)
        assert len(store.articles()) == 200
        assert store.problems() == []
