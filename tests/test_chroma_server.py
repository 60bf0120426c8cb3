"""The index on a Chroma server: a real `chroma run` on loopback."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from index.build import add_articles, ensure_seeds
from index.errors import ArticleError, EmbeddingMismatchError, SettingsError
from index.opening import open_store
from index.rebuilding import rebuild
from index.settings import Settings
from tests.fakes import HashingEmbedding
from tests.tls_proxy import tls_proxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).parent / "chroma"
    folder = tmp_path_factory.mktemp("server")
    command = [str(chroma), "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(folder / "data")]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx.get(f"{address}/api/v2/heartbeat").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield address
        process.terminate()


def test_index_on_a_server_is_shared_by_two_homes(server: str, tmp_path: Path, embedding: HashingEmbedding) -> None:
    mine = Settings(home=tmp_path / "mine", chroma=server, lock_seconds=0)
    yours = Settings(home=tmp_path / "yours", chroma=server, lock_seconds=0)
    with open_store(mine, embedding, owner="a test") as first, open_store(yours, embedding, owner="a test") as second:
        ensure_seeds(first, mine)
        second.refresh()
        assert [one.id for one in second.articles()] == [one.id for one in first.articles()]
        article = first.articles()[0].id
        assert second.article(article) == first.article(article)
        query = embedding.get_query_embedding("talks in Berlin")
        assert second.nearest(query, 5) == first.nearest(query, 5)
        assert second.find_words("Reuters", 3) == first.find_words("Reuters", 3) != []
        file = tmp_path / f"{article}.txt"
        file.write_text("The council met on Monday. It voted for a giraffe.")
        second.remove([article])
        add_articles(second, [file], settings=yours)
        first.refresh()
        assert first.article(article).text.endswith("giraffe.")
        assert [passage.article_id for passage, _ in first.find_words("giraffe", 3)] == [article]

    other = HashingEmbedding(model_name="tests/other", dimensions=32)
    with pytest.raises(EmbeddingMismatchError, match=server), open_store(mine, other, owner="a test"):
        pass
    assert len(rebuild(mine, other, owner="a test").changed) == 5
    for model in (embedding, other):
        with open_store(mine, model, owner="a test") as store:
            assert len(store.articles()) == 5


WRITER = """
import sys
from pathlib import Path
from index.articles import make_article
from index.passages import cut_passages
from index.settings import Settings
from index.opening import open_store
from index.writing import embed_passages
from tests.fakes import HashingEmbedding

address, home, name = sys.argv[1:]
settings = Settings(home=Path(home), chroma=address, chroma_database="shared")
with open_store(settings, HashingEmbedding(model_name="tests/shared"), owner="a test") as store:
    for number in range(30):
        text = f"{name} {number} is told. " + "The mayor of Tavlin spoke of it. " * (number + 1)
        article = make_article(f"{name}{number % 20:02}", text)
        passages = cut_passages(article, max_tokens=64)
        store.put(article, passages, embed_passages(passages, store.embedding))
    store.remove([f"{name}00"])
"""


def test_two_processes_add_to_a_server_while_a_third_reads(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.following.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("index.following._RELIST_SECONDS", 0.5)
    model = HashingEmbedding(model_name="tests/shared")
    query = model.get_query_embedding("mayor of Tavlin")
    names = ("morning", "evening")
    wanted = {f"{name}{number:02}" for name in names for number in range(1, 20)}
    databases = f"{server}/api/v2/tenants/default_tenant/databases"
    httpx.post(databases, json={"name": "shared"}).raise_for_status()
    settings = Settings(home=tmp_path / "reader", chroma=server, chroma_database="shared")
    with open_store(settings, model, owner="a test") as store:
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, server, str(tmp_path / name), name], cwd=Path(__file__).parent.parent
            )
            for name in names
        ]
        seen, latest = 0, time.monotonic() + 240
        while time.monotonic() < latest:
            done = all(writer.poll() is not None for writer in writers)
            listed = store.articles()
            seen = max(seen, len(listed) if not done else 0)
            for one in listed[:3]:
                try:
                    text = store.article(one.id).text
                except ArticleError:  # removed meanwhile
                    continue
                assert text.startswith(one.id[:7])
                assert text.endswith("spoke of it.")
            for passage, _ in store.nearest(query, 5) + store.find_words("mayor", 5):
                assert passage.article_id[:7] in names
            if done and {one.id for one in listed} == wanted:
                break
        assert [writer.wait(10) for writer in writers] == [0, 0]
        assert {one.id for one in store.articles()} == wanted
        assert seen > 0, "nothing was seen while others wrote"
        assert store.problems() == []
        assert {store.article(f"{name}05").text.count("Tavlin") for name in names} == {26}
    with open_store(settings.model_copy(update={"home": tmp_path / "new"}), model, owner="a test") as store:
        assert {one.id for one in store.articles()} == wanted
        assert store.problems() == []


def answering(status: int | None) -> type[BaseHTTPRequestHandler]:
    """What answers everything with one status, or not at all."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if status is None:
                time.sleep(1.5)
                return
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    return Answer


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (None, r"BYLINE_CHROMA: no Chroma server answers at .*timed out"),
        (401, r"BYLINE_CHROMA_TOKEN: .*does not accept it"),
        (404, r"is no Chroma server of version 1 or newer \(HTTP 404\)"),
    ],
)
def test_server_that_is_silent_or_refuses_is_told(
    tmp_path: Path, embedding: HashingEmbedding, status: int | None, message: str
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), answering(status)) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        settings = Settings(
            home=tmp_path / "home",
            chroma=f"http://127.0.0.1:{other.server_port}",
            chroma_seconds=0.5,
            chroma_token=SecretStr("sesame"),
        )
        with pytest.raises(SettingsError, match=message) as told, open_store(settings, embedding, owner="a test"):
            pass
        other.shutdown()
    assert "sesame" not in str(told.value)


def test_unknown_tenant_is_told(server: str, tmp_path: Path, embedding: HashingEmbedding) -> None:
    settings = Settings(home=tmp_path / "home", chroma=server, chroma_tenant="nobody")
    with (
        pytest.raises(SettingsError, match=r"no database 'default_database' of the tenant 'nobody'"),
        open_store(settings, embedding, owner="a test"),
    ):
        pass


def test_server_behind_tls_and_a_token_holds_another_tenants_database(
    server: str, tmp_path: Path, embedding: HashingEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpx.post(f"{server}/api/v2/tenants", json={"name": "desk"}).raise_for_status()
    httpx.post(f"{server}/api/v2/tenants/desk/databases", json={"name": "news"}).raise_for_status()
    with tls_proxy(server, tmp_path, token="sesame") as (address, certificate):
        settings = Settings(
            home=tmp_path / "home",
            chroma=address,
            chroma_tenant="desk",
            chroma_database="news",
            chroma_token=SecretStr("sesame"),
        )
        with (
            pytest.raises(SettingsError, match=r"no Chroma server answers.*certificate verify failed"),
            open_store(settings, embedding, owner="a test"),
        ):
            pass
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with open_store(settings, embedding, owner="a test") as store:
            ensure_seeds(store, settings)
            store.remove([store.articles()[0].id])
        with open_store(settings.model_copy(update={"home": tmp_path / "other"}), embedding, owner="a test") as store:
            assert len(store.articles()) == 4
            assert store.find_words("Reuters", 1)
            assert store.problems() == []
        wrong = settings.model_copy(update={"chroma_token": SecretStr("mellon")})
        with (
            pytest.raises(SettingsError, match=r"BYLINE_CHROMA_TOKEN: .*does not accept it") as told,
            open_store(wrong, embedding, owner="a test"),
        ):
            pass
        assert "mellon" not in str(told.value)
    default = Settings(home=tmp_path / "default", chroma=server, chroma_tenant="desk", chroma_database="news")
    with open_store(default, embedding, owner="a test") as store:
        assert len(store.articles()) == 4
