"""ModelServer: where a language model is served, how it is spoken to, and what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from index.errors import ModelRefusedError
from index.model_errors import ModelCall, provider_errors
from index.settings import Settings

OPENAI_URL = "https://api.openai.com/v1"
OLLAMA_URL = "http://localhost:11434"


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A server and the model wanted of it.

    Attributes:
        protocol: how it is spoken to.
        url: its address, without a slash at its end.
        model: the model's name there.
        key: sent with every request, or "".
        label: the model as messages name it, `provider/model`.
    """

    protocol: Literal["openai", "ollama"]
    url: str
    model: str
    key: str = field(repr=False)
    label: str

    @property
    def is_this_machine(self) -> bool:
        """Whether it runs here: the machine's proxy settings are for other hosts."""
        host = urlsplit(self.url).hostname or ""
        return host in {"localhost", "::1"} or host.startswith("127.")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself.

    Attributes:
        models: the models it lists; None where it has no list.
        context_tokens: the context window it gives the model; None where it does not say.
    """

    models: tuple[str, ...] | None = None
    context_tokens: int | None = None

    def lists(self, model: str) -> bool:
        """Whether the model is among those listed; Ollama's names may leave `:latest` out."""
        return any(listed in {model, f"{model}:latest"} for listed in self.models or ())


def find_server(settings: Settings) -> ModelServer | None:
    """The server that the settings name, or None for a model that needs none or brings its own."""
    provider, _, model = settings.llm_name.partition("/")
    given = settings.llm_api_key.get_secret_value() if settings.llm_api_key else ""
    if provider == "openai" and model:
        # OPENAI_API_KEY is OpenAI's alone and is not sent to other servers.
        key = given or (settings.openai_api_key.get_secret_value() if settings.openai_api_key else "")
        url = settings.llm_base_url or settings.openai_base_url or OPENAI_URL
        return ModelServer("openai", url, model, key, settings.llm_name)
    if provider == "openai-like" and model and settings.llm_base_url:
        return ModelServer("openai", settings.llm_base_url, model, given, settings.llm_name)
    if provider == "ollama" and model:
        url = (settings.llm_base_url or OLLAMA_URL).removesuffix("/v1")
        return ModelServer("ollama", url, model, given, settings.llm_name)
    return None


def ask_server(server: ModelServer, *, connect_seconds: float, read_seconds: float) -> ServerFacts:
    """What the server says: its models and the window it gives the one wanted.

    Raises:
        ModelUnreachableError: nothing answers there.
        ModelRefusedError: the key is not accepted, or what answers is no such server.
    """
    import httpx

    headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
    call = ModelCall(server.label, server.url, secrets=(server.key,))
    timeout = httpx.Timeout(read_seconds, connect=connect_seconds)
    with (
        provider_errors(call),
        httpx.Client(
            headers=headers, timeout=timeout, trust_env=not server.is_this_machine, follow_redirects=True
        ) as client,
    ):
        return _ask_ollama(client, server) if server.protocol == "ollama" else _ask_openai(client, server)


def _ask_openai(client: Any, server: ModelServer) -> ServerFacts:
    reply = client.get(f"{server.url}/models")
    if reply.status_code in {404, 405, 501}:  # OpenAI's protocol with chat alone
        return ServerFacts(None, _told_beside(client, server))
    reply.raise_for_status()
    body = reply.json()
    entries = body.get("data") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise ModelRefusedError(
            f"{server.label} at {server.url}: what answers there does not speak OpenAI's protocol. Check "
            "BYLINE_LLM_BASE_URL; it often ends in /v1."
        )
    listed = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    models = tuple(entry["id"] for entry in listed)
    wanted = next((entry for entry in listed if entry["id"] == server.model), None)
    told = _first_number(wanted or {}, "max_model_len", "context_length", "context_window")  # vLLM, OpenRouter, Groq
    return ServerFacts(models, told or _told_beside(client, server))


def _told_beside(client: Any, server: ModelServer) -> int | None:
    """What llama.cpp's server and LM Studio say at addresses of their own, beside OpenAI's protocol."""
    if server.url == OPENAI_URL:
        return None
    root = server.url.removesuffix("/v1")
    props = _json_at(client, f"{root}/props")
    if told := _first_number(props.get("default_generation_settings"), "n_ctx"):
        return told
    loaded = _json_at(client, f"{root}/api/v0/models/{server.model}")
    return _first_number(loaded, "loaded_context_length")


def _json_at(client: Any, url: str) -> Mapping[str, Any]:
    """The JSON object at an address that may not be there."""
    import httpx

    try:
        reply = client.get(url)
        body = reply.json() if reply.is_success else {}
    except (httpx.HTTPError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _ask_ollama(client: Any, server: ModelServer) -> ServerFacts:
    reply = client.get(f"{server.url}/api/tags")
    reply.raise_for_status()
    body = reply.json()
    entries = body.get("models") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise ModelRefusedError(
            f"{server.label} at {server.url}: what answers there does not speak Ollama's protocol; use "
            "openai-like/MODEL for other servers."
        )
    models = tuple(entry["name"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("name"), str))
    facts = ServerFacts(models)
    if not facts.lists(server.model):
        return facts
    shown = client.post(f"{server.url}/api/show", json={"model": server.model})
    shown.raise_for_status()
    about = shown.json().get("model_info") or {}
    trained = [value for name, value in about.items() if name.endswith(".context_length") and isinstance(value, int)]
    return ServerFacts(models, trained[0] if trained else None)


def _first_number(entry: object, *names: str) -> int | None:
    """The first of these entries that is a positive whole number."""
    if not isinstance(entry, Mapping):
        return None
    numbers = (entry.get(name) for name in names)
    return next((value for value in numbers if isinstance(value, int) and value > 0), None)
