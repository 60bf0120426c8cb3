"""What every provider of embedding models must do alike, and that each has an index of its own."""

import gc
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from index.build import add_articles
from index.embeddings import load_embedding
from index.errors import BylineError, ModelError, ModelUnreachableError
from index.opening import open_store
from index.settings import Settings
from tests.conftest import SEEDS
from tests.ollama_server import OllamaServer
from tests.openai_server import OpenAIServer

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
KEY = "sk-test-0123456789abcdef"
PACKAGES = {"openai": "openai", "openai-like": "openai_like", "ollama": "ollama"}
Server = OpenAIServer | OllamaServer
Open = Callable[..., Settings]


def _installed(provider: str) -> bool:
    try:
        return find_spec(f"llama_index.embeddings.{PACKAGES[provider]}") is not None
    except ModuleNotFoundError:
        return False


@pytest.fixture(autouse=True)
def _collect_clients() -> Iterator[None]:
    """LlamaIndex's embeddings leave their connections open: those of one test are no warning in the next."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.skipif(not _installed(name), reason="its extra is not installed"))
        for name in PACKAGES
    ]
)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(provider: str) -> Iterator[Server]:
    models = ["small", "nomic-embed-text", "e5-small"]
    with OllamaServer() if provider == "ollama" else OpenAIServer(models=models) as running:
        running.models = models
        yield running


@pytest.fixture
def at(provider: str, server: Server, tmp_path: Path) -> Open:
    def settings(model: str = "small", **values: Any) -> Settings:
        given: dict[str, Any] = {"embedding_base_url": server.base_url, "embedding_api_key": KEY, "lock_seconds": 0}
        return Settings(**(given | {"embedding": f"{provider}/{model}", "home": tmp_path / "home"} | values))

    return settings


def _texts(server: Server) -> list[str]:
    inputs = [asked["input"] for asked in server.embedded]
    return [text for one in inputs for text in (one if isinstance(one, list) else [one])]


async def test_texts_and_questions_get_vectors_of_length_one(at: Open) -> None:
    embedding = load_embedding(at())
    vectors = [
        *embedding.get_text_embedding_batch(["Five hours.", "Six days."]),
        embedding.get_query_embedding("How long?"),
        await embedding.aget_query_embedding("How long?"),
    ]
    assert [round(sum(value * value for value in vector), 4) for vector in vectors] == [1.0] * 4
    assert vectors[2] == pytest.approx(vectors[3], abs=1e-6)
    assert vectors[0] != vectors[1]


@pytest.mark.parametrize(
    ("model", "question", "passage"),
    [
        ("small", "", ""),
        ("nomic-embed-text", "search_query: ", "search_document: "),
        ("e5-small", "query: ", "passage: "),
    ],
)
def test_the_server_gets_the_prefixes_that_the_model_wants(
    at: Open, server: Server, model: str, question: str, passage: str
) -> None:
    embedding = load_embedding(at(model))
    embedding.get_query_embedding("How long?")
    embedding.get_text_embedding_batch(["Five hours."])
    assert _texts(server) == [f"{question}How long?", f"{passage}Five hours."]


def test_an_unknown_model_and_a_missing_server_are_one_line_without_the_key(at: Open, provider: str) -> None:
    with pytest.raises(ModelError, match="BYLINE_EMBEDDING") as unknown:
        load_embedding(at("nobody")).get_query_embedding("How long?")
    with OllamaServer() if provider == "ollama" else OpenAIServer() as gone:
        address = gone.base_url
    with pytest.raises(ModelUnreachableError, match="BYLINE_EMBEDDING_BASE_URL") as unreachable:
        load_embedding(at(embedding_base_url=address)).get_query_embedding("How long?")
    for raised in (unknown, unreachable):
        assert "\n" not in str(raised.value)
        assert KEY not in str(raised.value)


def test_each_model_has_an_index_of_its_own_and_another_is_named_with_the_command(at: Open) -> None:
    small, nomic = at(), at("nomic-embed-text")
    with open_store(small, load_embedding(small), owner="a test") as store:
        add_articles(store, [SEEDS], settings=small)
        ids = [article.id for article in store.articles()]
    with (
        pytest.raises(BylineError, match=r"python -m index rebuild") as other,
        open_store(nomic, load_embedding(nomic), owner="a test") as store,
    ):
        store.articles()
    assert small.embedding in str(other.value)
    with open_store(small, load_embedding(small), owner="a test") as store:
        assert [article.id for article in store.articles()] == ids


def test_ollama_and_openai_are_sent_the_key(at: Open, server: Server) -> None:
    if isinstance(server, OllamaServer):
        server.key = KEY
    load_embedding(at()).get_query_embedding("How long?")
    if isinstance(server, OpenAIServer):
        assert server.embedded[0]["authorization"] == f"Bearer {KEY}"
