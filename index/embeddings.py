"""The embedding model by name: the bundled ONNX default, or another one through LlamaIndex.

Vectors have length 1, whatever the model; `model_name` names the model, and an index is bound to that name.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from llama_index.core.embeddings import BaseEmbedding
from pydantic import PrivateAttr
from tokenizers import Tokenizer

from index.bundled import Bundle, encodable, loaded_once, open_session, open_tokenizer, with_output
from index.classes import import_class
from index.errors import ModelError, SettingsError
from index.model_errors import ModelCall, provider_errors
from index.settings import Settings

BUNDLED_NAME = "bundled/all-MiniLM-L6-v2-int8"
BUNDLED_FOLDER = Path(__file__).parent / "minilm"
BUNDLED_DIMENSIONS = 384
# Tokens of a text that count, the two marks at its ends included; what is beyond them is not seen by the model.
BUNDLED_MAX_TOKENS = 256

TOKENIZER_FILE = "tokenizer.json"
MODEL_FILE = "minilm_int8.onnx"
# What the model knows of each token in its text, before their mean is taken.
_TOKENS_NODE = "/bert/encoder/layer.5/output/LayerNorm/LayerNormalization_output_0"
BUNDLED_FILES = Bundle(
    name="embedding model",
    folder=BUNDLED_FOLDER,
    files=frozenset({MODEL_FILE, TOKENIZER_FILE}),
    remedy="Get the folder index/minilm of Byline again, or set BYLINE_EMBEDDING to another model.",
)
# 256 tokens are some 1,200 characters of prose: a book given as one text is not worth tokenising whole.
_MAX_CHARACTERS = 20_000
_TEXTS_A_CALL = 256
# Some 10 MB with their texts.
_VECTORS_KEPT = 4096
# Some 15 MB: a sentence has about 30 tokens.
_TEXTS_KEPT_BY_TOKEN = 256


def load_embedding(settings: Settings) -> BaseEmbedding:
    """The embedding model that `BYLINE_EMBEDDING` names; the bundled one reads its files at the first text.

    Raises:
        SettingsError: no such model, or what it needs is not set or not installed.
    """
    if settings.embedding in {"bundled", BUNDLED_NAME}:
        return BundledEmbedding()
    return ProviderEmbedding.by_name(settings)


class BundledEmbedding(BaseEmbedding):
    """all-MiniLM-L6-v2 in 8 bits, run by onnxruntime on the CPU: no key, no download, the same vector every time.

    One text a run: with dynamic 8-bit arithmetic a text's vector depends on the texts that share its run, and runs
    of one are also the fastest. Several texts are spread over threads instead.
    """

    model_name: str = BUNDLED_NAME
    embed_batch_size: int = _TEXTS_A_CALL
    folder: Path = BUNDLED_FOLDER

    @classmethod
    def class_name(cls) -> str:
        """The name LlamaIndex writes in traces."""
        return "BundledEmbedding"

    def _get_text_embedding(self, text: str) -> list[float]:
        vector: list[float] = _remembered(self.folder, text).tolist()
        return vector

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        threads = min(len(texts), usable_cores())
        if threads < 2:
            return [self._get_text_embedding(text) for text in texts]
        with ThreadPoolExecutor(threads, thread_name_prefix="embedding") as pool:
            return list(pool.map(self._get_text_embedding, texts))

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await self._aget_text_embedding(query)


def readable(text: str) -> str:
    """What of a text the bundled model is given."""
    return encodable(text[:_MAX_CHARACTERS])


@dataclass(frozen=True, slots=True)
class MiniLM:
    """The loaded files; safe to share between threads."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    def embed(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector of one text."""
        ids = np.array([self.tokenizer.encode(readable(text)).ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        vector: npt.NDArray[np.float32] = self.session.run(["embedding"], inputs)[0][0]
        return vector

    def embed_tokens(self, text: str) -> "TokenVectors":
        """A vector for each token of one text, as the others around it colour it."""
        encoding = self.tokenizer.encode(readable(text))
        ids = np.array([encoding.ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        vectors: npt.NDArray[np.float32] = self.session.run([_TOKENS_NODE], inputs)[0][0]
        return TokenVectors(vectors, tuple(encoding.offsets))


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The tokens of a text, the marks at its ends included, whose places are empty: not of length 1; a row each.

    Attributes:
        vectors: their mean has the direction of the text's vector.
        places: first character of each and one past its last.
    """

    vectors: npt.NDArray[np.float32]
    places: tuple[tuple[int, int], ...]


@lru_cache(maxsize=_TEXTS_KEPT_BY_TOKEN)
def embed_tokens(text: str) -> TokenVectors:
    """The vectors of a text's tokens by the bundled model, kept a while.

    Raises:
        ModelError: its files are missing or damaged.
    """
    return load_model(BUNDLED_FOLDER).embed_tokens(text)


@lru_cache(maxsize=_VECTORS_KEPT)
def _remembered(folder: Path, text: str) -> npt.NDArray[np.float32]:
    """The vector of a text, kept a while: what many ask about is compared with question after question."""
    return load_model(folder).embed(text)


@loaded_once
def load_model(folder: Path) -> MiniLM:
    """The model in `folder`, read once a process."""
    read = replace(BUNDLED_FILES, folder=folder).read()
    tokenizer = open_tokenizer(read[TOKENIZER_FILE], max_tokens=BUNDLED_MAX_TOKENS)
    return MiniLM(open_session(with_output(read[MODEL_FILE], _TOKENS_NODE)), tokenizer)


def usable_cores() -> int:
    """Cores this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What a model was trained to see before a question and before a passage."""

    query: str = ""
    passage: str = ""

    @property
    def in_name(self) -> str:
        """What the model's name in the index says of them: "" for none, else a mark that differs with each pair."""
        if self == NO_PREFIXES:
            return ""
        return f"+prefixes-{hashlib.sha256(repr((self.query, self.passage)).encode()).hexdigest()[:8]}"


NO_PREFIXES = Prefixes()

# Models that their makers ask to be used so, by what their names have in common; the first that fits counts.
_KNOWN_PREFIXES = (
    (r"e5.*instruct", Prefixes("Instruct: Given a question, retrieve news passages that answer it\nQuery: ")),
    (r"(?:^|[/_-])(?:multilingual-)?e5(?:$|[_-])", Prefixes("query: ", "passage: ")),
    (r"nomic-embed-text", Prefixes("search_query: ", "search_document: ")),
    (
        r"bge-(?:small|base|large)-en|mxbai-embed|snowflake-arctic-embed(?!.*2)",
        Prefixes("Represent this sentence for searching relevant passages: "),
    ),
)


def find_prefixes(model: str) -> Prefixes:
    """The prefixes that a model of this name wants; none for a name that is not known."""
    name = model.lower()
    return next((prefixes for pattern, prefixes in _KNOWN_PREFIXES if re.search(pattern, name)), NO_PREFIXES)


@dataclass(frozen=True, slots=True)
class _Provider:
    """Where LlamaIndex keeps the class of a provider, and the package that brings it."""

    path: str
    package: str


_PROVIDERS = {
    "openai": _Provider("llama_index.embeddings.openai.OpenAIEmbedding", "llama-index-embeddings-openai"),
    "openai-like": _Provider(
        "llama_index.embeddings.openai_like.OpenAILikeEmbedding", "llama-index-embeddings-openai-like"
    ),
    "ollama": _Provider("llama_index.embeddings.ollama.OllamaEmbedding", "llama-index-embeddings-ollama"),
    "huggingface": _Provider(
        "llama_index.embeddings.huggingface.HuggingFaceEmbedding", "llama-index-embeddings-huggingface"
    ),
}


class ProviderEmbedding(BaseEmbedding):
    """Any LlamaIndex embedding: its vectors brought to length 1, its errors made ours, its prefixes put before texts.

    Prefixes are part of `model_name`, so that an index never mixes vectors made with and without.
    """

    _inner: BaseEmbedding = PrivateAttr()
    _prefixes: Prefixes = PrivateAttr()
    _call: ModelCall = PrivateAttr()

    def __init__(
        self,
        inner: BaseEmbedding,
        *,
        model_name: str,
        address: str | None = None,
        secrets: Sequence[str] = (),
        prefixes: Prefixes = NO_PREFIXES,
    ) -> None:
        super().__init__(model_name=model_name, embed_batch_size=inner.embed_batch_size)
        self._inner = inner
        self._prefixes = prefixes
        self._call = ModelCall(model_name, address, kind="EMBEDDING", secrets=tuple(secrets))

    @classmethod
    def by_name(cls, settings: Settings) -> "ProviderEmbedding":
        """The model that `settings.embedding` names as provider/model or as the import path of a class."""
        name = settings.embedding
        provider, _, model = name.partition("/")
        keys = (settings.embedding_api_key, settings.openai_api_key)
        secrets = tuple(key.get_secret_value() for key in keys if key)
        if (model and provider not in _PROVIDERS) or (not model and "." not in provider):
            raise SettingsError(
                f"BYLINE_EMBEDDING: there is no embedding model '{name}'. There are: bundled, "
                + ", ".join(f"{known}/MODEL" for known in _PROVIDERS)
                + ", or the import path of a LlamaIndex class such as package.module.MyEmbedding."
            )
        prefixes = _prefixes(provider, model, settings)
        arguments = _arguments(provider, model, settings) if model else {}
        if provider == "huggingface":
            arguments |= {"query_instruction": prefixes.query, "text_instruction": prefixes.passage}
        address = arguments.get("api_base") or arguments.get("base_url")
        known = _PROVIDERS.get(provider)
        embedding_class = import_class(
            known.path if known else name,
            BaseEmbedding,
            kind="an embedding class",
            setting="BYLINE_EMBEDDING",
            package=known.package if known else None,
        )
        with provider_errors(ModelCall(name, address, kind="EMBEDDING", secrets=secrets)):
            inner = embedding_class(**{**arguments, **settings.embedding_options})
        own = NO_PREFIXES if provider == "huggingface" else prefixes  # its class puts them there itself
        name = f"{name}{prefixes.in_name}"
        return cls(inner, model_name=name, address=address, secrets=secrets, prefixes=own)

    @classmethod
    def class_name(cls) -> str:
        """The name LlamaIndex writes in traces."""
        return "ProviderEmbedding"

    def _get_text_embedding(self, text: str) -> list[float]:
        with self._errors():
            return self._unit_vectors([self._inner.get_text_embedding(self._prefixes.passage + text)], expected=1)[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        with self._errors():
            return self._unit_vectors(self._inner.get_text_embedding_batch(self._passages(texts)), expected=len(texts))

    def _get_query_embedding(self, query: str) -> list[float]:
        with self._errors():
            return self._unit_vectors([self._inner.get_query_embedding(self._prefixes.query + query)], expected=1)[0]

    async def _aget_text_embedding(self, text: str) -> list[float]:
        with self._errors():
            return self._unit_vectors(
                [await self._inner.aget_text_embedding(self._prefixes.passage + text)], expected=1
            )[0]

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        with self._errors():
            return self._unit_vectors(
                await self._inner.aget_text_embedding_batch(self._passages(texts)), expected=len(texts)
            )

    async def _aget_query_embedding(self, query: str) -> list[float]:
        with self._errors():
            return self._unit_vectors(
                [await self._inner.aget_query_embedding(self._prefixes.query + query)], expected=1
            )[0]

    def _passages(self, texts: Sequence[str]) -> list[str]:
        return [self._prefixes.passage + text for text in texts]

    def _errors(self) -> AbstractContextManager[None]:
        return provider_errors(self._call)

    def _unit_vectors(self, vectors: Sequence[Sequence[float]], *, expected: int) -> list[list[float]]:
        if len(vectors) != expected:
            raise ModelError(f"{self.model_name} answered {expected} texts with {len(vectors)} vectors.")
        units = []
        for vector in vectors:
            array = np.asarray(vector, dtype=np.float64)
            length = float(np.linalg.norm(array))
            if not (np.isfinite(length) and length > 0):
                raise ModelError(f"{self.model_name} answered with a vector that is zero or not a number.")
            units.append([float(value) for value in array / length])
        return units


def _prefixes(provider: str, model: str, settings: Settings) -> Prefixes:
    """What the settings say, else what the model's name does; of a class by its path the name may be an option."""
    options = settings.embedding_options
    known = find_prefixes(model or str(options.get("model_name", "")))
    query, passage = settings.embedding_query_prefix, settings.embedding_passage_prefix
    if provider == "huggingface":
        query = options.get("query_instruction", query)
        passage = options.get("text_instruction", passage)
    return Prefixes(known.query if query is None else query, known.passage if passage is None else passage)


def _arguments(provider: str, model: str, settings: Settings) -> dict[str, Any]:
    """What the provider's class is called with."""
    arguments: dict[str, Any] = {"model_name": model}
    if provider == "huggingface":
        return arguments
    address, key = settings.embedding_base_url, settings.embedding_api_key
    if provider == "ollama":
        headers = {"authorization": f"Bearer {key.get_secret_value()}"} if key else None
        arguments["client_kwargs"] = {"timeout": settings.llm_read_seconds, "headers": headers}
        return arguments | ({"base_url": address} if address else {})
    if provider == "openai":
        address, key = address or settings.openai_base_url, key or settings.openai_api_key
        if key is None:
            raise SettingsError(f"BYLINE_EMBEDDING={settings.embedding} needs a key: set OPENAI_API_KEY.")
    elif address is None:
        raise SettingsError(
            f"BYLINE_EMBEDDING={settings.embedding} needs the server's address: set BYLINE_EMBEDDING_BASE_URL, "
            "for example http://localhost:8080/v1."
        )
    # LlamaIndex's retries and its client's multiply: 1 makes two requests at most, 2 would make six.
    arguments |= {"api_key": key.get_secret_value() if key else "none", "max_retries": 1}
    arguments |= {"timeout": settings.llm_read_seconds, "embed_batch_size": 100}
    return arguments | ({"api_base": address} if address else {})
