import asyncio
import hashlib
import json
import math
import os
import pickle
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import httpx
import numpy as np
import openai
import pytest
from llama_index.core.embeddings import BaseEmbedding
from pydantic import ConfigDict, PrivateAttr
from pydantic_settings import SettingsConfigDict

from index.bundled import with_output
from index.embeddings import (
    BUNDLED_DIMENSIONS,
    BUNDLED_FOLDER,
    BUNDLED_NAME,
    BundledEmbedding,
    ProviderEmbedding,
    embed_tokens,
    find_prefixes,
    load_embedding,
)
from index.errors import ModelContextError, ModelError, ModelRefusedError, ModelUnreachableError, SettingsError
from index.model_errors import ModelCall, provider_errors
from index.settings import Settings
from tests.fakes import HashingEmbedding

REFERENCE = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "minilm_reference.jsonl").read_text(encoding="utf-8").splitlines()
]
TEXTS = [row["text"] for row in REFERENCE]
HASHING = "tests.fakes.HashingEmbedding"


class PlainSettings(Settings):
    """Settings that read no `.env` of whoever runs the tests."""

    model_config = SettingsConfigDict(env_file=None)


def settings(**values: Any) -> Settings:
    return PlainSettings(**values)


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    return float(np.dot(first, second) / (np.linalg.norm(first) * np.linalg.norm(second)))


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("BYLINE_", "OPENAI_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def bundled() -> BaseEmbedding:
    return load_embedding(settings(embedding="bundled"))


def test_the_files_are_the_ones_recorded() -> None:
    lines = (BUNDLED_FOLDER / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    assert [line.split()[1] for line in lines] == ["minilm_int8.onnx", "tokenizer.json"]
    for line in lines:
        recorded, name = line.split()
        assert hashlib.sha256((BUNDLED_FOLDER / name).read_bytes()).hexdigest() == recorded


def test_the_default_is_the_bundled_model(bundled: BaseEmbedding) -> None:
    assert isinstance(bundled, BundledEmbedding)
    assert bundled.model_name == BUNDLED_NAME == load_embedding(settings(embedding=BUNDLED_NAME)).model_name
    assert len(bundled.get_query_embedding("Who met in Berlin?")) == BUNDLED_DIMENSIONS


@pytest.mark.parametrize("row", REFERENCE, ids=[row["text"][:20] for row in REFERENCE])
def test_vectors_are_near_those_of_the_original(row: dict[str, Any], bundled: BaseEmbedding) -> None:
    # 8-bit arithmetic differs a little between CPUs, so the bound is below the .98 seen where it was recorded.
    assert cosine(bundled.get_text_embedding(row["text"]), row["vector"]) > 0.965


def test_neighbours_are_those_of_the_original(bundled: BaseEmbedding) -> None:
    made = np.array(bundled.get_text_embedding_batch(TEXTS))
    original = np.array([row["vector"] for row in REFERENCE])
    for vectors in (made, original):
        np.fill_diagonal(near := vectors @ vectors.T, -1.0)
        # a question and its answer, one event in other words, and the other way round
        assert [int(near[place].argmax()) for place in (0, 1, 3, 4)] == [1, 0, 4, 3]
    assert np.abs(made @ made.T - original @ original.T).max() < 0.06


def test_vectors_have_length_one(bundled: BaseEmbedding) -> None:
    for vector in bundled.get_text_embedding_batch(TEXTS):
        assert math.hypot(*vector) == pytest.approx(1.0, abs=1e-5)


def test_a_text_has_the_same_vector_alone_and_among_others(bundled: BaseEmbedding) -> None:
    alone = [bundled.get_text_embedding(text) for text in TEXTS]
    assert bundled.get_text_embedding_batch(TEXTS) == alone
    assert bundled.get_text_embedding_batch(TEXTS[::-1]) == alone[::-1]


def test_a_text_has_the_same_vector_as_question_and_as_passage(bundled: BaseEmbedding) -> None:
    assert bundled.get_query_embedding(TEXTS[0]) == bundled.get_text_embedding(TEXTS[0])


async def test_async_vectors_are_the_same(bundled: BaseEmbedding) -> None:
    alone = [bundled.get_text_embedding(text) for text in TEXTS]
    assert await bundled.aget_text_embedding_batch(TEXTS) == alone
    assert await bundled.aget_text_embedding(TEXTS[1]) == alone[1]
    assert await bundled.aget_query_embedding(TEXTS[0]) == alone[0]


async def test_async_work_leaves_the_event_loop_free(bundled: BaseEmbedding) -> None:
    work = asyncio.ensure_future(bundled.aget_text_embedding_batch(TEXTS * 4))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert len(work.result()) == 4 * len(TEXTS)


def test_callers_in_several_threads_get_the_same_vectors(bundled: BaseEmbedding) -> None:
    alone = [bundled.get_text_embedding(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(bundled.get_text_embedding_batch, [TEXTS] * 4)) == [alone] * 4


@pytest.mark.parametrize("text", ["", "   \n", "\ud800", "\x00", "漢字" * 9, "w" * 500_000, "long text " * 50_000])
def test_any_text_has_a_vector(text: str, bundled: BaseEmbedding) -> None:
    assert math.hypot(*bundled.get_text_embedding(text)) == pytest.approx(1.0, abs=1e-5)


def test_256_tokens_of_a_text_count_and_no_more(bundled: BaseEmbedding) -> None:
    # 254 words of one token each, and the marks at both ends
    full = bundled.get_text_embedding("rain " * 200 + "bank " * 54)
    assert bundled.get_text_embedding("rain " * 200 + "bank " * 54 + "election " * 100) == full
    assert bundled.get_text_embedding("rain " * 200 + "bank " * 53 + "election ") != full


def test_the_files_are_read_at_the_first_text_only(tmp_path: Path) -> None:
    embedding = BundledEmbedding(folder=tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"cannot be read: .*nowhere.*SHA256SUMS.*BYLINE_EMBEDDING"):
        embedding.get_query_embedding("Who met in Berlin?")


@pytest.mark.parametrize("name", ["minilm_int8.onnx", "tokenizer.json", "SHA256SUMS"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut short", "other bytes"])
def test_a_missing_or_damaged_file_is_named(name: str, damage: str, tmp_path: Path) -> None:
    for file in BUNDLED_FOLDER.iterdir():
        (tmp_path / file.name).symlink_to(file)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    if damage == "empty":
        (tmp_path / name).touch()
    elif damage == "cut short":
        (tmp_path / name).write_bytes(content[: len(content) // 3])
    elif damage == "other bytes":
        (tmp_path / name).write_bytes(content[:-9] + b"\xff" * 9)
    with pytest.raises(ModelError, match=r"^The bundled embedding model (cannot be read|is damaged): .*" + name):
        BundledEmbedding(folder=tmp_path).get_text_embedding_batch(TEXTS[:2])


def test_the_embedding_can_be_sent_to_another_process(bundled: BaseEmbedding) -> None:
    copy = pickle.loads(pickle.dumps(bundled))
    assert copy.get_text_embedding(TEXTS[0]) == bundled.get_text_embedding(TEXTS[0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"embedding": "nobody/nothing"}, r"no embedding model 'nobody/nothing'. There are: bundled, openai/MODEL"),
        ({"embedding": "none"}, "There are: bundled"),
        ({"embedding": "openai/text-embedding-3-small"}, "OPENAI_API_KEY"),
        ({"embedding": "openai-like/nomic"}, "BYLINE_EMBEDDING_BASE_URL"),
        ({"embedding": "no.such.Thing"}, "no.such.Thing cannot be imported"),
        ({"embedding": "tests.fakes.Nothing"}, "tests.fakes has no Nothing"),
        ({"embedding": "pathlib.Path"}, "not an embedding class"),
        ({"embedding": "tests.fakes.ScriptedLLM"}, "not an embedding class"),
    ],
)
def test_a_name_that_cannot_be_used_is_a_readable_error(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_embedding(settings(**values))


def test_a_provider_whose_package_is_missing_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.embeddings.ollama", None)
    with pytest.raises(SettingsError, match="install the package llama-index-embeddings-ollama"):
        load_embedding(settings(embedding="ollama/nomic-embed-text"))


def test_any_class_of_llama_index_is_taken_by_its_import_path() -> None:
    embedding = load_embedding(settings(embedding=HASHING, embedding_options='{"dimensions": 8}'))
    assert embedding.model_name == HASHING
    expected = HashingEmbedding(dimensions=8).get_text_embedding("five hours")
    assert embedding.get_text_embedding("five hours") == pytest.approx(expected)


class CountingEmbedding(HashingEmbedding):
    """Answers with vectors of length 5, and can be told to fail."""

    fail: Exception | None = None
    short: bool = False

    def _embed(self, text: str) -> list[float]:
        if self.fail:
            raise self.fail
        return [3.0, 4.0] if text else [0.0, 0.0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [self._embed(text) for text in texts][: -1 if self.short else None]


async def test_vectors_of_other_models_are_brought_to_length_one() -> None:
    embedding = ProviderEmbedding(CountingEmbedding(), model_name="test/counting")
    unit = [0.6, 0.8]
    assert embedding.get_text_embedding("a") == unit
    assert embedding.get_query_embedding("a") == unit
    assert embedding.get_text_embedding_batch(["a", "b"]) == [unit, unit]
    assert await embedding.aget_text_embedding("a") == unit
    assert await embedding.aget_query_embedding("a") == unit
    assert await embedding.aget_text_embedding_batch(["a", "b"]) == [unit, unit]


def test_a_vector_without_direction_is_an_error() -> None:
    with pytest.raises(ModelError, match="test/counting answered with a vector that is zero"):
        ProviderEmbedding(CountingEmbedding(), model_name="test/counting").get_text_embedding("")


def test_fewer_vectors_than_texts_is_an_error() -> None:
    with pytest.raises(ModelError, match="answered 2 texts with 1 vectors"):
        ProviderEmbedding(CountingEmbedding(short=True), model_name="test/counting").get_text_embedding_batch(
            ["a", "b"]
        )


async def test_errors_of_a_provider_become_ours_on_every_path() -> None:
    embedding = ProviderEmbedding(CountingEmbedding(fail=TimeoutError("too slow")), model_name="test/counting")
    for call in (embedding.get_text_embedding, embedding.get_query_embedding):
        with pytest.raises(ModelUnreachableError, match="test/counting sent nothing for too long"):
            call("a")
    with pytest.raises(ModelUnreachableError):
        embedding.get_text_embedding_batch(["a"])
    for acall in (embedding.aget_text_embedding, embedding.aget_query_embedding):
        with pytest.raises(ModelUnreachableError):
            await acall("a")
    with pytest.raises(ModelUnreachableError):
        await embedding.aget_text_embedding_batch(["a"])


REQUEST = httpx.Request("POST", "http://localhost:8080/v1/embeddings")


def answered(status: int, message: str) -> Exception:
    return openai.APIStatusError(
        f"Error code: {status}", response=httpx.Response(status, request=REQUEST), body={"message": message}
    )


@pytest.mark.parametrize(
    ("raised", "expected", "words"),
    [
        (
            answered(401, "wrong key"),
            ModelRefusedError,
            r"does not accept the key .401.: check BYLINE_EMBEDDING_API_KEY",
        ),
        (
            answered(404, "no such model"),
            ModelRefusedError,
            r"has no such model.*no such model.: check BYLINE_EMBEDDING,",
        ),
        (answered(429, "slow down"), ModelRefusedError, r"asks to wait .429: slow down"),
        (answered(503, "loading"), ModelRefusedError, r"failed .503: loading.; try again"),
        (answered(418, "a teapot\nand more"), ModelRefusedError, r"refused the request .418: a teapot.\."),
        (
            answered(413, "Payload too large"),
            ModelContextError,
            "cannot read a text that long: lower BYLINE_PASSAGE_TOKENS",
        ),
        (answered(400, "maximum context length is 512 tokens"), ModelContextError, "cannot read a text that long"),
        (
            httpx.HTTPStatusError("Not Found", request=REQUEST, response=httpx.Response(404, request=REQUEST)),
            ModelRefusedError,
            "has no such model or no such address .404: Not Found",
        ),
        (openai.APITimeoutError(request=REQUEST), ModelUnreachableError, "sent nothing for too long"),
        (httpx.ReadTimeout(""), ModelUnreachableError, "sent nothing for too long"),
        (ConnectionRefusedError("refused"), ModelUnreachableError, "cannot be reached.*BYLINE_EMBEDDING_BASE_URL"),
        (ValueError("odd answer"), ModelRefusedError, "failed: odd answer"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_providers_error_says_what_failed_and_where(
    raised: Exception, expected: type[ModelError], words: str
) -> None:
    address = "http://localhost:8080/v1"
    with (
        pytest.raises(ModelError, match=f"^test/model at {address} {words}") as caught,
        provider_errors(ModelCall("test/model", address, kind="EMBEDDING")),
    ):
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


def test_an_error_of_ours_passes_as_it_is() -> None:
    ours = ModelError("said already")
    with pytest.raises(ModelError) as caught, provider_errors(ModelCall("test/model", kind="EMBEDDING")):
        raise ours
    assert caught.value is ours


def test_secrets_never_show() -> None:
    call = ModelCall("test/m", "http://user:hunter2@localhost:8080/v1", kind="EMBEDDING", secrets=("hush-12345",))
    with pytest.raises(ModelRefusedError) as caught, provider_errors(call):
        raise answered(400, "The key hush-12345 cannot be used.")
    assert "hush-12345" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "http://***@localhost:8080/v1 refused the request (400: The key *** cannot be used)" in str(caught.value)


@pytest.mark.parametrize(
    ("model", "query", "passage"),
    [
        ("intfloat/e5-small-v2", "query: ", "passage: "),
        ("multilingual-e5-large", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large-instruct", "Instruct: ", ""),
        ("nomic-embed-text:latest", "search_query: ", "search_document: "),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence", ""),
        ("BAAI/bge-m3", "", ""),
        ("text-embedding-3-small", "", ""),
        ("all-minilm", "", ""),
        ("some-e50-model", "", ""),
    ],
)
def test_prefixes_are_those_the_models_makers_ask_for(model: str, query: str, passage: str) -> None:
    found = find_prefixes(model)
    assert found.query.startswith(query)
    assert bool(found.query) == bool(query)
    assert found.passage == passage


class Heard(HashingEmbedding):
    """Remembers the texts it embeds."""

    model_config = ConfigDict(extra="allow")
    texts: ClassVar[list[str]] = []

    def _embed(self, text: str) -> list[float]:
        self.texts.append(text)
        return super()._embed(text)


async def test_prefixes_stand_before_every_text_and_in_the_models_name() -> None:
    Heard.texts.clear()
    path = f"{__name__}.Heard"
    given: dict[str, Any] = {"embedding": path, "embedding_options": {"model_name": "intfloat/e5-small"}}
    embedding = load_embedding(settings(**given))
    embedding.get_query_embedding("q1")
    embedding.get_text_embedding("p1")
    embedding.get_text_embedding_batch(["p2", "p3"])
    await embedding.aget_query_embedding("q2")
    await embedding.aget_text_embedding("p4")
    await embedding.aget_text_embedding_batch(["p5"])
    assert sorted(Heard.texts) == sorted(
        [*(f"query: q{n}" for n in (1, 2)), *(f"passage: p{n}" for n in (1, 2, 3, 4, 5))]
    )
    names = {
        load_embedding(settings(**given, **more)).model_name
        for more in (
            {},
            {"embedding_query_prefix": ""},
            {"embedding_query_prefix": "", "embedding_passage_prefix": ""},
            {"embedding_passage_prefix": "text: "},
        )
    }
    assert len(names) == 4, "no two of them may share an index"
    assert path in names, "without prefixes the name is the model's alone"


class RecordingEmbedding(HashingEmbedding):
    """Stands for a provider's class: remembers what it was called with."""

    _given: dict[str, Any] = PrivateAttr()

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self._given = given


@pytest.mark.parametrize(
    ("module", "name", "values", "given"),
    [
        (
            "openai",
            "OpenAIEmbedding",
            {"embedding": "openai/text-embedding-3-small", "OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "https://a/v1"},
            {"model_name": "text-embedding-3-small", "api_key": "sk-1", "api_base": "https://a/v1", "timeout": 60.0},
        ),
        (
            "openai",
            "OpenAIEmbedding",
            {"embedding": "openai/big", "OPENAI_API_KEY": "sk-1", "embedding_api_key": "sk-2"},
            {"model_name": "big", "api_key": "sk-2", "max_retries": 1},
        ),
        (
            "openai_like",
            "OpenAILikeEmbedding",
            {"embedding": "openai-like/nomic/v1.5", "embedding_base_url": "http://localhost:8080/v1/"},
            {"model_name": "nomic/v1.5", "api_key": "none", "api_base": "http://localhost:8080/v1"},
        ),
        (
            "ollama",
            "OllamaEmbedding",
            {"embedding": "ollama/nomic", "embedding_base_url": "http://localhost:1", "llm_read_seconds": 9.0},
            {
                "model_name": "nomic",
                "base_url": "http://localhost:1",
                "client_kwargs": {"timeout": 9.0, "headers": None},
            },
        ),
        (
            "huggingface",
            "HuggingFaceEmbedding",
            {"embedding": "huggingface/BAAI/bge-small-en-v1.5", "embedding_options": {"query_instruction": "search: "}},
            {"model_name": "BAAI/bge-small-en-v1.5", "query_instruction": "search: ", "text_instruction": ""},
        ),
    ],
    ids=["openai", "openai with its own key", "openai-like", "ollama", "huggingface"],
)
def test_a_providers_class_is_called_with_what_the_settings_say(
    module: str, name: str, values: dict[str, Any], given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleType("llama_index.embeddings")
    provided = ModuleType(f"llama_index.embeddings.{module}")
    setattr(provided, name, RecordingEmbedding)
    monkeypatch.setitem(sys.modules, "llama_index.embeddings", package)
    monkeypatch.setitem(sys.modules, provided.__name__, provided)
    embedding = load_embedding(settings(**values))
    assert isinstance(embedding, ProviderEmbedding)
    assert embedding.model_name.partition("+")[0] == values["embedding"]
    assert isinstance(embedding._inner, RecordingEmbedding)
    assert {key: embedding._inner._given.get(key) for key in given} == given
    assert "sk-" not in repr(embedding) + str(embedding.to_payload())


def test_the_mean_of_a_texts_token_vectors_points_where_its_vector_does() -> None:
    text = "A crane lifted the bell, 4.2 tonnes of bronze, over the roof."
    tokens = embed_tokens(text)
    mean = tokens.vectors.mean(axis=0)
    assert mean / np.linalg.norm(mean) == pytest.approx(BundledEmbedding().get_text_embedding(text), abs=1e-5)
    assert [text[start:end] for start, end in tokens.places[1:4]] == ["A", "crane", "lifted"]


def test_an_inner_value_with_a_name_too_long_for_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        with_output(b"", "x" * 200)
