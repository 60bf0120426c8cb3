"""The index on a Chroma server: a real `chroma run` on loopback."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from index.build import add_articles, ensure_seeds
from index.errors import EmbeddingMismatchError
from index.rebuilding import rebuild
from index.settings import Settings
from index.store import open_store
from tests.fakes import HashingEmbedding


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
        assert first.article(article).text.endswith("giraffe.")
        assert [passage.article_id for passage, _ in first.find_words("giraffe", 3)] == [article]

    other = HashingEmbedding(model_name="tests/other", dimensions=32)
    with pytest.raises(EmbeddingMismatchError, match=server), open_store(mine, other, owner="a test"):
        pass
    assert len(rebuild(mine, other, owner="a test").changed) == 5
    for model in (embedding, other):
        with open_store(mine, model, owner="a test") as store:
            assert len(store.articles()) == 5
