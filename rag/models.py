"""The language model by name, through LlamaIndex's interface; how it is called and how it fails is re-exported here.

One layer retries: the openai client, twice, honouring Retry-After up to a minute; LlamaIndex's own retries are off.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from llama_index.core.llms import LLM

from index.errors import SettingsError
from index.model_errors import without_secrets
from index.settings import Settings
from rag.model_stream import Ending, ModelStream, complete_text

__all__ = ["Ending", "ModelStream", "complete_text", "load_llm", "model_label"]

OPENAI_URL = "https://api.openai.com/v1"
OLLAMA_URL = "http://localhost:11434"
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
        return load(settings, model)
    if not model and "." in name:
        return _load_class(settings, name)
    raise SettingsError(
        f"BYLINE_LLM: there is no language model '{name}'. There are: "
        + ", ".join(f"{known}/MODEL" for known in _PROVIDERS)
        + ", none, auto, or the import path of a LlamaIndex class such as package.module.MyLLM."
    )


def _load_openai(settings: Settings, model: str) -> LLM:
    key = settings.llm_api_key or settings.openai_api_key
    if key is None:
        raise SettingsError(f"BYLINE_LLM={settings.llm_name} needs a key: set OPENAI_API_KEY or BYLINE_LLM_API_KEY.")
    url = settings.llm_base_url or settings.openai_base_url or OPENAI_URL
    return _openai_protocol(settings, model, url=url, key=key.get_secret_value())


def _load_openai_like(settings: Settings, model: str) -> LLM:
    if settings.llm_base_url is None:
        raise SettingsError(
            f"BYLINE_LLM={settings.llm_name} needs the server's address: set BYLINE_LLM_BASE_URL, "
            "for example http://localhost:8080/v1."
        )
    # OPENAI_API_KEY is OpenAI's alone and is not sent to other servers.
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
    return _openai_protocol(settings, model, url=settings.llm_base_url, key=key)


def _openai_protocol(settings: Settings, model: str, *, url: str, key: str) -> LLM:
    """A model behind OpenAI's chat completions, whatever its name."""
    # Imported here because they take half a second, which quoting without a model does not need.
    import httpx
    from openai import AsyncOpenAI, OpenAI

    timeout = httpx.Timeout(settings.llm_read_seconds, connect=settings.llm_connect_seconds)
    # Connections are not kept: a kept one belongs to the event loop it was opened on, and commands start new loops.
    limits = httpx.Limits(max_keepalive_connections=0)
    # The machine's proxy settings are for other hosts.
    trust_env = not _is_this_machine(url)
    length = {"max_completion_tokens" if url == OPENAI_URL else "max_tokens": settings.llm_answer_tokens}
    arguments: dict[str, Any] = {
        "temperature": 0.0,
        "context_window": settings.llm_context_tokens,
        "additional_kwargs": {"stream_options": {"include_usage": True}, **length},
        **settings.llm_options,
    }
    openai_like = _import_class("llama_index.llms.openai_like.OpenAILike", package="llama-index-llms-openai-like")
    return openai_like(
        model=model,
        api_base=url,
        api_key="held by the clients",  # so that no repr and no trace of this object shows it
        is_chat_model=True,
        max_retries=0,
        openai_client=OpenAI(
            api_key=key,
            base_url=url,
            max_retries=_RETRIES,
            http_client=httpx.Client(timeout=timeout, limits=limits, trust_env=trust_env, follow_redirects=True),
        ),
        async_openai_client=AsyncOpenAI(
            api_key=key,
            base_url=url,
            max_retries=_RETRIES,
            http_client=httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=trust_env, follow_redirects=True),
        ),
        **arguments,
    )


def _load_ollama(settings: Settings, model: str) -> LLM:
    """Ollama by its own protocol: through its OpenAI door the context window set here would be ignored."""
    ollama_class = _import_class("llama_index.llms.ollama.Ollama", package="llama-index-llms-ollama")
    headers = {"Authorization": f"Bearer {settings.llm_api_key.get_secret_value()}"} if settings.llm_api_key else None
    arguments: dict[str, Any] = {
        "base_url": (settings.llm_base_url or OLLAMA_URL).removesuffix("/v1"),
        "context_window": settings.llm_context_tokens,
        "request_timeout": settings.llm_read_seconds,
        "temperature": 0.0,
        "headers": headers,
        "additional_kwargs": {"num_predict": settings.llm_answer_tokens},
        **settings.llm_options,
    }
    return ollama_class(model=model, **arguments)


_PROVIDERS: dict[str, Callable[[Settings, str], LLM]] = {
    "openai": _load_openai,
    "openai-like": _load_openai_like,
    "ollama": _load_ollama,
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
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except ImportError as exc:
        mend = f"install it with: pip install {package}" if package else "install its package or mend the path"
        raise SettingsError(f"BYLINE_LLM: {path} cannot be imported; {mend}.") from exc
    except AttributeError as exc:
        raise SettingsError(f"BYLINE_LLM: the module {module} has no {name}.") from exc
    if not (isinstance(found, type) and issubclass(found, LLM)):
        raise SettingsError(f"BYLINE_LLM: {path} is not a language model class of LlamaIndex.")
    return found


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")
