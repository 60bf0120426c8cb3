"""The language model by name, through LlamaIndex's interface; how it is called and how it fails is re-exported here.

One layer retries: the openai client, twice, waiting as Retry-After says within the silence that the settings allow;
LlamaIndex's own retries are off.
"""

import weakref
from collections.abc import Callable
from importlib import import_module
from typing import Any

from llama_index.core.llms import LLM

from index.classes import import_class
from index.errors import SettingsError
from index.model_errors import note_refusal, without_secrets
from index.settings import Settings
from rag.local_models import load_transformers, serve_gguf
from rag.model_server import OPENAI_URL, ModelServer, find_server
from rag.model_stream import Ending, ModelStream, complete_text

__all__ = ["Ending", "ModelStream", "complete_text", "load_llm", "model_label"]

_RETRIES = 2


def model_label(settings: Settings) -> str:
    """`provider/model`, or `none`."""
    return settings.llm_name


def load_llm(settings: Settings) -> LLM | None:
    """The language model that `BYLINE_LLM` names, or None for `none`; nothing is sent yet.

    Raises:
        SettingsError: no such provider, or what it needs is not set or not installed.
    """
    name = settings.llm_name
    if name == "none":
        return None
    provider, _, model = name.partition("/")
    load = _PROVIDERS.get(provider)
    if load and model:
        return load(settings)
    if not model and "." in name:
        return _load_class(settings, name)
    raise SettingsError(
        f"BYLINE_LLM: there is no language model '{name}'. There are: "
        + ", ".join(f"{known}/MODEL" for known in _PROVIDERS)
        + ", none, auto, or the import path of a LlamaIndex class such as package.module.MyLLM."
    )


def _load_openai(settings: Settings) -> LLM:
    server = find_server(settings)
    if server is None:
        raise SettingsError(
            f"BYLINE_LLM={settings.llm_name} needs the server's address: set BYLINE_LLM_BASE_URL, "
            "for example http://localhost:8080/v1."
        )
    if settings.llm_name.startswith("openai/") and not server.key:
        raise SettingsError(f"BYLINE_LLM={settings.llm_name} needs a key: set OPENAI_API_KEY or BYLINE_LLM_API_KEY.")
    return _openai_llm(settings, server, options=settings.llm_options)


def _load_gguf(settings: Settings) -> LLM:
    server, running = serve_gguf(settings)
    llm = _openai_llm(settings, server, options={})
    weakref.finalize(llm, _let_go, running)
    return llm


def _let_go(running: object) -> None:
    """Nothing more: who calls this when a model is no longer used has kept its server running until then."""


def _openai_llm(settings: Settings, server: ModelServer, *, options: dict[str, Any]) -> LLM:
    """A model on a server that speaks OpenAI's protocol."""
    # Imported here because it takes half a second, which quoting without a model does not need.
    from openai import AsyncOpenAI, OpenAI

    length = {"max_completion_tokens" if server.url == OPENAI_URL else "max_tokens": settings.llm_answer_tokens}
    arguments: dict[str, Any] = {
        "temperature": 0.0,
        "context_window": settings.llm_context_tokens,
        "additional_kwargs": {"stream_options": {"include_usage": True}, **length},
        **options,
    }
    connection: dict[str, Any] = {"api_key": server.key or "none", "base_url": server.url, "max_retries": _RETRIES}
    sync_client, async_client = _http_clients(settings, server)
    openai_like = _import_class("llama_index.llms.openai_like.OpenAILike", package="llama-index-llms-openai-like")
    return openai_like(
        model=server.model,
        api_base=server.url,
        api_key="held by the clients",  # so that no repr and no trace of this object shows it
        is_chat_model=True,
        max_retries=0,
        openai_client=OpenAI(http_client=sync_client, **connection),
        async_openai_client=AsyncOpenAI(http_client=async_client, **connection),
        **arguments,
    )


def _http_clients(settings: Settings, server: ModelServer) -> tuple[Any, Any]:
    """An httpx client and its asynchronous twin, with the time-outs of the settings."""
    import httpx

    shared = _connection(settings, server)
    return httpx.Client(**shared), httpx.AsyncClient(event_hooks={"response": [note_refusal]}, **shared)


def _connection(settings: Settings, server: ModelServer) -> dict[str, Any]:
    """What every httpx client that speaks to the server is made with."""
    import httpx

    return {
        "timeout": httpx.Timeout(settings.llm_read_seconds, connect=settings.llm_connect_seconds),
        # Connections are not kept: a kept one belongs to the event loop it was opened on, and commands start new loops.
        "limits": httpx.Limits(max_keepalive_connections=0),
        "trust_env": not server.is_this_machine,
        "follow_redirects": True,
    }


def _load_ollama(settings: Settings) -> LLM:
    """Ollama by its own protocol: through its OpenAI door the context window set here would be ignored."""
    ollama_class = _import_class("llama_index.llms.ollama.Ollama", package="llama-index-llms-ollama")
    server = find_server(settings)
    assert server is not None  # noqa: S101 - an `ollama/...` name always has one
    arguments: dict[str, Any] = {
        "base_url": server.url,
        "context_window": settings.llm_context_tokens,
        "request_timeout": settings.llm_read_seconds,
        "temperature": 0.0,
        "additional_kwargs": {"num_predict": settings.llm_answer_tokens},
        **settings.llm_options,
    }
    return ollama_class(model=server.model, **_ollama_clients(settings, server), **arguments)


def _ollama_clients(settings: Settings, server: ModelServer) -> dict[str, Any]:
    """Clients that hold the key, so that the model does not, and whose time-outs are the settings'."""
    package = import_module("ollama")  # comes with LlamaIndex's class
    headers = {"authorization": f"Bearer {server.key}"} if server.key else None
    shared = _connection(settings, server)
    return {
        "client": package.Client(server.url, headers=headers, **shared),
        "async_client": package.AsyncClient(server.url, headers=headers, **shared),
    }


_PROVIDERS: dict[str, Callable[[Settings], LLM]] = {
    "openai": _load_openai,
    "openai-like": _load_openai,
    "ollama": _load_ollama,
    "llama-cpp": _load_gguf,
    "huggingface": load_transformers,
}


def _load_class(settings: Settings, path: str) -> LLM:
    """Any LlamaIndex class, made with `BYLINE_LLM_OPTIONS`."""
    found = _import_class(path)
    try:
        return found(**settings.llm_options)
    except (TypeError, ValueError) as exc:  # pydantic's ValidationError is a ValueError
        first = str(exc).strip().splitlines()[0]
        raise SettingsError(f"BYLINE_LLM_OPTIONS do not fit {path}: {without_secrets(first, exc)}.") from exc


def _import_class(path: str, *, package: str | None = None) -> Callable[..., LLM]:
    return import_class(path, LLM, kind="a language model class", setting="BYLINE_LLM", package=package)
